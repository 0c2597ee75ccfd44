package outbox

import (
	"context"
	"fmt"
	"time"
)

// The pauses between tries.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// Clock is the time as pauses need it.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// Persist tries until it succeeds, again is false for the error, or patience ends. Its
// pauses double, and are no shorter than after, which the other side asked for.
func Persist(ctx context.Context, clock Clock, patience time.Duration, try func() error, passing func(error) (again bool, after time.Duration)) error {
	began := clock.Now()
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		again, after := passing(err)
		wait, tried := max(pause, after), clock.Now().Sub(began)
		switch {
		case !again:
			return err
		case after > patience:
			return fmt.Errorf("it asked to be left alone for %s: %w", after.Round(time.Second), err)
		case tried+wait > patience:
			return fmt.Errorf("tried in vain for %s: %w", max(tried, time.Second).Round(time.Second), err)
		}
		select {
		case <-clock.After(wait):
		case <-ctx.Done():
		}
	}
}
