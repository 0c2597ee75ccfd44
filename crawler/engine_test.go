package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/urls"
)

const host = "http://tree.example"

// rig runs engines over one state and one sink, as processes of a run do.
type rig struct {
	t    *testing.T
	fs   vfs.FS
	web  *web
	sink *memorySink
	set  crawler.Settings
	// wrap, when set, stands between the engine and its frontier.
	wrap      func(crawler.Frontier) crawler.Frontier
	scope     urls.ScopeRules
	polite    crawler.Politeness // nil: free
	policy    crawler.PagePolicy // nil: none
	observer  crawler.Observer
	seeds     []string
	sinkName  string
	clock     crawler.Clock // nil: the system's
	commits   atomic.Int32  // that were looked at
	rejects   *memorySink   // nil: nobody takes them
	table     crawler.Sink  // nil: there is none
	tally     crawler.Tally
	weigh     func(*crawler.Page, int64) int64
	rows      iter.Seq2[crawler.Seed, error] // seeds beside the others
	handing   *handingSink                   // in place of sink
	aggregate crawler.Aggregate
	ledger    crawler.Ledger // nil: there is none
}

func newRig(t *testing.T) *rig {
	return &rig{
		t: t, fs: vfs.NewMem(), web: newWeb(), sink: &memorySink{}, seeds: []string{host + "/0"}, sinkName: "memory",
		set:   crawler.Settings{Name: "test", Workers: 8, BatchInterval: 10 * time.Millisecond, RetryWait: time.Millisecond},
		scope: urls.ScopeRules{Hosts: []string{"tree.example"}},
	}
}

func (r *rig) start() iter.Seq2[crawler.Seed, error] {
	return func(yield func(crawler.Seed, error) bool) {
		for _, s := range r.seeds {
			u, err := urls.Parse(s)
			if !yield(crawler.Seed{URL: u}, err) {
				return
			}
		}
		if r.rows != nil {
			r.rows(yield)
		}
	}
}

// run is one process: it opens the state, crawls, and closes.
func (r *rig) run(ctx context.Context) (crawler.Summary, error) {
	r.t.Helper()
	f, err := frontier.Open(frontier.Options{Dir: "state", FS: r.fs, Crawl: "test"})
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	scope, err := urls.NewScope(r.scope)
	if err != nil {
		r.t.Fatal(err)
	}
	var used crawler.Frontier = f
	if r.wrap != nil {
		used = r.wrap(f)
	}
	polite := r.polite
	if polite == nil {
		polite = free{}
	}
	sinks := []crawler.NamedSink{{Name: r.sinkName, Sink: r.sink}}
	if r.handing != nil {
		sinks[0].Sink = r.handing
	}
	if r.rejects != nil {
		sinks = append(sinks, crawler.NamedSink{Name: "rejects", Sink: r.rejects, Rejects: true})
	}
	if r.table != nil {
		sinks = append(sinks, crawler.NamedSink{Name: "table", Sink: r.table})
	}
	e, err := crawler.New(crawler.Parts{
		Tally: r.tally, Frontier: used, Politeness: polite, PagePolicy: r.policy, Pipeline: r.web, Scope: scope, Canon: &urls.Canon{DropSessions: true},
		NewFetcher: func() crawler.Fetcher { return r.web }, Observer: r.accounted(), Clock: r.clock,
		Ledger: r.ledger, Aggregate: r.aggregate, Sinks: sinks, Print: printOf, Weigh: r.weigh,
	}, r.set)
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := e.Run(ctx, r.start())
	if wrong := s.Account(); wrong.Check() != nil {
		r.t.Errorf("in the summary %v", wrong.Check())
	}
	return s, err
}

// accounted is the rig's observer, and looks at the account after each commit.
func (r *rig) accounted() crawler.Observer {
	o := r.observer
	tell := o.Committed
	o.Committed = func(t crawler.Totals, f crawler.FrontierStats) {
		if err := t.Account(f).Check(); err != nil {
			r.t.Errorf("after a commit %v", err)
		}
		r.commits.Add(1)
		if tell != nil {
			tell(t, f)
		}
	}
	return o
}

