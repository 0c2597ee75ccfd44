package politeness

import (
	"fmt"
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

// A million hosts with their state, each asked for robots.txt and a page.
func BenchmarkMillionHosts(b *testing.B) {
	if testing.Short() {
		b.Skip("takes most of a gigabyte for a moment")
	}
	for _, body := range []string{"", "User-agent: *\nDisallow: /admin/\nDisallow: /search\n"} {
		b.Run(fmt.Sprintf("robots=%d", len(body)), func(b *testing.B) {
			for b.Loop() {
				millionHosts(b, body)
			}
		})
	}
}

func millionHosts(b *testing.B, body string) {
	const hosts = 1_000_000
	p := Policy{Agent: "bookbot", Delay: time.Second}
	g, c := newTestGate(p, Options{MaxHosts: hosts, MaxRules: 4 << 30})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	robots := Result{Status: 404}
	if body != "" {
		robots = Result{Status: 200, Body: []byte(body), Header: fields("ETag", `"5f3c-61a2b4c8d9e00"`)}
	}
	for i := range hosts {
		origin := fmt.Sprintf("https://www.host-%07d.example", i)
		g.Decide(origin, origin+"/").Grant.Done(robots)
	}
	c.add(time.Second)
	for origin := range g.hosts {
		g.Decide(origin, origin+"/").Grant.Done(Result{Status: 200})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(g.hosts)), "B/host")
	b.ReportMetric(float64(g.rulesSize)/float64(len(g.hosts)), "rulesize/host")
	if len(g.hosts) != hosts {
		b.Fatalf("%d hosts", len(g.hosts))
	}
}
