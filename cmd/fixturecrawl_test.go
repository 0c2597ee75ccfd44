package cmd

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/fixtures"
)

// fixtureCrawl is a crawl of the fixture web by the real binary.
type fixtureCrawl struct {
	web    *fixtures.Web
	dir    string // of the config, the state and the outputs
	config string
	name   string
	env    []string // beside that of the tests
	whole  int      // how many different URLs an undisturbed crawl asks for, where that is known
}

// newFixtureCrawl serves a web of its own and writes a config that leads to it.
func newFixtureCrawl(t *testing.T, config string, o fixtures.Options) *fixtureCrawl {
	t.Helper()
	web, err := fixtures.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = web.Close() })
	return crawlOf(t, web, config)
}

// crawlOf writes a config for a web that is being served.
func crawlOf(t *testing.T, web *fixtures.Web, config string) *fixtureCrawl {
	t.Helper()
	c := &fixtureCrawl{web: web, dir: t.TempDir()}
	c.config = filepath.Join(c.dir, "crawl.yaml")
	resolve := "fetch:\n  resolve:\n"
	for host, addr := range web.Resolve() {
		resolve += fmt.Sprintf("    %s: %q\n", host, addr)
	}
	text := strings.Replace(config, "\nfetch:\n", "\n"+resolve, 1)
	if text == config {
		t.Fatal("the config has no section fetch in block style")
	}
	text = strings.NewReplacer(killHook, hookOf(c.dir), killEndpoint, killBuckets(), killShelf, shelfOf(c.dir)).Replace(text)
	if err := os.WriteFile(c.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(config, "name: ")
	c.name, _, _ = strings.Cut(rest, "\n")
	return c
}

func (c *fixtureCrawl) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "amble", append([]string{"run", c.config}, args...)...)
	cmd.Env = append(append(os.Environ(), "AMBLE_KILL_SECRET="+killSecret), c.env...)
	return cmd
}

// run runs the crawl to its end and returns what it printed.
func (c *fixtureCrawl) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.command(t, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("amble run: %v\n%s", err, out)
	}
	return string(out)
}

