package frontiertest

import (
	"context"
	"errors"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// wake: a Lease that waits is woken by whatever lets a request leave.
func (m *machine) wake(t *rapid.T) {
	now := m.h.Clock.Now()
	if s := m.w.stats(); s.Settled == s.Seen || m.w.leasable(now, m.h.MaxHosts) {
		t.Skip("a lease would not wait")
	}
	ctx, cancel := context.WithTimeout(context.Background(), watchdog)
	defer cancel()
	type answer struct {
		leases []crawler.Lease
		err    error
	}
	done := make(chan answer, 1)
	go func() {
		ls, err := m.f.Lease(ctx, 2)
		done <- answer{ls, err}
	}()
	if rapid.Bool().Draw(t, "settled in") {
		time.Sleep(briefly) // more often than not, it waits by now; either is right
	}
	m.rouse(t)
	if s := m.w.stats(); s.Settled < s.Seen && !m.w.leasable(m.h.Clock.Now(), m.h.MaxHosts) {
		cancel()
	}
	a := <-done
	switch s := m.w.stats(); {
	case m.w.leasable(m.h.Clock.Now(), m.h.MaxHosts) || len(a.leases) > 0:
		m.accept(t, a.leases, a.err, 2)
	case s.Settled == s.Seen:
		if !errors.Is(a.err, crawler.ErrDrained) {
			t.Fatalf("the last outcome is committed, but Lease gave %v", a.err)
		}
	case !errors.Is(a.err, context.Canceled):
		t.Fatalf("nothing may leave, but Lease gave %v", a.err)
	}
}

// rouse does one thing that may let a request leave.
func (m *machine) rouse(t *rapid.T) {
	next, ok := m.w.nextDue(m.h.Clock.Now(), m.h.MaxHosts)
	out := len(m.w.leases()) > 0
	switch by := rapid.IntRange(0, 4).Draw(t, "by"); {
	case ok && by <= 1:
		m.h.Clock.Advance(next.Sub(m.h.Clock.Now()))
	case out && by == 2:
		m.free(t)
	case out && by == 3:
		m.giveBack(t)
	default:
		m.commit(t)
	}
}

func (m *machine) reopen(t *rapid.T) {
	if err := m.f.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if _, err := m.f.Lease(context.Background(), 1); err == nil {
		t.Fatalf("leased from a closed frontier")
	}
	m.f = open(t, m.h)
	m.w.die()
	m.observeHosts(t)
}

// crash cuts the power during a commit, during the opening after a cut, or
// between two steps.
func (m *machine) crash(t *rapid.T) {
	seed := rapid.Uint64().Draw(t, "seed")
	b := m.drawBatch(t)
	after := m.w.clone()
	var err error
	mid := m.h.Crash(func() { _, err = m.f.Commit(context.Background(), b) }, rapid.IntRange(0, 6).Draw(t, "write"), seed)
	if !mid && err != nil {
		t.Fatalf("commit: %v", err)
	}
	after.commit(b)
	after.batch++
	for rapid.IntRange(0, 2).Draw(t, "again") == 0 {
		m.h.Crash(func() {
			if f, err := m.h.Open(); err != nil {
				t.Fatalf("opening after a crash: %v", err)
			} else {
				m.f = f
			}
		}, rapid.IntRange(0, 20).Draw(t, "open write"), seed+1)
	}
	m.f = nil
	m.f = open(t, m.h)
	n, err := m.f.Get("batch")
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	switch {
	case len(n) == 1 && n[0] == after.batch:
		m.w = after
	case !mid:
		t.Fatalf("a batch whose commit had returned is gone: last is %v, want %d", n, after.batch)
	}
	m.w.die()
	m.observeHosts(t)
}

// observeHosts takes over the states that a new process starts from. They may
// be newer than the last batch's, but never owe less.
func (m *machine) observeHosts(t *rapid.T) {
	for _, e := range m.w.entries {
		name := e.req.Host()
		s, err := m.f.Lookup(name, e.req.Key)
		if err != nil {
			t.Fatalf("lookup: %v", err)
		}
		h := m.w.hosts[name]
		if s.Host.NotBefore.Before(h.owed) {
			t.Fatalf("%s was not to be asked before %v, after re-opening %v", name, h.owed, s.Host.NotBefore)
		}
		h.state, h.owed = s.Host, s.Host.NotBefore
		m.w.hosts[name] = h
	}
}

// drain crawls what is left to its end.
func (m *machine) drain(t *rapid.T) {
	for {
		for _, e := range m.w.leases() {
			m.commitBatch(t, &crawler.Batch{Outcomes: []crawler.Outcome{{
				Lease: e.lease, Key: e.req.Key, Host: e.req.Host(), Class: crawler.ClassFetched, Status: 200,
			}}})
		}
		now := m.h.Clock.Now()
		ctx, cancel := context.WithTimeout(context.Background(), watchdog)
		switch s := m.w.stats(); {
		case s.Settled == s.Seen:
			cancel()
			m.check(t)
			m.lease(t)
			return
		case m.w.leasable(now, m.h.MaxHosts):
			ls, err := m.f.Lease(ctx, 4)
			m.accept(t, ls, err, 4)
		default:
			next, ok := m.w.nextDue(now, m.h.MaxHosts)
			if !ok {
				t.Fatalf("requests are left, but the model finds none due")
			}
			m.h.Clock.Advance(next.Sub(now))
		}
		cancel()
	}
}
