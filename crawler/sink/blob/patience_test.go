package blob

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
)

// The wait for its turn counts to the patience with an output; a request that is under way
// then has the time of its try.
func TestPatienceIsForTurnsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{clock: crawler.SystemClock{}, timeout: 4 * time.Minute, patience: 5 * time.Minute}
		s.guard = func(ctx context.Context, _ string, _ bucket.Exchange, _ func(context.Context) error) error {
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()
		err := s.persist(t.Context(), func(ctx context.Context) error {
			time.Sleep(3 * time.Minute) // what the first request of the try took
			return s.ask(ctx, "PUT", "key", func(context.Context) error { return nil })
		})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 4*time.Minute {
			t.Errorf("%v after %v", err, took)
		}
		s.timeout = 8 * time.Minute
		began = time.Now()
		err = s.persist(t.Context(), func(ctx context.Context) error {
			return s.ask(ctx, "PUT", "key", func(context.Context) error { return nil })
		})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Minute {
			t.Errorf("%v after %v", err, took)
		}
		s.guard = func(ctx context.Context, _ string, _ bucket.Exchange, do func(context.Context) error) error {
			return do(ctx)
		}
		for _, sleep := range []time.Duration{7 * time.Minute, 9 * time.Minute} {
			err = s.persist(t.Context(), func(ctx context.Context) error {
				return s.ask(ctx, "PUT", "key", func(ctx context.Context) error {
					select {
					case <-time.After(sleep):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
			})
			if late := sleep > s.timeout; late != (err != nil) {
				t.Errorf("a request of %v: %v", sleep, err)
			}
		}
	})
}