// frontier opens the state that the crawl has left.
func (c *fixtureCrawl) frontier(t *testing.T) *frontier.Frontier {
	t.Helper()
	f, err := frontier.Open(frontier.Options{Dir: filepath.Join(c.dir, ".amble", c.name), Crawl: c.name})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// accounted expects all that was discovered to be accounted for, as far as it
// is committed.
func accounted(t *testing.T, f *frontier.Frontier) {
	t.Helper()
	totals, err := crawler.ReadTotals(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := totals.Account(f.Stats()).Check(); err != nil {
		t.Error(err)
	}
}

// standing looks a URL up in the state, by the key it has without parameters
// that are dropped.
func standing(t *testing.T, f *frontier.Frontier, rawURL string) crawler.Standing {
	t.Helper()
	u, err := urls.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Lookup(u.Origin(), (&urls.Canon{DropParams: []string{"utm_*"}}).Key(u))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// process is one life of a crawl.
type process struct {
	crawl *fixtureCrawl
	cmd   *exec.Cmd
	out   bytes.Buffer
	done  chan struct{}
	err   error // how it ended, once done is closed
}

func (c *fixtureCrawl) start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{crawl: c, cmd: c.command(t, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.begin(t)
	return p
}

func (p *process) begin(t testing.TB) {
	t.Helper()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
}

// kill ends the process at once. A nil error means that it had just finished.
func (p *process) kill() error {
	_ = p.cmd.Process.Kill()
	<-p.done
	return p.err
}

// killedWhen starts a command, kills it when it is time, and reports whether it did: it
// may have ended before.
func killedWhen(t *testing.T, cmd *exec.Cmd, isTime func() bool) bool {
	t.Helper()
	p := &process{cmd: cmd, done: make(chan struct{})}
	p.begin(t)
	for end := time.Now().Add(patience); !isTime() && p.pause(time.Millisecond); {
		if time.Now().After(end) {
			_ = p.kill()
			t.Fatalf("it was not time to kill %q within %v", cmd.Args, patience)
		}
	}
	return killed(p.kill())
}

// pause waits; false means that the process ended first.
func (p *process) pause(d time.Duration) bool {
	select {
	case <-p.done:
		return false
	case <-time.After(d):
		return true
	}
}

// awaitRequests waits for the servers to have seen n more requests; false means
// that the process ended first.
func (p *process) awaitRequests(t *testing.T, n int) bool {
	t.Helper()
	until, deadline := p.crawl.served()+n, time.Now().Add(time.Minute)
	for p.crawl.served() < until {
		if time.Now().After(deadline) {
			t.Fatalf("no %d requests after a minute", n)
		}
		if !p.pause(2 * time.Millisecond) {
			return false
		}
	}
	return true
}

// served is how many requests the servers have seen.
func (c *fixtureCrawl) served() int {
	n := 0
	for _, h := range c.web.Hosts() {
		n += c.web.Account().Host(h.Name).Requests
	}
	return n
}

// fewQuotes is a crawl of three pages of one host.
func fewQuotes(t *testing.T) *fixtureCrawl {
	t.Helper()
	return newFixtureCrawl(t, `name: quotes
seeds: [http://quotes.example/]
scope: {max_pages: 3}
politeness: {contact: qa@shop.example, delay: 10ms}
fetch:
  allow_private: true
extract: {quote: {each: .quote, fields: {text: .text}}}
output: [{jsonl: "{type}.jsonl"}]
`, fixtures.Options{Hosts: []string{"quotes.example"}})
}

// watchMemory gives the peak of the process's resident memory in bytes once it
// has ended, 0 where the system does not tell. The account of a process that
// has been waited for would not do: it begins with the memory of its parent.
func (p *process) watchMemory() <-chan int64 { return watchMemory(p.cmd.Process.Pid, p.pause) }

// watchMemory looks at a process for as long as a pause says that it goes on.
func watchMemory(pid int, pause func(time.Duration) bool) <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		var most int64
		for pause(20 * time.Millisecond) {
			status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
			if err != nil {
				continue
			}
			_, rest, _ := strings.Cut(string(status), "VmHWM:")
			if fields := strings.Fields(rest); len(fields) > 0 {
				kib, _ := strconv.ParseInt(fields[0], 10, 64)
				most = max(most, kib<<10)
			}
		}
		peak <- most
	}()
	return peak
}

// raceDetector reports whether this binary takes several times its memory.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" })
}

// unraced leaves a test to the run without the race detector, which takes several
// times the memory that the test bounds, or ten times the time: PDFium, which has a
// package of its own with tests, is half a minute in being made ready then.
func unraced(t *testing.T) {
	t.Helper()
	if raceDetector() {
		t.Skip("the race detector takes several times the memory and the time of it: make test runs it without as well")
	}
}

// record is one record as JSON has it.
type record map[string]any

func (r record) text(field string) string {
	s, _ := r[field].(string)
	return s
}

// records reads the records of one type and expects both outputs to hold them.
func (c *fixtureCrawl) records(t *testing.T, kind string) []record {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, kind+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	records := parseLines(t, data)
	compareCSV(t, filepath.Join(c.dir, kind+".csv"), records)
	return records
}

// compareCSV expects the rows to be the records, in their order, cell by cell.
func compareCSV(t *testing.T, path string, records []record) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) != len(records)+1 {
		t.Fatalf("%s has %d rows for %d records: %v", path, len(rows), len(records), err)
	}
	for i, row := range rows[1:] {
		for column, name := range rows[0] {
			want := ""
			switch v := records[i][name].(type) {
			case nil:
			case string:
				want = v
			default:
				want = mustJSON(t, v)
			}
			if row[column] != want {
				t.Errorf("%s, row %d: %s is %q, want %q", path, i+1, name, row[column], want)
			}
		}
	}
}

func compareCounts(t *testing.T, what string, got, want map[string]int) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	all := maps.Clone(want)
	maps.Copy(all, got)
	shown := 0
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if got[key] != want[key] && shown < 20 {
			t.Errorf("%s: %d of %s, want %d", what, got[key], key, want[key])
			shown++
		}
	}
}

func parseLines(t *testing.T, data []byte) []record {
	t.Helper()
	var records []record
	for line := range bytes.Lines(data) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		records = append(records, r)
	}
	return records
}

func readJSON[T any](t *testing.T, path string) T {
	t.Helper()
	var v T
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
