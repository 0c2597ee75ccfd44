package frontiertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// machine steps a frontier and the model together.
type machine struct {
	h Harness
	f crawler.Frontier
	w *world
}

func newMachine(t *rapid.T, h Harness) *machine {
	return &machine{h: h, f: open(t, h), w: newWorld()}
}

func (m *machine) close() {
	if m.f != nil {
		_ = m.f.Close()
	}
}

const (
	hostCount = 5
	pathCount = 7
	// briefly is how long a Lease that must wait is watched. It can only make
	// the test miss a fault, never report one.
	briefly = 500 * time.Microsecond
)

func drawRequest(t *rapid.T) crawler.Request {
	r := request(t, fmt.Sprintf("https://h%d.example/p%d",
		rapid.IntRange(0, hostCount-1).Draw(t, "host"), rapid.IntRange(0, pathCount-1).Draw(t, "path")))
	r.Priority = rapid.Uint8Range(0, 2).Draw(t, "priority")
	r.Depth = rapid.Uint16Range(0, 2).Draw(t, "depth")
	r.Through = rapid.Uint8Range(0, 2).Draw(t, "through")
	drawGiven(t, &r)
	return r
}

func (m *machine) drawState(t *rapid.T) crawler.HostState {
	s := crawler.HostState{Concurrency: rapid.IntRange(0, 3).Draw(t, "concurrency")}
	s.NotBefore = m.h.Clock.Now().Add(time.Duration(rapid.IntRange(-1, 3).Draw(t, "wait")) * time.Second)
	s.Spacing = time.Duration(rapid.IntRange(0, 2).Draw(t, "spacing")) * 500 * time.Millisecond
	return s
}

// drawBatch settles some of the leases and finds some requests.
func (m *machine) drawBatch(t *rapid.T) *crawler.Batch {
	b := &crawler.Batch{Hosts: map[string]crawler.HostState{}, Put: map[string][]byte{}}
	for _, e := range m.w.leases() {
		switch rapid.IntRange(0, 4).Draw(t, "end") {
		case 0, 1, 2:
			o := crawler.Outcome{Lease: e.lease, Key: e.req.Key, Host: e.req.Host(), Class: crawler.ClassFetched, Status: 200}
			if rapid.IntRange(0, 3).Draw(t, "retry") == 0 {
				o.Disposition, o.Class, o.Status, o.Detail = crawler.Retry, crawler.ClassHTTP5xx, 503, "come back later"
				o.NotBefore = m.h.Clock.Now().Add(time.Duration(rapid.IntRange(-1, 4).Draw(t, "due")) * time.Second)
			}
			b.Outcomes = append(b.Outcomes, o)
		}
	}
	b.Found = rapid.SliceOfN(rapid.Custom(drawRequest), 0, 6).Draw(t, "found")
	for _, name := range slices.Sorted(maps.Keys(m.w.hosts)) {
		if h := m.w.hosts[name]; rapid.IntRange(0, 3).Draw(t, "keep") == 0 {
			b.Hosts[name] = h.state // told by Free: the batch carries what is known
			if !h.told {
				b.Hosts[name] = m.drawState(t)
			}
		}
	}
	b.Put[rapid.SampledFrom([]string{"a", "b", "sink"}).Draw(t, "name")] = rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "value")
	if rapid.IntRange(0, 3).Draw(t, "take away") == 0 {
		b.Put[rapid.SampledFrom([]string{"a", "b", "never"}).Draw(t, "name")] = nil
	}
	b.Put["batch"] = []byte{m.w.batch + 1}
	return b
}

func (m *machine) commit(t *rapid.T) { m.commitBatch(t, m.drawBatch(t)) }

func (m *machine) seed(t *rapid.T) {
	m.commitBatch(t, &crawler.Batch{Found: rapid.SliceOfN(rapid.Custom(drawRequest), 1, 5).Draw(t, "seeds")})
}

func (m *machine) commitBatch(t *rapid.T, b *crawler.Batch) {
	got, err := m.f.Commit(context.Background(), b)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	if want := m.w.commit(b); got != want {
		t.Fatalf("commit of %d found said %+v, want %+v", len(b.Found), got, want)
	}
	if n, ok := b.Put["batch"]; ok {
		m.w.batch = n[0]
	}
}

func (m *machine) lease(t *rapid.T) {
	n := rapid.IntRange(1, 4).Draw(t, "n")
	now := m.h.Clock.Now()
	switch s := m.w.stats(); {
	case s.Settled == s.Seen:
		if ls, err := m.f.Lease(context.Background(), n); !errors.Is(err, crawler.ErrDrained) {
			t.Fatalf("drained, but leased %v, %v", ls, err)
		}
	case m.w.leasable(now, m.h.MaxHosts):
		ctx, cancel := context.WithTimeout(context.Background(), watchdog)
		defer cancel()
		ls, err := m.f.Lease(ctx, n)
		m.accept(t, ls, err, n)
	default:
		ctx, cancel := context.WithTimeout(context.Background(), briefly)
		defer cancel()
		if ls, err := m.f.Lease(ctx, n); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("nothing may leave, but leased %v, %v", ls, err)
		}
	}
}

