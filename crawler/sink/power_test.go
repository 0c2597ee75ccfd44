package sink

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
	"github.com/amblecrawl/amble/crawler/urls"
)

// powerSinks are the sinks that write to a disk: a new one joins by a line here.
var powerSinks = []struct {
	name string
	make func(folder string, d disk) crawler.Sink
	read func(folder string) ([]sinktest.Row, error)
}{
	{"jsonl", func(folder string, d disk) crawler.Sink {
		return &JSONL{Path: filepath.Join(folder, "{type}.jsonl"), disk: d}
	}, readJSONL},
	{"csv", func(folder string, d disk) crawler.Sink {
		return &CSV{Path: filepath.Join(folder, "{type}.csv"), disk: d}
	}, readCSV},
}

// computer is one whose power can be cut: a disk for the state, one for
// the outputs, and the processes that crawl on it.
type computer struct {
	state  *vfs.MemFS
	out    *lossy
	random *rand.Rand

	left     atomic.Int64 // writes on either disk until the end; negative: no end is due
	power    bool         // the end is a power cut, not a kill
	ended    atomic.Bool
	saved    atomic.Int64 // records of the last commit that the engine was told of
	atCut    int64
	leftover map[string][]byte // of the outputs, after the cut
	cutFS    *vfs.MemFS
}

const powerPages = 40

// tick counts one write; the last one meets the end and does not happen.
func (m *computer) tick() error {
	if m.ended.Load() {
		return errPower
	}
	if m.left.Add(-1) != -1 {
		return nil
	}
	m.ended.Store(true)
	m.atCut = m.saved.Load()
	// The state first: what it holds the outputs must hold, as they are later.
	percent := 100
	if m.power {
		percent = m.random.IntN(101)
	}
	m.cutFS = m.state.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: m.random})
	if m.power {
		m.leftover = m.out.cut(m.random)
	}
	return errPower
}

// MaybeError counts the writes of the state. It never fails them: the store
// then ends in the usual way, on a disk that nobody looks at any more.
func (m *computer) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
		_ = m.tick()
	}
	return nil
}

func (m *computer) String() string { return "power cut" }

// live is one process: it crawls until the end comes, after so many writes, or
// the run is finished.
func (m *computer) live(t *rapid.T, writes int64, power bool) (finished bool) {
	m.power, m.cutFS, m.leftover = power, nil, nil
	m.ended.Store(false)
	m.left.Store(writes)
	summary, err := m.crawl(t)
	m.left.Store(-1 << 40)
	if !m.ended.Load() {
		if err != nil {
			t.Fatalf("undisturbed, the run %s: %v", summary.Status, err)
		}
		return true
	}
	m.state = m.cutFS
	if power {
		if err := m.out.restart(m.leftover); err != nil {
			t.Fatalf("%v", err)
		}
	}
	m.ended.Store(false)
	m.acknowledged(t)
	return false
}

func (m *computer) open() (*frontier.Frontier, error) {
	return frontier.Open(frontier.Options{
		Dir: "/state", FS: errorfs.Wrap(m.state, m), Crawl: "power", MemTable: 64 << 10, BlockCache: 1 << 20, SeenCache: 4 << 10,
	})
}

func (m *computer) crawl(t *rapid.T) (s crawler.Summary, err error) {
	f, err := m.open()
	if err != nil {
		if !m.ended.Load() {
			t.Fatalf("opening: %v", err)
		}
		return s, err
	}
	defer func() { _ = f.Close() }()
	if run, found, err := crawler.ReadRun(f); err != nil || found && run.Finished {
		return s, err
	}
	scope, err := urls.NewScope(urls.ScopeRules{Hosts: []string{"tree.example"}})
	if err != nil {
		t.Fatalf("%v", err)
	}
	parts := crawler.Parts{
		Frontier: f, Politeness: goAhead{}, Pipeline: tree{}, Scope: scope, Canon: &urls.Canon{},
		NewFetcher: func() crawler.Fetcher { return tree{} },
		Observer: crawler.Observer{Committed: func(totals crawler.Totals, _ crawler.FrontierStats) {
			m.saved.Store(totals.Records["item"])
		}},
	}
	for _, s := range powerSinks {
		parts.Sinks = append(parts.Sinks, crawler.NamedSink{Name: s.name, Sink: s.make(m.folder(s.name), m.out)})
	}
	e, err := crawler.New(parts, crawler.Settings{Name: "power", Workers: 3, BatchPages: 3, BatchInterval: time.Millisecond})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return e.Run(context.Background(), tree{}.seed())
}

func (m *computer) folder(sink string) string { return filepath.Join(m.out.base, "deep", sink) }

