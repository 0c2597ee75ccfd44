package crawler_test

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// impatient is a clock that stands still and whose every wait is over at once.
type impatient struct{}

func (impatient) Now() time.Time { return time.Unix(1_750_000_000, 0) }

func (impatient) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

// A batch that idle workers have nothing of waits for company; one that leads to
// pages does not, and neither does the last one.
func TestWhatNobodyWaitsForKeepsCompany(t *testing.T) {
	for _, c := range []struct {
		name, page string
		early      bool
		pages      int64
	}{
		{"without links", "record 1", false, 2},
		{"with a link", "record 1\nlink /2", true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.clock, r.set.BatchInterval = impatient{}, time.Hour
			r.seeds = []string{host + "/1", host + "/slow"}
			r.web.pages[host+"/1"], r.web.pages[host+"/2"] = c.page, "record 2"
			var settled, committed atomic.Int64
			r.observer = crawler.Observer{
				Settled:   func(*crawler.Request, crawler.Outcome, int) { settled.Add(1) },
				Committed: func(totals crawler.Totals, _ crawler.FrontierStats) { committed.Store(totals.Pages) },
			}
			r.web.answers[host+"/slow"] = func(int) (*crawler.Response, error) {
				for settled.Load() == 0 {
					time.Sleep(time.Millisecond)
				}
				for range 100 { // long enough, where there is something to see
					if committed.Load() > 0 {
						break
					}
					time.Sleep(time.Millisecond)
				}
				if early := committed.Load() > 0; early != c.early {
					t.Errorf("the batch was committed before the last page was there: %t", early)
				}
				return status(http.StatusOK), nil
			}
			if s := r.finish(); s.Pages != c.pages {
				t.Errorf("%d pages, not %d", s.Pages, c.pages)
			}
		})
	}
}

// settable is an impatient clock that can be set.
type settable struct {
	impatient
	now atomic.Int64
}

func (s *settable) Now() time.Time { return time.Unix(0, s.now.Load()) }

// What a kill costs is bounded by time: a finished page waits for its batch no longer
// than the interval, whatever else is under way.
func TestFinishedPagesAreCommittedInTime(t *testing.T) {
	r := newRig(t)
	clock := &settable{}
	r.clock, r.set.BatchInterval = clock, time.Hour
	r.seeds = []string{host + "/1", host + "/slow"}
	r.web.pages[host+"/1"] = "record 1"
	var settled, committed atomic.Int64
	r.observer = crawler.Observer{
		Settled:   func(*crawler.Request, crawler.Outcome, int) { settled.Add(1) },
		Committed: func(totals crawler.Totals, _ crawler.FrontierStats) { committed.Store(totals.Pages) },
	}
	r.web.answers[host+"/slow"] = func(int) (*crawler.Response, error) {
		for settled.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		for tries := 0; committed.Load() == 0 && tries < 20_000; tries++ {
			clock.now.Add(int64(time.Hour)) // again, for the page is handed over after it is settled
			time.Sleep(time.Millisecond)
		}
		if committed.Load() == 0 {
			t.Error("a finished page waits for a slow one")
		}
		return status(http.StatusOK), nil
	}
	if s := r.finish(); s.Pages != 2 {
		t.Errorf("%d pages", s.Pages)
	}
}

// And by count: while a batch is written, as many as make the next one are asked for, and
// those that workers hold.
func TestUncommittedPagesAreBounded(t *testing.T) {
	r := newRig(t)
	r.set.Workers, r.set.BatchPages = 4, 10
	const most = 10 + 10 + 4
	var served atomic.Int64
	r.seeds = nil
	for i := range 100 {
		at := host + "/" + strconv.Itoa(i)
		r.seeds = append(r.seeds, at)
		r.web.answers[at] = func(int) (*crawler.Response, error) {
			served.Add(1)
			return status(http.StatusOK), nil
		}
	}
	var before int64 // committed
	r.wrap = func(f crawler.Frontier) crawler.Frontier {
		return committing{f, func(b *crawler.Batch) {
			if len(b.Outcomes) == 0 {
				return
			}
			for range 50 { // they have time to go too far
				time.Sleep(time.Millisecond)
			}
			if n := served.Load() - before; n > most {
				t.Errorf("%d pages are not committed, more than %d", n, most)
			}
			before += int64(len(b.Outcomes))
		}}
	}
	if s := r.finish(); s.Requests != 100 {
		t.Errorf("%d requests", s.Requests)
	}
}
