package politeness

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// reopened is the gate of the next process, which knows what the last one kept.
func reopened(p Policy, c *fakeClock, s HostState) *Gate {
	return New(p, Options{Now: c.now, Debts: func(string) []byte { return s.Opaque }, Recall: func(string) []byte { return s.Robots }})
}

func TestEveryKindOfDebtIsKept(t *testing.T) {
	ask := func(g *Gate) Decision { return g.Decide(site, site+"/") }
	for _, k := range []struct {
		name   string
		policy Policy
		before func(g *Gate, c *fakeClock) HostState
		wait   time.Duration
		by     string
	}{
		{"the last request", Policy{IgnoreRobots: true, Delay: 9 * time.Second}, func(g *Gate, c *fakeClock) HostState {
			return ask(g).Grant.Done(Result{Status: 200})
		}, 9 * time.Second, ByConfig},
		{"strikes", Policy{IgnoreRobots: true}, func(g *Gate, c *fakeClock) HostState {
			for range 3 {
				ask(g).Grant.Done(Result{Status: 429})
				c.add(time.Hour)
			}
			return ask(g).Grant.Done(Result{Status: 503})
		}, 40 * time.Second, ByBackoff},
		{"throttle", Policy{IgnoreRobots: true, Delay: time.Second, Adaptive: true}, func(g *Gate, c *fakeClock) HostState {
			grant := ask(g).Grant
			_, _ = grant.Begin()
			c.add(4500 * time.Millisecond)
			return grant.Done(Result{Status: 200})
		}, 5 * time.Second, ByThrottle},
		{"circuit", Policy{IgnoreRobots: true, CircuitAfter: 2}, func(g *Gate, c *fakeClock) HostState {
			ask(g).Grant.Done(Result{Status: 502})
			ask(g).Grant.Done(Result{Status: 502})
			c.add(CircuitFirst)
			return ask(g).Grant.Done(Result{Status: 502})
		}, 2 * CircuitFirst, ByCircuit + " since 2026-03-01T12:00:00Z: status 502"},
		{"Crawl-delay", Policy{Delay: time.Second}, func(g *Gate, c *fakeClock) HostState {
			s := ask(g).Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nCrawl-delay: 7")})
			c.add(7 * time.Second)
			later := ask(g).Grant.Done(Result{Status: 200})
			later.Robots = s.Robots
			return later
		}, 7 * time.Second, ByCrawlDelay + ", line 2"},
		{"robots.txt in trouble", Policy{}, func(g *Gate, c *fakeClock) HostState {
			ask(g).Grant.Done(Result{Status: 502})
			c.add(2 * time.Second)
			return ask(g).Grant.Done(Result{Status: 502})
		}, 8 * time.Second, "robots.txt unreachable: status 502"},
	} {
		g, c := newTestGate(k.policy, Options{})
		s := k.before(g, c)
		now := c.now()
		for range 2 { // what is kept of what was kept is the same
			next := reopened(k.policy, c, s)
			w := expect(t, ask(next), Wait)
			if w.Until.Sub(now) != k.wait || w.By != k.by {
				t.Errorf("%s: %v by %q, want %v by %q", k.name, w.Until.Sub(now), w.By, k.wait, k.by)
			}
			s.Opaque = next.State(site).Opaque
			c.add(time.Second)
		}
	}
}

func TestGivenUpRobotsGetsOneMoreTryInItsTime(t *testing.T) {
	g, c := newTestGate(Policy{}, Options{})
	s := g.Decide(site, site+"/").Grant.Done(Result{Err: errRefused, Permanent: true})
	expect(t, g.Decide(site, site+"/"), Skip)
	next := reopened(Policy{}, c, s)
	w := expect(t, next.Decide(site, site+"/"), Wait)
	if w.Until.Sub(c.now()) != robotsRest {
		t.Errorf("waits %v", w.Until.Sub(c.now()))
	}
	c.add(robotsRest)
	expect(t, next.Decide(site, site+"/"), FetchRobots)
}

// What we refused ourselves says nothing of the host: a run that is allowed to asks at once.
func TestRefusedAddressIsNotKept(t *testing.T) {
	g, c := newTestGate(Policy{}, Options{})
	s := g.Decide(site, site+"/").Grant.Done(Result{Err: fmt.Errorf("dial: %w", ErrPrivateAddress)})
	expect(t, g.Decide(site, site+"/"), Skip)
	next := reopened(Policy{}, c, s)
	c.add(time.Minute)
	expect(t, next.Decide(site, site+"/"), FetchRobots)
}

func TestCrawlWindowAtTheGate(t *testing.T) {
	p := Policy{Delay: time.Second, Hours: mustHours(t, "22:00-06:00", "Europe/Berlin"),
		Hosts: map[string]HostPolicy{"always.example": {Hours: &Hours{}}}}
	g, c := newTestGate(p, Options{}) // 12:00Z, 13:00 in Berlin
	w := expect(t, g.Decide(site, site+"/"), Wait)
	if w.By != ByHours+" 22:00-06:00 Europe/Berlin" || w.Until.Sub(c.now()) != 9*time.Hour {
		t.Errorf("%v by %q", w.Until.Sub(c.now()), w.By)
	}
	if s := g.State(site); !s.NotBefore.Equal(w.Until) {
		t.Errorf("state %+v", s)
	}
	expect(t, g.Decide("https://always.example", "https://always.example/"), FetchRobots)
	c.add(9 * time.Hour)
	learn(t, g, c, site, "")
	c.add(8*time.Hour - 2*time.Second)
	// The delay ends after the window: the next one is meant.
	s := expect(t, g.Decide(site, site+"/"), Go).Grant.Done(Result{Status: 200})
	if got := s.NotBefore.Sub(c.now()); got != 16*time.Hour+time.Second {
		t.Errorf("not before %v from now", got)
	}
	c.add(time.Second)
	w = expect(t, g.Decide(site, site+"/"), Wait)
	if got := w.Until.Sub(c.now()); got != 16*time.Hour {
		t.Errorf("waits %v", got)
	}
}