// finish runs to the end and expects it to be one.
func (r *rig) finish() crawler.Summary {
	r.t.Helper()
	s, err := r.run(r.t.Context())
	if err != nil || s.Status != crawler.StatusFinished {
		r.t.Fatalf("the run %s: %v", s.Status, err)
	}
	if r.commits.Load() == 0 {
		r.t.Error("no commit was accounted for")
	}
	return s
}

// exactly expects n records, none twice.
func (r *rig) exactly(n int) {
	r.t.Helper()
	keys := r.sink.keys()
	for key, times := range keys {
		if times != 1 {
			r.t.Errorf("record %s was written %d times", key, times)
		}
	}
	if len(keys) != n {
		r.t.Errorf("%d records, want %d", len(keys), n)
	}
}

func TestEveryPageOnce(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 500)
	for url := range r.web.pages {
		r.web.pages[url] += "\nlink /0" // 500 links to what is known
	}
	s := r.finish()
	r.exactly(500)
	// Pages 250 to 499 link to 501 pages that do not exist.
	if s.Pages != 500 || s.Records["item"] != 500 || s.Errors[crawler.ClassHTTP4xx] != 501 || s.Failed != 501 {
		t.Errorf("summary %+v", s)
	}
	if s.Duplicates != 500 {
		t.Errorf("%d duplicates, want 500", s.Duplicates)
	}
	if s.Requests != 1001 || s.Pending != 0 || s.Hosts != 1 {
		t.Errorf("summary %+v", s)
	}
	for url, n := range r.web.fetches {
		if n != 1 {
			t.Errorf("%s was fetched %d times", url, n)
		}
	}
}

func TestTemporaryFailuresAreTriedAgain(t *testing.T) {
	r := newRig(t)
	r.set.Retries = 2
	r.web.site(host, 1)
	r.web.pages[host+"/0"] = "record a\nlink /flaky\nlink /down\nlink /reset"
	r.web.answers[host+"/flaky"] = func(n int) (*crawler.Response, error) {
		if n < 3 {
			return status(503), nil
		}
		return &crawler.Response{Status: 200, Body: []byte("record b")}, nil
	}
	r.web.answers[host+"/down"] = func(int) (*crawler.Response, error) { return status(500), nil }
	r.web.answers[host+"/reset"] = func(int) (*crawler.Response, error) {
		return nil, &crawler.FetchError{Class: crawler.ClassReset, Temporary: true, Err: errors.New("reset")}
	}
	s := r.finish()
	r.exactly(2)
	if s.Retries != 6 || s.Errors[crawler.ClassHTTP5xx] != 1 || s.Errors[crawler.ClassReset] != 1 {
		t.Errorf("summary %+v", s)
	}
	for _, path := range []string{"/flaky", "/down", "/reset"} {
		if n := r.web.times(host + path); n != 3 {
			t.Errorf("%s was fetched %d times, want 3", path, n)
		}
	}
}

func TestRedirects(t *testing.T) {
	r := newRig(t)
	r.set.MaxHops = 4
	r.web.pages[host+"/0"] = "link /a\nlink /loop\nlink /self\nlink /away\nlink /long/0\nlink /q?"
	r.web.answers[host+"/a"] = redirectTo(host + "/b")
	r.web.answers[host+"/b"] = redirectTo(host + "/c")
	r.web.pages[host+"/c"] = "record c"
	r.web.answers[host+"/loop"] = redirectTo(host + "/pool")
	r.web.answers[host+"/pool"] = redirectTo(host + "/loop")
	r.web.answers[host+"/self"] = redirectTo(host + "/self#there")
	r.web.answers[host+"/away"] = redirectTo("http://other.example/")
	// The server tells "/q?" from "/q"; the dedup key does not.
	r.web.answers[host+"/q?"] = redirectTo(host + "/q")
	r.web.pages[host+"/q"] = "record q"
	for i := range 10 {
		r.web.answers[fmt.Sprintf("%s/long/%d", host, i)] = redirectTo(fmt.Sprintf("%s/long/%d", host, i+1))
	}
	var mu sync.Mutex
	requested := map[string]string{}
	r.observer.Settled = func(q *crawler.Request, _ crawler.Outcome, _ int) {
		mu.Lock()
		defer mu.Unlock()
		requested[q.URL.Path()] = q.Origin()
	}
	s := r.finish()
	r.exactly(2)
	if s.Errors[crawler.ClassRedirectLoop] != 3 { // loop, self, long
		t.Errorf("errors %v", s.Errors)
	}
	if r.web.times("http://other.example/") != 0 || s.OutOfScope != 1 {
		t.Errorf("left the scope: %+v", s)
	}
	if r.web.times(host+"/long/4") != 1 || r.web.times(host+"/long/5") != 0 {
		t.Error("the bound on redirects does not hold")
	}
	if requested["/c"] != host+"/a" {
		t.Errorf("page /c was requested as %s", requested["/c"])
	}
}

