package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// The pauses between tries.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// told is from when on a wait is told: while it lasts the run stands still, and
// whoever looks on would not know why.
const told = 5 * time.Second

// Clock is the time as pauses need it.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// Retry is how long something is tried again.
type Retry struct {
	Clock    Clock
	Patience time.Duration
	// Passing reports an error that another try may not meet, and how long the other
	// side asked to be left alone.
	Passing func(error) (again bool, after time.Duration)
	Place   string       // of the other side, for people
	Log     *slog.Logger // is told of long waits; nil: nobody is
}

// Persist tries until it succeeds, no other try may help, or patience ends. Its pauses
// double, and are no shorter than the other side asked for.
func (r *Retry) Persist(ctx context.Context, try func() error) error {
	began := r.Clock.Now()
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		again, after := r.Passing(err)
		wait, tried := max(pause, after), r.Clock.Now().Sub(began)
		switch {
		case !again:
			return err
		case after > r.Patience:
			return fmt.Errorf("it asked to be left alone for %s: %w", after.Round(time.Second), err)
		case tried+wait > r.Patience:
			return fmt.Errorf("tried in vain for %s: %w", max(tried, time.Second).Round(time.Second), err)
		}
		if tried+wait >= told && r.Log != nil {
			r.Log.Warn("the run waits for an output", "output", r.Place, "error", err, "again_in", wait, "gives_up_in", r.Patience-tried)
		}
		select {
		case <-r.Clock.After(wait):
		case <-ctx.Done():
		}
	}
}
