package crawler

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Clock is the engine's time. Tests give their own.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// SystemClock is the real time.
type SystemClock struct{}

// Now is time.Now.
func (SystemClock) Now() time.Time { return time.Now() }

// After is time.After.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// NamedSink is a sink under the name that its position is kept by; the name
// stays the same from run to run.
type NamedSink struct {
	Name string
	Sink Sink
	// Rejects tells that it is given the rejects, and not the records.
	Rejects bool
}

// Parts are what an engine is put together from. Frontier, Politeness,
// NewFetcher, Pipeline, Scope and Canon are required.
type Parts struct {
	Frontier   Frontier
	Politeness Politeness
	NewFetcher func() Fetcher // called once for each worker
	Pipeline   Pipeline
	Sinks      []NamedSink
	Ledger     Ledger     // nil: no account is kept
	Tally      Tally      // nil: records are counted by their type alone
	Aggregate  Aggregate  // nil: nothing is summed up
	PagePolicy PagePolicy // nil: every page permits everything
	Files      Files      // nil: no files are kept
	// Rows are the types of records that rows of datasets lead to, with the rows'
	// columns, nil where only the rows will tell.
	Rows []RecordType
	// Batches tells how the answers to a batch of rows are read, by Seed.Batch; nil:
	// there are none.
	Batches func(id string) (BatchRule, bool)
	// Weigh gives the bytes that reading a page takes beside its body, its tree and
	// its records, by its request and its type, before its body of that size is in
	// memory. nil: nothing.
	Weigh func(p *Page, size int64) int64
	// Hide takes what is secret out of a text; nil: nothing is.
	Hide func(text string) string
	// Print gives a print of a page's text, near in its bits to those of like
	// texts, and the number of words it was made of. nil, or ok false: there is
	// nothing to compare, and no text is like another.
	Print    func(p *Page) (print uint64, words int, ok bool)
	Scope    *urls.Scope
	Canon    *urls.Canon
	Observer Observer
	Log      *slog.Logger
	Clock    Clock
}

// Settings bound a run. Zero values take the defaults named here.
type Settings struct {
	Name       string
	RunID      string        // of a new run; NewRunID by default
	Config     string        // the file that the crawl was read from, for RunState
	Folder     string        // for what sinks keep between two processes of a run; "" for nothing
	Workers    int           // requests in flight in all, default 64
	MaxPages   int64         // pages with a 2xx answer, 0: no bound
	Retries    int           // further attempts after a temporary failure; negative: none
	RetryWait  time.Duration // before the first further attempt, doubling; default 2s
	Canonical  CanonicalRule // what is done about pages that name another URL as theirs
	SkipRel    bool          // links with rel=nofollow, ugc or sponsored are not followed
	MaxHops    int           // redirects in a chain, default 10
	MaxSitemap int64         // bytes of one sitemap, default 50 MiB
	Traps      TrapRules     // what a site can make up without end; none by default
	Revisit    RevisitRules  // what is made of pages that earlier runs knew; by default nothing
	Memory     int64         // bytes for pages from their receipt to their commit, estimated; by default 16 batches
	Grace      time.Duration // for what is in flight when the run is told to stop, default 10s

	BatchPages    int           // pages in a commit at most, default 256
	BatchBytes    int64         // bytes of records and links in a commit, default 8 MiB
	BatchInterval time.Duration // longest wait of a finished page for its commit, default 500ms
}

func (s Settings) withDefaults() Settings {
	positive := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	duration := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	positive(&s.Workers, 64)
	positive(&s.MaxHops, 10)
	positive(&s.BatchPages, 256)
	duration(&s.RetryWait, 2*time.Second)
	duration(&s.Grace, 10*time.Second)
	duration(&s.BatchInterval, 500*time.Millisecond)
	if s.BatchBytes <= 0 {
		s.BatchBytes = 8 << 20
	}
	if s.MaxSitemap <= 0 {
		s.MaxSitemap = 50 << 20
	}
	return s
}