func TestMaxPagesIsExact(t *testing.T) {
	r := newRig(t)
	r.set.MaxPages = 37
	r.web.site(host, 500)
	s := r.finish()
	r.exactly(37)
	if s.Pages != 37 || s.Pending == 0 {
		t.Errorf("summary %+v", s)
	}
}

// A run that is told to stop before it has begun has not failed.
func TestStoppedAtItsBeginning(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := r.run(ctx); !errors.Is(err, context.Canceled) || s.Status != crawler.StatusInterrupted {
		t.Fatalf("%s: %v", s.Status, err)
	}
	r.finish()
	r.exactly(3)
}

// A run that is told to stop commits what is in flight; the next goes on.
func TestStopAndResume(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 300)
	ctx, cancel := context.WithCancel(t.Context())
	var fetched atomic.Int32
	r.web.before = func(context.Context, string) {
		if fetched.Add(1) == 100 {
			cancel()
		}
	}
	s, err := r.run(ctx)
	if !errors.Is(err, context.Canceled) || s.Status != crawler.StatusInterrupted {
		t.Fatalf("%s: %v", s.Status, err)
	}
	if s.Pending == 0 || s.Pages == 0 {
		t.Errorf("summary %+v", s)
	}
	first := s.Run
	s = r.finish()
	r.exactly(300)
	if s.Run != first || !s.Resumed || s.Pages != 300 {
		t.Errorf("summary %+v", s)
	}
	for url, n := range r.web.fetches {
		if n != 1 {
			t.Errorf("%s was fetched %d times although nothing was killed", url, n)
		}
	}
}

// What does not answer within the grace period is left for the next run.
func TestGraceEnds(t *testing.T) {
	r := newRig(t)
	r.set.Grace = 10 * time.Millisecond
	r.web.pages[host+"/0"] = "link /slow"
	ctx, cancel := context.WithCancel(t.Context())
	r.web.pages[host+"/slow"] = "record slow"
	r.web.before = func(fetch context.Context, url string) {
		if strings.HasSuffix(url, "/slow") && ctx.Err() == nil {
			cancel()
			<-fetch.Done()
		}
	}
	if s, err := r.run(ctx); !errors.Is(err, context.Canceled) || s.Pending != 1 {
		t.Fatalf("%+v: %v", s, err)
	}
	r.finish()
	r.exactly(1)
}

// A page that was being read when the grace period ended is not a failed one:
// the next run reads it.
func TestGraceEndsWhileReading(t *testing.T) {
	r := newRig(t)
	r.set.Grace = 10 * time.Millisecond
	r.web.pages[host+"/0"] = "record a\nread\nlink /1"
	r.web.pages[host+"/1"] = "record b"
	ctx, cancel := context.WithCancel(t.Context())
	r.web.reading = func(reading context.Context) error {
		if ctx.Err() != nil {
			return nil
		}
		cancel()
		<-reading.Done()
		return reading.Err()
	}
	s, err := r.run(ctx)
	if !errors.Is(err, context.Canceled) || s.Pending != 1 || s.Failed != 0 || s.Requests != 1 {
		t.Fatalf("%+v: %v", s, err)
	}
	r.finish()
	r.exactly(2)
}

