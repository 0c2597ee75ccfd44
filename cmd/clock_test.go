package cmd

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/execution"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/monitor"
	"github.com/amblecrawl/amble/fixtures"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// wall is a wall clock that somebody sets again and again. Within a process the
// other parts go by the monotonic clock, which nobody sets; what reaches the
// frontier goes through wall times.
type wall struct{ offset atomic.Int64 }

func (w *wall) Now() time.Time { return w.at(time.Now()) }

func (w *wall) at(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Round(0).Add(time.Duration(w.offset.Load()))
}

// onWall is a frontier whose times are those of a wall clock.
type onWall struct {
	crawler.Frontier
	wall *wall
}

func (f onWall) Free(lease uint64, s crawler.HostState) {
	s.NotBefore = f.wall.at(s.NotBefore)
	f.Frontier.Free(lease, s)
}

func (f onWall) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	for host, s := range b.Hosts {
		s.NotBefore = f.wall.at(s.NotBefore)
		b.Hosts[host] = s
	}
	for i := range b.Outcomes {
		b.Outcomes[i].NotBefore = f.wall.at(b.Outcomes[i].NotBefore)
	}
	return f.Frontier.Commit(ctx, b)
}

// TestClockIsSetWhileCrawling sets the clock a day ahead and back again and
// again while engine, gate, ledger and frontier crawl. Nobody waits for a day,
// no host is asked too soon, and the account shows it.
func TestClockIsSetWhileCrawling(t *testing.T) {
	t.Parallel()
	const delay = 20 * time.Millisecond
	c := newFixtureCrawl(t, killConfig, fixtures.Options{Hosts: []string{"quotes.example", "news.example"}})
	secret := func(string) (string, bool) { return killSecret, true }
	cfg, problems := config.Load(c.config, config.Options{Env: secret, Set: []string{
		"politeness.delay=" + delay.String(), "seeds=[http://quotes.example/, http://news.example/]", "scope.max_pages=60",
		"output=[{jsonl: '{type}.jsonl'}]",
	}})
	if problems.Failed() {
		t.Fatal(problems)
	}
	clock := &wall{}
	store, err := frontier.Open(frontier.Options{Dir: cfg.State, Crawl: cfg.Name, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	f := onWall{store, clock}
	log := slog.New(slog.DiscardHandler)
	crawl, err := crawl.New(cfg, log, crawl.Past{Hosts: polite.Memory{State: f}})
	if err != nil {
		t.Fatal(err)
	}
	defer crawl.Close()
	if err := crawl.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	book, err := polite.OpenLedger(cfg, cfg.State, "run", false)
	if err != nil {
		t.Fatal(err)
	}
	parts := execution.Parts(crawl, f, monitor.New(time.Now), book, nil, &execution.Answers{})
	var jumps atomic.Int64
	parts.Observer.Exchanged = func(crawler.Exchange) {
		n := jumps.Add(1)
		day := int64(24 * time.Hour)
		clock.offset.Store([]int64{day, 0, -day, -2 * day, day / 24, 0, -day / 24, 3 * day}[n%8])
	}
	engine, err := crawler.New(parts, cfg.Settings())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := engine.Run(ctx, cfg.EachSeed())
	if err != nil || s.Pages != 60 || s.Failed != 0 {
		t.Fatalf("%v: %+v", err, s)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	judgeManners(t, c.web, "killbot", delay, 1)
	report, err := ledger.Audit(t.Context(), filepath.Join(cfg.State, "ledger"), ledger.Rules{})
	if err != nil || report.Found > 0 {
		t.Errorf("the account does not hold: %v, %+v", err, report)
	}
	tell(t, "clock set by an hour to five days while crawling", int(jumps.Load()))
}