// Engine runs one crawl. Make it with New; Run it once.
type Engine struct {
	Parts
	set Settings

	traps      *traps
	run        RunState
	resumed    bool
	budget     *pageBudget
	finished   chan finished
	accounting *accounting         // nil without a ledger
	memory     *semaphore.Weighted // of pages from their extraction to their commit
	outsize    *semaphore.Weighted // held by the page with a tree beyond its weight
	reserve    *semaphore.Weighted // of the same for small pages, which wait for no large one
	elsewhere  elsewhere
	changes    bool // the run writes only what has changed
	rewrites   rewrites
	caller     context.Context // of Run: its end asks for the run's
	failed     <-chan struct{} // closed when a part has failed, or all workers are done
	idle       atomic.Int32    // workers waiting in Lease: a commit may feed them
	shortage   shortage
	sowing     *sowing
}

// New checks the parts and makes an engine.
func New(parts Parts, set Settings) (*Engine, error) {
	switch {
	case parts.Frontier == nil, parts.Politeness == nil, parts.NewFetcher == nil,
		parts.Pipeline == nil, parts.Scope == nil, parts.Canon == nil:
		return nil, errors.New("an engine needs a frontier, politeness, fetchers, a pipeline, a scope and a canon")
	}
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	if parts.Clock == nil {
		parts.Clock = SystemClock{}
	}
	e := &Engine{Parts: parts, set: set.withDefaults()}
	e.traps = newTraps(e.set.Traps, e.Canon, e.Frontier)
	e.memory, e.reserve = semaphore.NewWeighted(e.roomForPages()-e.reserved()), semaphore.NewWeighted(e.reserved())
	e.outsize = semaphore.NewWeighted(1)
	if e.Ledger != nil {
		e.accounting = newAccounting(e.Ledger, e.Clock)
	}
	return e, nil
}

// Seed is a URL that a run starts from.
type Seed struct {
	URL  urls.URL
	Kind Kind
	// The rest is that of a seed made from a row of a dataset. Row is the same in
	// every run, and no other row's; Types begins with the type of its records.
	Row   uint64
	Call  *Call
	Carry []Field
	Types []string
	// Idempotent sends an Idempotency-Key, by which the call may be repeated.
	Idempotent bool
	// Fault says why the row makes no request; it has no URL then.
	Fault error
	// Place is where a row stands that makes no request.
	Place string

	// Key is what a row is known by where its dataset has a key, "" where it has
	// none. Of two rows with one Row, the second has the fault that the key stands
	// twice, and is known by Spare.
	Key   string
	Spare uint64
	// Dataset and Number say how far a dataset has been read when the seed has been
	// taken: a resumed run goes on behind it. "": it is read anew.
	Dataset string
	Number  int64

	// Members are rows that share the request, and Batch names the rule by which its
	// answer is taken apart.
	Members []Member
	Batch   string
}

// Run crawls to the end: until the frontier is drained, the page bound is
// reached, or ctx ends. After ctx ends, what is in flight has Settings.Grace
// to finish and is committed; the rest waits for the next run. An unfinished
// run in the frontier is resumed.
//
// The summary is right whatever the error. Errors wrap ErrStop when storage or
// a sink failed, and context.Canceled when ctx ended.
func (e *Engine) Run(ctx context.Context, seeds iter.Seq2[Seed, error]) (Summary, error) {
	started := e.Clock.Now()
	e.caller = ctx
	c := &committer{engine: e, started: started}
	if err := e.begin(ctx, c); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return c.summary(StatusInterrupted), err
		}
		return c.summary(StatusFailed), err
	}
	defer c.closeSinks()
	var crawled error
	if !e.run.Concluded {
		e.sowing = e.sowSeeds(seeds)
		defer e.sowing.stop()
		more, err := e.sowing.batch(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return c.summary(StatusInterrupted), ctx.Err()
			}
			return c.summary(StatusFailed), err
		}
		crawled = e.crawlAll(ctx, c, more)
	}
	interrupted, err := ctx.Err() != nil, crawled
	if err == nil {
		err = c.end(interrupted)
	}
	switch {
	case errors.Is(err, ErrReaderGone), interrupted && errors.Is(err, context.Canceled):
		return c.summary(StatusInterrupted), err
	case err != nil:
		return c.summary(StatusFailed), err
	case interrupted:
		return c.summary(StatusInterrupted), ctx.Err()
	}
	return c.summary(StatusFinished), nil
}

