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

// TestPutOutOnce: a host put out while its old mark lies further on in the same
// step is not read back with the state it had before.
func TestPutOutOnce(t *testing.T) {
	clock := frontiertest.NewClock()
	o := Options{Dir: t.TempDir(), Crawl: "shop", Now: clock.Now, After: clock.After, MaxHosts: 1}
	f := mustOpen(t, o)
	for i := range 3 {
		mustCommit(t, f, &crawler.Batch{
			Found: []crawler.Request{req(t, hostName(i)+"/1"), req(t, hostName(i)+"/2")},
			Hosts: map[string]crawler.HostState{hostName(i): {Spacing: time.Minute}},
		})
		clock.Advance(time.Second)
	}
	for range 3 { // each host once, then none for a minute
		ls, err := f.Lease(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		mustCommit(t, f, &crawler.Batch{Outcomes: []crawler.Outcome{{Lease: ls[0].ID}}})
	}
	for i := range 3 {
		s, err := f.Lookup(hostName(i), req(t, hostName(i)+"/1").Key)
		if err != nil || s.State != "settled" || s.Host.NotBefore.Before(clock.Now().Add(time.Minute)) {
			t.Errorf("%s: %+v, %v", hostName(i), s, err)
		}
	}
}

// TestAddTwice: rows of a commit under way may be read, and leased, before the
// commit adds them.
func TestAddTwice(t *testing.T) {
	f := mustOpen(t, Options{Dir: t.TempDir()})
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://h.example/1"), req(t, "https://h.example/2")}})
	ls, err := f.Lease(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	l := f.leases[ls[0].ID]
	for _, it := range []item{l.item, l.host.buf[0]} {
		f.add(l.host, it)
	}
	if n := len(l.host.buf); n != 1 || f.buffered != 1 {
		t.Errorf("%d requests are buffered, counted as %d, want the one that is not leased", n, f.buffered)
	}
}

// TestReadPastLeased: better requests push the covered part back to before one
// that is out; reading on passes it over.
func TestReadPastLeased(t *testing.T) {
	f := mustOpen(t, Options{Dir: t.TempDir(), MaxBuffered: 2})
	late := req(t, "https://h.example/late")
	late.Priority = 9
	mustCommit(t, f, &crawler.Batch{
		Found: []crawler.Request{late},
		Hosts: map[string]crawler.HostState{"https://h.example": {Concurrency: 100}},
	})
	if ls, err := f.Lease(t.Context(), 9); err != nil || len(ls) != 1 {
		t.Fatalf("%v, %v", ls, err)
	}
	b := crawler.Batch{}
	for i := range 8 {
		b.Found = append(b.Found, req(t, fmt.Sprintf("https://h.example/%d", i)))
	}
	mustCommit(t, f, &b)
	ls, err := f.Lease(t.Context(), 100)
	if err != nil || len(ls) != 8 {
		t.Errorf("leased %d of 8, %v", len(ls), err)
	}
	for _, l := range ls {
		if l.Key == late.Key {
			t.Error("a request left twice")
		}
	}
}
