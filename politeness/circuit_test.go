package politeness

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

var errRefused = errors.New("connection refused")

// failing has every request to a host fail, and returns when requests were sent.
func failing(t *testing.T, g *Gate, c *fakeClock, r Result, until time.Duration) (sent []time.Duration, last Decision) {
	t.Helper()
	start := c.now()
	for c.now().Sub(start) < until {
		last = g.Decide(site, site+"/")
		switch last.Action {
		case Wait:
			c.add(last.Until.Sub(c.now()))
		case Go:
			sent = append(sent, c.now().Sub(start))
			last.Grant.Done(r)
		default:
			return sent, last
		}
	}
	return sent, last
}

func TestFailingHostIsSetAsideAndProbed(t *testing.T) {
	for _, r := range []Result{{Status: 502}, {Err: errRefused}, {Err: context.DeadlineExceeded}} {
		g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Concurrency: 4, CircuitAfter: 3}, Options{})
		sent, last := failing(t, g, c, r, 100*time.Hour)
		// Three in a row, then pauses of 30, 60, 120, 240, 480, 960, 1800, 1800...
		want := []time.Duration{0, 1, 2, 32, 92, 212, 452, 932, 1892, 3692, 5492, 7292}
		for i, at := range want {
			if sent[i] != at*time.Second {
				t.Fatalf("%v: sent at %v, want %v", r, sent, want)
			}
		}
		if !errors.Is(last.Err, ErrUnreachable) || last.Action != Skip {
			t.Fatalf("in the end: %v %q", last.Action, last.Reason)
		}
		if at := sent[len(sent)-1]; at < DefaultCircuitGiveUp || at > DefaultCircuitGiveUp+CircuitMost {
			t.Errorf("given up after %v", at)
		}
		since := c.now().Add(-sent[len(sent)-1]).UTC().Format(time.RFC3339)
		cause := "status 502"
		if r.Err != nil {
			cause = r.Err.Error()
		}
		if want := fmt.Sprintf("host unreachable since %s: %s", since, cause); last.Reason != want {
			t.Errorf("reason %q, want %q", last.Reason, want)
		}

		c.add(CircuitMost) // it is still probed, by one at a time
		d := expect(t, g.Decide(site, site+"/a"), Go)
		expect(t, g.Decide(site, site+"/b"), Skip)
		d.Grant.Done(Result{Status: 200})
		c.add(time.Second)
		first, _ := expect(t, g.Decide(site, site+"/a"), Go).Grant.Begin()
		if !first.IsZero() {
			t.Fatal("does not begin")
		}
		c.add(time.Second)
		expect(t, g.Decide(site, site+"/b"), Go) // two at once again
	}
}

func TestProbeIsOneRequestAndURLsAreKept(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, Concurrency: 4, CircuitAfter: 2}, Options{})
	var all []*Grant
	for range 4 {
		all = append(all, expect(t, g.Decide(site, site+"/"), Go).Grant)
	}
	for _, grant := range all { // under way together: they set it aside once
		grant.Done(Result{Err: errRefused})
	}
	w := expect(t, g.Decide(site, site+"/"), Wait)
	if w.Until.Sub(c.now()) != CircuitFirst || w.By != ByCircuit+" since 2026-03-01T12:00:00Z: connection refused" {
		t.Errorf("%v by %q", w.Until.Sub(c.now()), w.By)
	}
	if s := g.State(site); s.Concurrency != 1 || s.NotBefore.Sub(c.now()) != CircuitFirst {
		t.Errorf("state %+v", s)
	}
	c.add(CircuitFirst)
	probe := expect(t, g.Decide(site, site+"/"), Go).Grant
	expect(t, g.Decide(site, site+"/"), Wait)
	if s := probe.Done(Result{Status: 404}); s.Concurrency != 4 { // it answers
		t.Errorf("state %+v", s)
	}
	expect(t, g.Decide(site, site+"/"), Go)
}

func TestWhatIsNoFailureOfTheHost(t *testing.T) {
	for _, r := range []Result{
		{Status: 404}, {Status: 200}, {Err: context.Canceled}, {Err: errors.New("no such host"), Permanent: true},
		{Err: fmt.Errorf("dial: %w", ErrPrivateAddress)}, {Err: ErrNotGranted}, {Status: 200, Err: errors.New("too large"), Permanent: true},
	} {
		g, c := newTestGate(Policy{IgnoreRobots: true, CircuitAfter: 1}, Options{})
		g.Decide(site, site+"/").Grant.Done(r)
		if d := g.Decide(site, site+"/"); d.Action != Go {
			t.Errorf("%+v: %v by %q until %v", r, d.Action, d.By, d.Until.Sub(c.now()))
		}
	}
	g, c := newTestGate(Policy{IgnoreRobots: true, CircuitAfter: -1}, Options{})
	for range 100 {
		expect(t, g.Decide(site, site+"/"), Go).Grant.Done(Result{Err: errRefused})
	}
	_ = c
}

// What is the operator's own is tried more often, and given up at a time of its own.
func TestFailingHostWithBoundsOfItsOwn(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, CircuitAfter: 1, Hosts: map[string]HostPolicy{
		site: {CircuitMost: time.Minute, CircuitGiveUp: 4 * time.Minute},
	}}, Options{})
	sent, last := failing(t, g, c, Result{Err: errRefused}, 100*time.Hour)
	want := []time.Duration{0, 30, 90, 150, 210, 270}
	for i, at := range want {
		if i >= len(sent) || sent[i] != at*time.Second {
			t.Fatalf("sent at %v, want %v", sent, want)
		}
	}
	if len(sent) != len(want) || last.Action != Skip {
		t.Errorf("sent at %v, and in the end %v", sent, last.Action)
	}
}