// crawlAll crawls, and again what a sweep finds to be looked at before the end.
func (e *Engine) crawlAll(ctx context.Context, c *committer, moreSeeds bool) error {
	err := e.crawl(ctx, c, moreSeeds)
	for err == nil && ctx.Err() == nil {
		var more bool
		if more, err = c.sweep(ctx); err != nil || !more {
			break
		}
		err = e.crawl(ctx, c, false)
	}
	return err
}

// leastFinished is how many finished files wait while a batch is committed, where there
// are fewer workers: files are synced by it, and these would stand still meanwhile.
const leastFinished = 64

// waiting is how many finished pages may wait for the committer: as many as make the
// next batch gather while one is committed, so that a disk that is slow to sync does
// not stop the workers at once.
func (e *Engine) waiting() int {
	n := max(e.set.Workers, e.set.BatchPages)
	if e.Files != nil {
		n = max(n, leastFinished)
	}
	return n
}

// crawl runs the workers, the committer, and what adds the rest of the seeds, until
// the workers have nothing left to do or the context ends.
func (e *Engine) crawl(ctx context.Context, c *committer, moreSeeds bool) error {
	e.finished = make(chan finished, e.waiting())
	e.budget = newPageBudget(e.set.MaxPages, c.totals.Pages+c.totals.NotFetched)

	group, running := errgroup.WithContext(context.WithoutCancel(ctx))
	workers, working := errgroup.WithContext(running)
	e.failed = working.Done()
	// leasing ends with the caller's context or the first failure; flight, the
	// context of what has been sent, outlives it by the grace period.
	leasing, stopLeasing := context.WithCancel(working)
	defer stopLeasing()
	flight, stopFlight := context.WithCancel(working)
	defer stopFlight()
	stop := context.AfterFunc(ctx, func() {
		stopLeasing()
		e.budget.stop()
		select {
		case <-e.Clock.After(e.set.Grace):
			stopFlight()
		case <-flight.Done():
		}
	})
	defer stop()
	context.AfterFunc(working, e.budget.stop)

	for range e.set.Workers {
		workers.Go(func() error { return e.work(leasing, flight) })
	}
	group.Go(func() error {
		defer close(e.finished)
		return workers.Wait()
	})
	group.Go(func() error { return c.loop(running) })
	if a := e.accounting; a != nil {
		accounting, stopAccounting := context.WithCancel(running)
		context.AfterFunc(working, stopAccounting)
		group.Go(func() error { return a.loop(accounting) })
	}
	if moreSeeds {
		group.Go(func() error { return e.sowing.rest(leasing) })
	}
	err := group.Wait()
	if err != nil {
		_ = e.accounting.settle() // of what is dropped; the first error says more
	}
	return err
}

// work is one worker: it leases, visits and hands over until there is no more.
func (e *Engine) work(leasing, flight context.Context) error {
	w := &worker{engine: e, fetcher: e.NewFetcher()}
	for {
		if !e.budget.take() {
			return nil
		}
		more := e.sowing.added.Load()
		e.idle.Add(1)
		leases, err := e.Frontier.Lease(leasing, 1)
		if errors.Is(err, ErrDrained) && more != nil {
			select { // only for as long as there are seeds to come
			case <-*more:
			case <-leasing.Done():
			}
			e.idle.Add(-1)
			e.budget.give(false)
			continue
		}
		e.idle.Add(-1)
		if err != nil {
			e.budget.give(false)
			if errors.Is(err, ErrDrained) || leasing.Err() != nil {
				return nil
			}
			return fmt.Errorf("leasing from the frontier: %w", err)
		}
		for i := range leases {
			counted := w.serve(flight, &leases[i])
			w.visit = visit{} // and with it the page
			e.budget.give(counted)
			if w.stop != nil {
				return w.stop
			}
		}
	}
}

// hand gives a finished page to the committer, or drops it when the run has
// failed; a dropped page is leased again by the next run.
func (e *Engine) hand(f finished) {
	e.accounting.add(f.entries)
	f.entries = nil
	select {
	case e.finished <- f:
	case <-e.failed:
		e.Frontier.GiveBack(f.lease)
	}
}
