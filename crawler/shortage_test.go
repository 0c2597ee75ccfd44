package crawler_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// hasty is a clock on which every wait is over at once.
type hasty struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hasty) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hasty) After(d time.Duration) <-chan time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	c := make(chan time.Time, 1)
	c <- h.now
	return c
}

var errShort = fmt.Errorf("%w: %w: socket: too many open files", crawler.ErrNotSent, crawler.ErrShort)

// A connection that could not be opened for want of files is no failure of the
// page or its host, however often it happens.
func TestShortageIsNobodysFault(t *testing.T) {
	r := newRig(t)
	r.clock = &hasty{now: time.Unix(1_750_000_000, 0)}
	r.set.Retries = 0
	r.web.site(host, 3)
	for i := range 3 {
		text := r.web.pages[fmt.Sprintf("%s/%d", host, i)]
		r.web.answers[fmt.Sprintf("%s/%d", host, i)] = func(n int) (*crawler.Response, error) {
			if n < 20 {
				return nil, errShort
			}
			return &crawler.Response{Status: 200, Body: []byte(text)}, nil
		}
	}
	s := r.finish()
	r.exactly(3)
	if s.Pages != 3 || s.Retries != 0 || s.Requests != 7 || s.Errors[crawler.ClassNetwork] != 0 {
		t.Errorf("summary %+v", s)
	}
}

// One that lasts ends the run, which can be resumed.
func TestShortageThatLasts(t *testing.T) {
	r := newRig(t)
	r.clock = &hasty{now: time.Unix(1_750_000_000, 0)}
	r.web.site(host, 3)
	short := true
	r.web.answers[host+"/1"] = func(int) (*crawler.Response, error) {
		if short {
			return nil, errShort
		}
		return &crawler.Response{Status: 200, Body: []byte("record 1")}, nil
	}
	s, err := r.run(t.Context())
	if !errors.Is(err, crawler.ErrStop) || !errors.Is(err, crawler.ErrShort) || s.Status != crawler.StatusFailed {
		t.Fatalf("%s: %v", s.Status, err)
	}
	short = false
	r.finish()
	r.exactly(3)
}
