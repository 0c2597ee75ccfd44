package crawler_test

import (
	"net/http"
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
