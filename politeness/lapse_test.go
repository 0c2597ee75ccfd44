package politeness

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

// A request leased before the window closed does not start after it.
func TestWindowClosesBetweenGrantAndStart(t *testing.T) {
	hours := mustHours(t, "10:00-13:00", "")
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Hours: hours}, Options{})
	c.add(time.Hour - time.Millisecond)
	inTime := expect(t, g.Decide(site, site+"/"), Go).Grant
	if _, err := inTime.Begin(); err != nil {
		t.Fatal(err)
	}
	inTime.Done(Result{Status: 200}) // one second is owed, until after the window
	s := expect(t, g.Decide("https://b.example", "https://b.example/"), Go).Grant
	c.add(time.Millisecond)
	until, err := s.Begin()
	if !errors.Is(err, ErrLapsed) || until.Sub(c.now()) != 21*time.Hour {
		t.Errorf("as the window closes: %v, until %v", err, until)
	}
	if state := s.Cancel(); state.NotBefore.Sub(c.now()) != 21*time.Hour {
		t.Errorf("the host is off until %v", state.NotBefore)
	}
	expect(t, g.Decide("https://b.example", "https://b.example/"), Wait)
	c.add(21 * time.Hour)
	d := expect(t, g.Decide("https://b.example", "https://b.example/"), Go)
	if _, err := d.Grant.Begin(); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

// What is owed may last beyond the window: then nobody waits for it in a slot.
func TestDelayThatEndsAfterTheWindowLapses(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Minute, Concurrency: 2, Hours: mustHours(t, "10:00-13:00", "")}, Options{})
	c.add(50 * time.Minute)
	slow := expect(t, g.Decide(site, site+"/slow"), Go).Grant
	_, _ = slow.Begin()
	c.add(time.Minute)
	next := expect(t, g.Decide(site, site+"/next"), Go).Grant
	c.add(9*time.Minute - time.Second)
	slow.Done(Result{Status: 200}) // the delay runs from here
	if _, err := next.Begin(); !errors.Is(err, ErrLapsed) {
		t.Errorf("a second before the end, with a minute owed: %v", err)
	}
	next.Cancel()
}

func TestGuardSendsNothingOutsideTheWindow(t *testing.T) {
	s := newGuarded(t, Policy{Hours: mustHours(t, "10:00-13:00", "")}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "body") })
	grant := s.grant(t, "/a")
	s.clock.add(time.Hour)
	resp, err := s.get(t, grant, s.URL+"/a")
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, ErrLapsed) || len(s.seen) != 0 || len(s.pauses) != 0 {
		t.Errorf("%v, the server saw %q, paused %v", err, s.seen, s.pauses)
	}
}

// moving is a gate by address whose hosts the test moves.
func moving(p Policy) (g *Gate, c *fakeClock, addresses map[string]string, asked *int) {
	addresses, asked = map[string]string{siteA: "192.0.2.1", siteB: "192.0.2.2"}, new(int)
	p.Group, p.IgnoreRobots = GroupAddress, true
	g, c = newTestGate(p, Options{Address: func(origin string) (string, bool) {
		*asked++
		a, ok := addresses[origin]
		return a, ok
	}})
	return g, c, addresses, asked
}

