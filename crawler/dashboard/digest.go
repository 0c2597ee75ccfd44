package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/monitor"
)

// recent is how many runs of a crawl the overview shows.
const recent = 20

// oneRun asks for the latest run of all.
var oneRun = history.Filter{Limit: 1}

// errBusy means that too many look at the history.
var errBusy = errors.New("too many look at the same time: try again")

// Bar is a run that ended, in short.
type Bar struct {
	Number  int64          `json:"number"`
	Status  history.Status `json:"status"`
	Reason  string         `json:"reason,omitempty"`
	Started time.Time      `json:"started,omitzero"`
	Ended   time.Time      `json:"ended,omitzero"`
	Pages   int64          `json:"pages"`
	Records int64          `json:"records"`
	Revisit *revisited     `json:"revisit,omitempty"`
}

// seen is how many pages the run dealt with, those among them that were not fetched
// again as they had not changed.
func (b *Bar) seen() int64 {
	return seen(b.Pages, b.Revisit)
}

// Took is how long the run took.
func (b Bar) Took() time.Duration {
	if b.Started.IsZero() || b.Ended.Before(b.Started) {
		return 0
	}
	return b.Ended.Sub(b.Started)
}

// digests keep the latest runs of each crawl until one more has begun or ended:
// the history is not read at every look.
type digests struct {
	mu    sync.Mutex
	known map[string]digest
}

type digest struct {
	of   stage
	bars []Bar // the latest first
}

// stage changes whenever a run begins or ends, and when the history has what it lacked.
type stage struct {
	running, ended int64
	unkept         string
}

func stageOf(s *daemon.Status) stage {
	at := stage{running: s.Running, unkept: s.Unkept}
	for _, n := range s.Ended {
		at.ended += n
	}
	return at
}

// recentOf gives the latest runs of a crawl that have ended, the latest first.
func (s *Server) recentOf(ctx context.Context, c *daemon.Status) ([]Bar, error) {
	at := stageOf(c)
	s.digests.mu.Lock()
	d, known := s.digests.known[c.Name]
	s.digests.mu.Unlock()
	if known && d.of == at {
		return d.bars, nil
	}
	runs, err := s.list(ctx, history.Filter{Crawl: c.Name, Whole: true, Limit: recent + 1})
	if err != nil {
		return nil, err
	}
	bars := make([]Bar, 0, recent)
	for i := range runs {
		if over(runs[i].Status) && len(bars) < recent {
			bars = append(bars, barOf(&runs[i]))
		}
	}
	s.digests.mu.Lock()
	defer s.digests.mu.Unlock()
	s.digests.known[c.Name] = digest{at, bars}
	return bars, nil
}

// over reports whether a run has ended for good: one that was suspended goes on.
func over(s history.Status) bool {
	return s == history.Finished || s == history.Stopped || s == history.Failed
}

// forget drops what is kept of crawls that are no more.
func (s *Server) forget(present []daemon.Status) {
	names := make(map[string]bool, len(present))
	for i := range present {
		names[present[i].Name] = true
	}
	s.digests.mu.Lock()
	defer s.digests.mu.Unlock()
	maps.DeleteFunc(s.digests.known, func(name string, _ digest) bool { return !names[name] })
}

func barOf(r *history.Run) Bar {
	b := Bar{Number: r.Number, Status: r.Status, Reason: r.Reason, Started: r.Started, Ended: r.Ended}
	var told struct {
		Pages   int64            `json:"pages"`
		Records map[string]int64 `json:"records"`
		Revisit *revisited       `json:"revisit"`
	}
	if json.Unmarshal(r.Summary, &told) == nil { // a run that could not begin has none
		b.Pages, b.Revisit = told.Pages, told.Revisit
		for _, n := range told.Records {
			b.Records += n
		}
	}
	return b
}

// list asks the history, a few at a time and not for long.
func (s *Server) list(ctx context.Context, f history.Filter) (runs []history.Run, err error) {
	err = s.look(ctx, func(ctx context.Context) (err error) {
		runs, err = s.opt.History.List(ctx, f)
		return err
	})
	return runs, err
}

func (s *Server) look(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, queryIn)
	defer cancel()
	select {
	case s.looks <- struct{}{}:
		defer func() { <-s.looks }()
		return do(ctx)
	case <-ctx.Done():
		return errBusy
	}
}

// standings are the crawls as the metrics have them.
func (s *Server) standings() []monitor.Standing {
	crawls := s.opt.Daemon.Status()
	s.forget(crawls)
	all := make([]monitor.Standing, 0, len(crawls))
	for i := range crawls {
		c := &crawls[i]
		m := monitor.Standing{Crawl: c.Name, Running: c.Running != 0, Paused: c.Paused, Unkept: c.Unkept != "", Next: c.Next, Ended: map[string]int64{}}
		for status, n := range c.Ended {
			m.Ended[string(status)] = n
		}
		// A history that cannot be read leaves gaps; readyz tells of it.
		if bars, err := s.recentOf(context.Background(), c); err == nil && len(bars) > 0 {
			m.LastEnded, m.LastTook, m.LastGood = bars[0].Ended, bars[0].Took(), bars[0].Status == history.Finished
		}
		all = append(all, m)
	}
	return all
}
