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
	f := mustOpen(t, Options{Dir: t.TempDir(), Now: clock.Now, After: clock.After, MaxHosts: 2})
	add := func(host string, spacing time.Duration, pages ...string) {
		b := crawler.Batch{Hosts: map[string]crawler.HostState{host: {Spacing: spacing}}}
		for _, p := range pages {
			b.Found = append(b.Found, req(t, host+p))
		}
		mustCommit(t, f, &b)
		clock.Advance(time.Second)
	}
	settle := func(n int, want ...string) {
		t.Helper()
		ls, err := f.Lease(t.Context(), n)
		if err != nil || len(ls) != len(want) {
			t.Fatalf("leased %v, %v, want %v", ls, err, want)
		}
		var b crawler.Batch
		for i, l := range ls {
			if l.Host() != want[i] {
				t.Fatalf("leased %s, want %s", l.URL, want[i])
			}
			b.Outcomes = append(b.Outcomes, crawler.Outcome{Lease: l.ID})
		}
		mustCommit(t, f, &b)
	}
	const first, second, disk, last = "https://a.example", "https://b.example", "https://y.example", "https://x.example"
	add(first, 0, "/1")
	add(second, time.Minute, "/1", "/2")
	add(disk, time.Minute, "/1", "/2") // no room
	settle(1, first)
	add(last, time.Minute, "/1", "/2") // takes the room, marked after disk
	settle(1, second)
	ls, err := f.Lease(t.Context(), 1)
	if err != nil || ls[0].Host() != last {
		t.Fatalf("leased %v, %v", ls, err)
	}
	f.GiveBack(ls[0].ID) // what the disk does not know: last has to wait
	settle(2, disk)      // last goes out for it
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

// TestEnterDuringCommit: a host loaded while a commit writes its state starts
// from that state, though the store may still show the older one.
func TestEnterDuringCommit(t *testing.T) {
	f := mustOpen(t, Options{Dir: t.TempDir()})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = map[uint64]*hostState{7: {notBefore: 99, concurrency: 3}}
	h := f.enter(7, &hostRecord{name: "https://h.example", state: hostState{notBefore: 5, concurrency: 1}})
	if h.state.notBefore != 99 || h.state.concurrency != 3 {
		t.Errorf("entered with %+v", h.state)
	}
	f.leave(h)
}