// A host that moves shares the pace of its new address from then on, and owes
// what was asked for at the old one.
func TestHostThatMovesJoinsItsNewAddress(t *testing.T) {
	g, c, addresses, asked := moving(Policy{Delay: time.Second})
	expect(t, g.Decide(siteA, siteA+"/"), Go).Grant.Done(retryAfter429("1000"))
	expect(t, g.Decide(siteB, siteB+"/"), Go).Grant.Done(Result{Status: 200})
	addresses[siteA] = "192.0.2.2"
	c.add(regroupAfter - time.Second)
	if w := expect(t, g.Decide(siteA, siteA+"/"), Wait); w.By != ByRetryAfter+" of address 192.0.2.1" || *asked != 2 {
		t.Errorf("by %q after %d look-ups", w.By, *asked)
	}
	c.add(time.Second)
	if w := expect(t, g.Decide(siteA, siteA+"/"), Wait); w.By != ByRetryAfter || w.Until.Sub(c.now()) != 400*time.Second {
		t.Errorf("%v by %q", w.Until.Sub(c.now()), w.By)
	}
	c.add(400 * time.Second)
	expect(t, g.Decide(siteB, siteB+"/"), Go).Grant.Done(Result{Status: 200})
	if w := expect(t, g.Decide(siteA, siteA+"/"), Wait); w.By != ByConfig+" of address 192.0.2.2" {
		t.Errorf("by %q", w.By)
	}
	if len(g.groups) != 1 {
		t.Errorf("%d groups of two hosts at one address", len(g.groups))
	}
	delete(addresses, siteA) // not found for now: it stays
	c.add(regroupAfter)
	expect(t, g.Decide(siteA, siteA+"/"), Go).Grant.Done(Result{Status: 200})
	if x := g.Explain(siteA, siteA+"/"); x.Group != "address:192.0.2.2" {
		t.Errorf("in %q after a failed look-up", x.Group)
	}
}

// A request that is under way as its host moves ends where it began, and one
// that has not begun lapses.
func TestHostMovesWhileRequestsAreOut(t *testing.T) {
	g, c, addresses, _ := moving(Policy{Concurrency: 3})
	under := expect(t, g.Decide(siteA, siteA+"/1"), Go).Grant
	_, _ = under.Begin()
	waiting := expect(t, g.Decide(siteA, siteA+"/2"), Go).Grant
	addresses[siteA] = "192.0.2.2"
	c.add(regroupAfter)
	third := expect(t, g.Decide(siteA, siteA+"/3"), Go).Grant // sees the move
	if _, err := waiting.Begin(); !errors.Is(err, ErrLapsed) {
		t.Errorf("granted at the old address: %v", err)
	}
	waiting.Cancel()
	under.Done(retryAfter429("60"))
	if _, err := third.Begin(); err != nil {
		t.Error(err)
	}
	third.Done(Result{Status: 200})
	if len(g.groups) != 1 {
		t.Errorf("%d groups, one is empty", len(g.groups))
	}
	if s := g.groups["address:192.0.2.2"]; s == nil || s.inFlight != 0 || !s.debt.IsZero() {
		t.Errorf("the new address: %+v", s)
	}
	if h := g.hosts[siteA]; h.inFlight != 0 {
		t.Errorf("%d in flight", h.inFlight)
	}
}

// The host that a robots.txt leads to has a state to keep, which differs from
// that of the host that was asked for.
func TestElsewhereIsTheHostThatRobotsLedTo(t *testing.T) {
	g, _ := newTestGate(Policy{Delay: time.Second}, Options{})
	first := expect(t, g.Decide(site, site+"/"), FetchRobots).Grant
	if _, _, ok := first.Elsewhere(); ok {
		t.Error("a host's own robots.txt is elsewhere")
	}
	first.Done(Result{Status: 301, Header: fields("Location", "https://b.example/r")})
	second := expect(t, g.Decide(site, site+"/"), FetchRobots).Grant
	second.Done(Result{Status: 503, Header: fields("Retry-After", "300")})
	host, s, ok := second.Elsewhere()
	if !ok || host != "https://b.example" {
		t.Fatalf("%q, %v", host, ok)
	}
	next, c := newTestGate(Policy{Delay: time.Second, IgnoreRobots: true}, Options{Debts: func(key string) []byte {
		if key == host {
			return s.Opaque
		}
		return nil
	}})
	if w := expect(t, next.Decide(host, host+"/"), Wait); w.By != ByRetryAfter || w.Until.Sub(c.now()) != 5*time.Minute {
		t.Errorf("after a restart %v by %q", w.Until.Sub(c.now()), w.By)
	}
}
