package frontier

import (
	"fmt"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier/frontiertest"
)

// TestFarFuture fills the state with hosts that must wait for an hour, many
// times the working set, before and after hosts that need not wait: those leave
// all the same, memory keeps its bounds, and after the hour the rest leaves.
func TestFarFuture(t *testing.T) {
	clock := frontiertest.NewClock()
	o := Options{Dir: t.TempDir(), Crawl: "shop", Now: clock.Now, After: clock.After, MaxHosts: 10, MaxBuffered: 20}
	f := mustOpen(t, o)
	const each = 200
	later := clock.Now().Add(time.Hour)
	for i := range 3 * each {
		b := crawler.Batch{Hosts: map[string]crawler.HostState{}}
		for j := range 3 {
			b.Found = append(b.Found, req(t, fmt.Sprintf("%s/%d", hostName(i), j)))
		}
		if i/each != 1 {
			b.Hosts[hostName(i)] = crawler.HostState{NotBefore: later, Concurrency: 1}
		}
		mustCommit(t, f, &b)
	}
	for round := range 2 {
		if round == 1 {
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			f = mustOpen(t, o)
			clock.Advance(time.Hour)
		}
		want := 3 * each * (1 + round)
		for n := 0; n < want; {
			ls, err := f.Lease(t.Context(), 8)
			if err != nil {
				t.Fatal(err)
			}
			var b crawler.Batch
			for _, l := range ls {
				b.Outcomes = append(b.Outcomes, crawler.Outcome{Lease: l.ID, Class: crawler.ClassFetched})
			}
			mustCommit(t, f, &b)
			n += len(ls)
			if len(f.hosts) > o.MaxHosts || f.buffered > o.MaxBuffered+o.MaxHosts {
				t.Fatalf("%d hosts and %d requests in memory", len(f.hosts), f.buffered)
			}
		}
		if due := f.Stats().NextDueUnix; round == 0 && due != later.UnixNano() {
			t.Errorf("next due %d, want %d", due, later.UnixNano())
		}
	}
	if s := f.Stats(); s.Queued != 0 || s.Settled != 9*each {
		t.Errorf("%+v", s)
	}
}

// TestLeaseDuringCommit: a lease does not wait for the disk.
func TestLeaseDuringCommit(t *testing.T) {
	f := mustOpen(t, Options{Dir: t.TempDir()})
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://h.example/")}})
	f.mu.Lock()
	if err := f.beginWrite(t.Context()); err != nil { // as a commit that the disk keeps
		t.Fatal(err)
	}
	f.mu.Unlock()
	ls, err := f.Lease(t.Context(), 1)
	if err != nil || len(ls) != 1 {
		t.Fatalf("lease: %v, %v", ls, err)
	}
	f.mu.Lock()
	f.endWrite()
	f.mu.Unlock()
}
