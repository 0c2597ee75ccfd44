package frontier

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier/frontiertest"
)

// leasing leases in the background.
func leasing(t *testing.T, f *Frontier, got chan<- crawler.Lease) {
	t.Helper()
	before := waitingIn(f)
	go func() {
		leases, err := f.Lease(t.Context(), 1)
		if err != nil {
			t.Error(err)
			close(got)
			return
		}
		got <- leases[0]
	}()
	for waitingIn(f) == before {
		time.Sleep(time.Millisecond) // until it waits
	}
}

func waitingIn(f *Frontier) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.lessees)
}

// Of those who wait, one is woken for a host that is free. When that one leaves, who
// is left knows when the next host is due, though it began to wait before anybody did.
func TestWhoIsLeftWaitsRightly(t *testing.T) {
	clock := frontiertest.NewClock()
	f := mustOpen(t, Options{Dir: "/s", FS: vfs.NewMem(), Now: clock.Now, After: clock.After})
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{
		req(t, "http://x.example/1"), req(t, "http://x.example/2"), req(t, "http://y.example/1"), req(t, "http://y.example/2"),
	}})
	out := map[string]crawler.Lease{}
	for range 2 { // one of each host, whose bound is one
		leases, err := f.Lease(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		out[leases[0].Host()] = leases[0]
	}
	got := make(chan crawler.Lease, 2)
	leasing(t, f, got) // waits for an event: nothing has a time
	leasing(t, f, got) // and will be woken first
	f.Free(out["http://x.example"].ID, crawler.HostState{NotBefore: clock.Now().Add(10 * time.Second), Concurrency: 1})
	for waitingIn(f) != 2 {
		time.Sleep(time.Millisecond)
	}
	f.Free(out["http://y.example"].ID, crawler.HostState{Concurrency: 1})
	if l := <-got; l.Host() != "http://y.example" {
		t.Fatalf("leased %s", l.URL)
	}
	for range 500 {
		clock.Advance(10 * time.Second) // again where the other has not looked at the clock yet
		select {
		case l := <-got:
			if l.Host() != "http://x.example" {
				t.Errorf("leased %s", l.URL)
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("nobody leases what is due")
}

// However many wait, all that can be leased is leased, and all hear of the end.
func TestManyWait(t *testing.T) {
	f := mustOpen(t, Options{Dir: "/s", FS: vfs.NewMem()})
	const pages, workers = 200, 50
	b := &crawler.Batch{}
	for i := range pages {
		b.Found = append(b.Found, req(t, hostName(i%7)+"/"+string(rune('a'+i%26))+hostName(i)))
	}
	mustCommit(t, f, b)
	var wait sync.WaitGroup
	var mu sync.Mutex
	served := 0
	for range workers {
		wait.Go(func() {
			for {
				leases, err := f.Lease(t.Context(), 1)
				if errors.Is(err, crawler.ErrDrained) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				f.Free(leases[0].ID, crawler.HostState{Concurrency: 2})
				if _, err := f.Commit(t.Context(), &crawler.Batch{Outcomes: []crawler.Outcome{{Lease: leases[0].ID, Class: crawler.ClassFetched}}}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				served++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if served != pages {
		t.Errorf("%d of %d were leased", served, pages)
	}
}