// acknowledged expects that what the engine was told of is committed, and that
// the outputs have all that is.
func (m *computer) acknowledged(t *rapid.T) {
	f, err := frontier.Open(frontier.Options{Dir: "/state", FS: m.state.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: m.random}), Crawl: "power"})
	if err != nil {
		t.Fatalf("after the end: %v", err)
	}
	defer f.Close()
	totals, err := crawler.ReadTotals(f)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if n := totals.Records["item"]; n < m.atCut {
		t.Fatalf("%d records were committed before the end, and %d are after it", m.atCut, n)
	} else {
		m.saved.Store(n) // what was told after the end happened on a disk that is gone
	}
}

// TestPowerCuts cuts the power of a crawl, and kills it, at any write of the
// state or the outputs, again and again. What was acknowledged must be there,
// and in the end each output holds each record once.
func TestPowerCuts(t *testing.T) {
	stories(t, "15")
	base := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp(base, "case")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer func() { _ = os.RemoveAll(folder) }()
		seed := rapid.Uint64().Draw(t, "seed")
		m := &computer{state: vfs.NewCrashableMem(), random: rand.New(rand.NewPCG(seed, 0))}
		m.out = newLossy(folder, m.tick)
		for range rapid.IntRange(1, 6).Draw(t, "ends") {
			writes := int64(rapid.IntRange(0, 160).Draw(t, "writes until the end"))
			if m.live(t, writes, rapid.Bool().Draw(t, "power")) {
				break
			}
		}
		for !m.live(t, 1<<40, false) {
			t.Fatalf("it did not finish")
		}
		m.exactly(t)
	})
}

// stories sets how many stories the properties of a test tell, unless
// AMBLE_KILLS asks for the long form: a story runs several crawls.
func stories(t *testing.T, n string) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if os.Getenv("AMBLE_KILLS") != "" {
		return
	}
	before := checks.Value.String()
	if err := checks.Value.Set(n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checks.Value.Set(before) })
}

// exactly expects every output to hold each page's record once.
func (m *computer) exactly(t *rapid.T) {
	for _, s := range powerSinks {
		rows, err := s.read(m.folder(s.name))
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		n := map[int64]int{}
		for _, r := range rows {
			n[r.Number]++
		}
		for page := range int64(powerPages) {
			if n[page] != 1 {
				t.Fatalf("%s holds %d records, that of page %d %d times", s.name, len(rows), page, n[page])
			}
		}
		if len(rows) != powerPages {
			t.Fatalf("%s holds %d records, want %d", s.name, len(rows), powerPages)
		}
	}
	f, err := m.open()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer f.Close()
	if s := f.Stats(); s.Seen != powerPages || s.Settled != powerPages {
		t.Fatalf("the state says %+v", s)
	}
}

// tree is a web of pages that link to two others each, with one record a page.
type tree struct{}

func (tree) seed() iter.Seq2[crawler.Seed, error] {
	return func(yield func(crawler.Seed, error) bool) {
		u, err := urls.Parse("http://tree.example/0")
		yield(crawler.Seed{URL: u}, err)
	}
}

func (tree) Fetch(_ context.Context, u urls.URL, _ crawler.FetchOptions) (*crawler.Response, error) {
	return &crawler.Response{Status: 200, Header: http.Header{}, Body: []byte(u.Path()[1:]), FetchedAt: time.Unix(1_750_000_000, 0)}, nil
}

func (tree) Types() []crawler.RecordType {
	return []crawler.RecordType{{Name: "item", Fields: []string{"text", "number"}}}
}

func (tree) Run(_ context.Context, p *crawler.Page, r *crawler.Result) error {
	n, err := strconv.ParseInt(string(p.Response.Body), 10, 64)
	if err != nil {
		return err
	}
	for _, next := range []int64{2*n + 1, 2*n + 2} {
		u, err := p.URL.Resolve(fmt.Sprintf("/%d", next))
		if err != nil {
			return err
		}
		if next < powerPages {
			r.Links = append(r.Links, crawler.Link{URL: u})
		}
	}
	r.Records = append(r.Records, crawler.Record{
		Type: "item", URL: p.URL.Fetch(), Requested: p.URL.Fetch(), Key: crawler.RecordKey("item", p.Request.Key, 0),
		Fields: []crawler.Field{{Name: "text", Value: "page, \"quoted\"\nand long"}, {Name: "number", Value: n}},
	})
	return nil
}

// goAhead lets everything go at once.
type goAhead struct{}

var goState = crawler.HostState{Concurrency: 3}

func (goAhead) Decide(*crawler.Request) crawler.Verdict {
	return crawler.Verdict{Action: crawler.Go, Grant: goAhead{}}
}
func (goAhead) Context(ctx context.Context) context.Context     { return ctx }
func (goAhead) Done(*crawler.Response, error) crawler.HostState { return goState }
func (goAhead) Entry() crawler.Entry                            { return crawler.Entry{} }
func (goAhead) Cancel() crawler.HostState                       { return goState }
func (goAhead) Elsewhere() (string, crawler.HostState)          { return "", crawler.HostState{} }
