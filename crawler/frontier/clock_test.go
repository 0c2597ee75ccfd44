package frontier

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier/frontiertest"
)

// waitOwed is what a host or a retry still waits in the tests of the clock.
const waitOwed = time.Minute

// owing is a frontier with one request that may leave in a minute: of a host
// that waits, or waiting for another attempt.
func owing(t *testing.T, o Options, clock *frontiertest.Clock, retry bool) *Frontier {
	t.Helper()
	f := mustOpen(t, o)
	r := req(t, "http://h.example/")
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{r}})
	later := clock.Now().Add(waitOwed)
	if !retry {
		mustCommit(t, f, &crawler.Batch{Hosts: map[string]crawler.HostState{r.Host(): {NotBefore: later}}})
		return f
	}
	ls, err := f.Lease(t.Context(), 1)
	if err != nil || len(ls) != 1 {
		t.Fatal(ls, err)
	}
	mustCommit(t, f, &crawler.Batch{Outcomes: []crawler.Outcome{{
		Lease: ls[0].ID, Key: r.Key, Host: r.Host(), Disposition: crawler.Retry, NotBefore: later, Class: crawler.ClassTimeout,
	}}})
	return f
}

// leavesAfter expects the request to leave once d has passed, and not before.
func leavesAfter(t *testing.T, f *Frontier, clock *frontiertest.Clock, d time.Duration) {
	t.Helper()
	lease := func() error {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := f.Lease(ctx, 1)
			done <- err
		}()
		select {
		case err := <-done:
			cancel()
			return err
		case <-time.After(5 * time.Millisecond): // it may only miss a fault
			cancel()
			return <-done
		}
	}
	if d > 0 {
		clock.Advance(d - time.Millisecond)
		if err := lease(); !errors.Is(err, context.Canceled) {
			t.Fatalf("%v too early, leasing gave %v", time.Millisecond, err)
		}
		clock.Advance(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), watchdog)
	defer cancel()
	if ls, err := f.Lease(ctx, 1); err != nil || len(ls) != 1 {
		t.Fatalf("in time, leasing gave %v, %v", ls, err)
	}
}

// A clock that is set neither makes a host wait for a day nor forgets what it
// is owed, but where it was set forward while no process was there.
func TestClockIsSet(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name   string
		jump   time.Duration
		reopen bool
		wait   time.Duration
	}{
		{"back", -day, false, waitOwed},
		{"back between processes", -day, true, waitOwed},
		{"a little back between processes", -time.Second, true, waitOwed},
		{"forward between processes", day, true, 0},
	} {
		for _, retry := range []bool{false, true} {
			name := c.name + ", a host"
			if retry {
				name = c.name + ", a retry"
			}
			t.Run(name, func(t *testing.T) {
				clock := frontiertest.NewClock()
				o := Options{Dir: "/s", Crawl: "shop", FS: vfs.NewMem(), Now: clock.Now, After: clock.After}
				f := owing(t, o, clock, retry)
				if c.reopen {
					if err := f.Close(); err != nil {
						t.Fatal(err)
					}
				}
				clock.Advance(c.jump)
				if c.reopen {
					f = mustOpen(t, o)
				}
				if due := time.Unix(0, f.Stats().NextDueUnix); c.wait > 0 && due.After(clock.Now().Add(c.wait)) {
					t.Errorf("it tells of %v as the next time, now is %v", due, clock.Now())
				}
				leavesAfter(t, f, clock, c.wait)
			})
		}
	}
}

// However a clock without a monotonic reading is set, the frontier's goes on.
func TestClockNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_750_000_000, 0)
		var c clock
		c.start(func() time.Time { return now }, 0)
		last := c.now()
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(-int64(48*time.Hour), int64(48*time.Hour)).Draw(t, "jump")))
			if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
				c.start(func() time.Time { return now }, last)
			}
			at := c.now()
			if at < last {
				t.Fatalf("from %d to %d", last, at)
			}
			last = at
			owed := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "owed"))
			if got := c.inside(now.Add(owed)); got != at+int64(owed) {
				t.Fatalf("%v from now is %d, now is %d", owed, got, at)
			}
			if got := c.outside(at + int64(owed)); !got.Equal(now.Add(owed)) {
				t.Fatalf("%v from now is told as %v, now is %v", owed, got, now)
			}
		}
		if c.inside(time.Time{}) != 0 || !c.outside(0).IsZero() || c.inside(time.Unix(1<<40, 0)) != lastTime {
			t.Fatalf("the ends of time are not kept")
		}
	})
}