// A process that dies between the sinks' flush and the frontier's commit
// leaves records that the next process cuts off and writes again.
func TestDeathBetweenSinkAndCommit(t *testing.T) {
	for after := range 6 {
		r := newRig(t)
		r.web.site(host, 60)
		r.set.BatchPages = 7
		r.wrap = func(f crawler.Frontier) crawler.Frontier { return &dying{Frontier: f, after: after + 2} }
		s, err := r.run(t.Context())
		if !errors.Is(err, crawler.ErrStop) || s.Status != crawler.StatusFailed {
			t.Fatalf("%s: %v", s.Status, err)
		}
		r.wrap = nil
		if s := r.finish(); s.Pages != 60 || s.Records["item"] != 60 {
			t.Errorf("summary %+v", s)
		}
		r.exactly(60)
	}
}

// dying refuses every commit after some.
type dying struct {
	crawler.Frontier
	after   int
	commits atomic.Int32
}

func (d *dying) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	if int(d.commits.Add(1)) > d.after {
		return crawler.CommitResult{}, fmt.Errorf("the disk is gone: %w", crawler.ErrStop)
	}
	return d.Frontier.Commit(ctx, b)
}

// Pages whose lease was lost are dropped, and the rest of their batch is kept.
func TestLostLeases(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 100)
	r.wrap = func(f crawler.Frontier) crawler.Frontier { return &losing{Frontier: f} }
	r.finish()
	r.exactly(100)
	if r.sink.opens < 2 {
		t.Error("the sink was never brought back to its last commit")
	}
}

// losing loses the first lease of a batch now and then: it is leased again.
type losing struct {
	crawler.Frontier
	mu      sync.Mutex
	commits int
}

func (l *losing) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	l.mu.Lock()
	l.commits++
	lose := l.commits%3 == 0 && len(b.Outcomes) > 0
	l.mu.Unlock()
	if lose {
		l.GiveBack(b.Outcomes[0].Lease)
		return crawler.CommitResult{}, &crawler.LostError{Leases: []uint64{b.Outcomes[0].Lease}}
	}
	return l.Frontier.Commit(ctx, b)
}

func TestExtractionFailsOnePageAlone(t *testing.T) {
	r := newRig(t)
	r.web.pages[host+"/0"] = "record a\nlink /error\nlink /panic\nlink /fine"
	r.web.pages[host+"/error"] = "record b\nfail badly"
	r.web.pages[host+"/panic"] = "record c\npanic badly"
	r.web.pages[host+"/fine"] = "record d"
	s := r.finish()
	r.exactly(2)
	if s.Errors[crawler.ClassExtract] != 1 || s.Errors[crawler.ClassInternal] != 1 {
		t.Errorf("errors %v", s.Errors)
	}
}

// A sink that does not take records stops the fetching, within the bound of
// what the batch, the committer's queue and the workers hold.
func TestSlowSinkHoldsTheWorkersBack(t *testing.T) {
	r := newRig(t)
	r.set.BatchPages = 10
	r.web.site(host, 500)
	r.sink.blocked = make(chan struct{})
	var fetched, most atomic.Int32
	r.web.before = func(context.Context, string) { fetched.Add(1) }
	go func() {
		for last := int32(-1); fetched.Load() != last || last == 0; {
			last = fetched.Load()
			time.Sleep(100 * time.Millisecond) // until nothing moves any more
		}
		most.Store(fetched.Load())
		close(r.sink.blocked)
	}()
	r.finish()
	r.exactly(500)
	if bound := int32(10 + 2*r.set.Workers); most.Load() > bound {
		t.Errorf("%d pages were fetched while the sink was stuck, the bound is %d", most.Load(), bound)
	}
}

func TestFailingSinkStopsTheRunResumably(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 100)
	r.sink.fail = func(written int) error {
		if written > 30 {
			return errors.New("no space left on device")
		}
		return nil
	}
	s, err := r.run(t.Context())
	if !errors.Is(err, crawler.ErrStop) || s.Status != crawler.StatusFailed {
		t.Fatalf("%s: %v", s.Status, err)
	}
	r.sink.fail = nil
	r.finish()
	r.exactly(100)
}