// accept checks leases one by one and enters them in the model.
func (m *machine) accept(t *rapid.T, ls []crawler.Lease, err error, n int) {
	if err != nil || len(ls) == 0 || len(ls) > n {
		t.Fatalf("lease(%d) gave %d: %v", n, len(ls), err)
	}
	now := m.h.Clock.Now()
	for _, l := range ls {
		e, known := m.w.entries[l.Key]
		name := l.Host()
		h := m.w.hosts[name]
		switch {
		case !known:
			t.Fatalf("leased %s, which was never found", l.URL)
		case !e.available(now):
			t.Fatalf("leased %s, which is %s (lease %d, due %v, now %v)", l.URL, e.state, e.lease, e.due, now)
		case h.out >= max(h.state.Concurrency, 1):
			t.Fatalf("leased %s with %d of %d out", l.URL, h.out, h.state.Concurrency)
		case h.state.NotBefore.After(now):
			t.Fatalf("leased %s at %v, not before %v", l.URL, now, h.state.NotBefore)
		case !reflect.DeepEqual(l.Request, e.req):
			t.Fatalf("leased %+v, want %+v", l.Request, e.req)
		case l.ID == 0:
			t.Fatalf("lease of %s has no ID", l.URL)
		}
		for _, o := range m.w.entries {
			if !e.retried && !o.retried && o.available(now) && o.req.Host() == name && o.before(&e) {
				t.Fatalf("leased %s before %s", l.URL, o.req.URL)
			}
			if o.lease == l.ID {
				t.Fatalf("two leases have the ID %d", l.ID)
			}
		}
		e.lease = l.ID
		m.w.entries[l.Key] = e
		h.out++
		h.held++
		if h.state.Spacing > 0 {
			if h.state.NotBefore.Before(now) {
				h.state.NotBefore = now
			}
			h.state.NotBefore = h.state.NotBefore.Add(h.state.Spacing)
		}
		m.w.hosts[name] = h
	}
}

func (m *machine) drawLease(t *rapid.T) entry {
	ls := m.w.leases()
	if len(ls) == 0 {
		t.Skip("nothing is out")
	}
	return rapid.SampledFrom(ls).Draw(t, "lease")
}

func (m *machine) free(t *rapid.T) {
	e := m.drawLease(t)
	s := m.drawState(t)
	m.f.Free(e.lease, s)
	if !e.freed {
		h := m.w.hosts[e.req.Host()]
		h.state, h.told = s, true
		if s.NotBefore.Before(h.owed) {
			h.owed = s.NotBefore // the owner of time may let a host off
		}
		m.w.hosts[e.req.Host()] = h
		m.w.free(&e)
		m.w.entries[e.req.Key] = e
	}
}

func (m *machine) giveBack(t *rapid.T) {
	e := m.drawLease(t)
	m.f.GiveBack(e.lease, e.lease)
	m.w.release(&e)
	m.w.entries[e.req.Key] = e
}

// lost: a batch with leases that are not out is refused as a whole.
func (m *machine) lost(t *rapid.T) {
	b := m.drawBatch(t)
	stray := uint64(1 << 60)
	b.Outcomes = append(b.Outcomes, crawler.Outcome{Lease: stray})
	_, err := m.f.Commit(context.Background(), b)
	var lost *crawler.LostError
	if !errors.As(err, &lost) || !slices.Equal(lost.Leases, []uint64{stray}) {
		t.Fatalf("a batch with a stray lease gave %v", err)
	}
}

func (m *machine) advance(t *rapid.T) {
	m.h.Clock.Advance(time.Duration(rapid.IntRange(1, 8).Draw(t, "half seconds")) * 500 * time.Millisecond)
}

// check compares counts, values and standings after every step.
func (m *machine) check(t *rapid.T) {
	got := m.f.Stats()
	got.Waiting, got.NextDueUnix = 0, 0
	if want := m.w.stats(); got != want {
		t.Fatalf("counts %+v, want %+v", got, want)
	}
	for _, name := range []string{"a", "b", "sink", "batch", "never"} {
		v, err := m.f.Get(name)
		if err != nil || string(v) != string(m.w.puts[name]) || (v == nil) != (m.w.puts[name] == nil) {
			t.Fatalf("value %s is %v, %v; want %v", name, v, err, m.w.puts[name])
		}
	}
	for _, e := range m.w.entries {
		s, err := m.f.Lookup(e.req.Host(), e.req.Key)
		want := e.state
		if e.lease != 0 {
			want = "leased"
		}
		if err != nil || s.State != want || s.Class != e.last.Class || s.Status != e.last.Status || s.Detail != e.last.Detail {
			t.Fatalf("%s stands %+v, %v; want %s, %+v", e.req.URL, s, err, want, e.last)
		}
		if e.state != "queued" && s.Attempt != int(e.req.Attempt) {
			t.Fatalf("%s stands at attempt %d, want %d", e.req.URL, s.Attempt, e.req.Attempt)
		}
	}
}