func TestExplainTellsWhoAsked(t *testing.T) {
	p := Policy{Delay: time.Second, Adaptive: true, Group: GroupDomain, CircuitAfter: 1, Hours: mustHours(t, "10:00-13:00", "")}
	g, c := newTestGate(p, Options{})
	learn(t, g, c, siteA, "User-agent: *\nCrawl-delay: 4")
	expect(t, g.Decide(siteA, siteA+"/"), Go).Grant.Done(retryAfter429("60"))
	c.add(time.Minute)
	expect(t, g.Decide(siteA, siteA+"/"), Go).Grant.Done(Result{Status: 503})
	var got []string
	for _, d := range g.Explain(siteA, siteA+"/").Demands {
		line := d.By
		if d.Delay > 0 {
			line += fmt.Sprint(" ", d.Delay)
		}
		if !d.Until.IsZero() {
			line += fmt.Sprint(" in ", d.Until.Sub(c.now()))
		}
		got = append(got, line)
	}
	want := strings.TrimSpace(`
config delay 1s in 1s
adaptive throttle 2s in 2s
backoff in 5s
robots.txt Crawl-delay, line 2 4s in 4s
config delay of domain shop.example 1s in 1s
adaptive throttle of domain shop.example 2s in 2s
host failing since 2026-03-01T12:01:04Z: status 503 in 30s
crawl window 10:00-13:00 UTC`)
	if strings.Join(got, "\n") != want {
		t.Errorf("demands:\n%s", strings.Join(got, "\n"))
	}
}

// A million hosts with their state, each asked for robots.txt and a page: one
// without robots.txt, one with rules whose text is kept elsewhere and dropped.
func BenchmarkMillionHosts(b *testing.B) {
	if testing.Short() {
		b.Skip("takes half a gigabyte for a moment")
	}
	for _, body := range []string{"", manyRules} {
		b.Run(fmt.Sprintf("robots=%d", len(body)), func(b *testing.B) {
			for b.Loop() {
				m := crowd(b, 1_000_000, 0, body)
				b.ReportMetric(float64(m.heap)/1_000_000, "B/host")
				b.ReportMetric(float64(m.heap)/(1<<20), "MiB")
				b.ReportMetric(float64(m.texts), "texts")
			}
		})
	}
}

const manyRules = "User-agent: *\nDisallow: /admin/\nDisallow: /search\n"

// TestScale holds a million hosts to 500 MiB. It runs when AMBLE_SCALE is set.
func TestScale(t *testing.T) {
	if os.Getenv("AMBLE_SCALE") == "" || testing.Short() {
		t.Skip("AMBLE_SCALE is not set")
	}
	for _, body := range []string{"", manyRules} {
		m := crowd(t, 1_000_000, 0, body)
		t.Logf("robots.txt of %d octets: %d MiB, %d texts in memory", len(body), m.heap>>20, m.texts)
		if m.heap > 500<<20 {
			t.Errorf("%d MiB", m.heap>>20)
		}
	}
}

// TestHostsOutgrowTheRules has far more hosts than rules fit: what is held of
// each is less than a KiB, and the rules are read again when they are needed.
func TestHostsOutgrowTheRules(t *testing.T) {
	const hosts, room = 2000, 100 << 10
	m := crowd(t, hosts, room, manyRules)
	if m.gate.shelf.size > room || m.texts > room/textOverhead || m.texts == 0 {
		t.Errorf("%d texts of %d octets are held", m.texts, m.gate.shelf.size)
	}
	if each := m.heap / hosts; each > 1<<10 {
		t.Errorf("%d octets a host", each)
	}
	if m.recalled < hosts-2*m.texts {
		t.Errorf("rules were read %d times for %d hosts", m.recalled, hosts)
	}
}

// crowded is a gate that many hosts were asked about.
type crowded struct {
	gate     *Gate
	heap     int64 // octets that it takes
	texts    int   // of robots.txt in memory
	recalled int
}

func crowd(tb testing.TB, hosts, maxRules int, body string) (m crowded) {
	tb.Helper()
	result := Result{Status: 404}
	if body != "" {
		result = Result{Status: 200, Body: []byte(body), Header: fields("ETag", `"5f3c-61a2b4c8d9e00"`)}
	}
	var kept []byte // by all hosts alike, so that it is the gate that is measured
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	o := Options{MaxHosts: hosts, MaxRules: maxRules, Recall: func(string) []byte { m.recalled++; return kept }}
	g, c := newTestGate(Policy{Agent: "bookbot", Delay: time.Second}, o)
	for i := range hosts {
		origin := fmt.Sprintf("https://www.host-%07d.example", i)
		keep := kept
		kept = nil
		d := g.Decide(origin, origin+"/")
		kept = keep
		if s := d.Grant.Done(result); s.Robots != nil {
			kept = s.Robots
		}
	}
	c.add(time.Second)
	m.recalled = 0
	for origin := range g.hosts {
		if d := g.Decide(origin, origin+"/admin/"); (d.Action == Skip) != (body != "") {
			tb.Fatalf("%s: %+v", origin, d)
		} else if d.Grant != nil {
			d.Grant.Cancel()
		}
		g.Decide(origin, origin+"/").Grant.Done(Result{Status: 200})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if len(g.hosts) != hosts {
		tb.Fatalf("%d hosts", len(g.hosts))
	}
	m.gate, m.heap, m.texts = g, int64(after.HeapAlloc)-int64(before.HeapAlloc), g.shelf.texts.Len()
	return m
}
