package crawler

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// How a run bears that this machine has no more files to open.
const (
	// shortPause is how long a worker that could not connect stands aside, so
	// that others end what they have open.
	shortPause = 250 * time.Millisecond
	// shortMost is how long nothing may be fetched for this reason alone.
	shortMost = time.Minute
)

// shortage remembers since when nothing could be sent for want of files. It is
// no host's fault, so no host and no URL is charged for it.
type shortage struct {
	since atomic.Int64 // Unix nanoseconds, 0 while there is none
}

// over tells that something was fetched.
func (s *shortage) over() {
	if s.since.Load() != 0 {
		s.since.Store(0)
	}
}

// wait stands aside. Its error ends the run, which can be resumed.
func (s *shortage) wait(ctx context.Context, clock Clock, cause error) error {
	now := clock.Now()
	s.since.CompareAndSwap(0, now.UnixNano())
	if since := s.since.Load(); since != 0 && now.Sub(time.Unix(0, since)) > shortMost {
		return fmt.Errorf("nothing could be fetched for %v: %w: %w", shortMost, ErrStop, cause)
	}
	select {
	case <-clock.After(shortPause):
	case <-ctx.Done():
	}
	return nil
}
