package politeness

import (
	"strings"
	"testing"
	"time"
)

func TestGroupNames(t *testing.T) {
	for origin, want := range map[string]string{
		"https://a.shop.co.uk:8443": "domain:shop.co.uk", "http://shop.co.uk": "domain:shop.co.uk",
		"http://co.uk": "domain:co.uk", "http://localhost:80": "domain:localhost",
		"http://192.0.2.7:8080": "domain:192.0.2.7", "http://[2001:db8::1]": "domain:2001:db8::1",
	} {
		g, _ := newTestGate(Policy{Group: GroupDomain}, Options{})
		if got := g.groupKey(origin); got != want {
			t.Errorf("%s: %q, want %q", origin, got, want)
		}
	}
	for name, want := range map[string]Group{"host": GroupHost, "address": GroupAddress, "domain": GroupDomain} {
		if got, err := ParseGroup(name); err != nil || got != want || got.String() != name {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := ParseGroup("planet"); err == nil {
		t.Error("any name is read")
	}
}

const (
	siteA = "https://a.shop.example"
	siteB = "https://b.shop.example"
	apart = "https://b.other.example"
)

func TestGroupSharesDelayAndConcurrency(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Concurrency: 1, Group: GroupDomain}, Options{})
	grant := expect(t, g.Decide(siteA, siteA+"/"), Go).Grant
	// The request under way ends now at the earliest, and the delay runs then.
	if w := expect(t, g.Decide(siteB, siteB+"/"), Wait); w.By != ByInFlight || w.Until.Sub(c.now()) != time.Second {
		t.Errorf("%v by %q", w.Until.Sub(c.now()), w.By)
	}
	expect(t, g.Decide(apart, apart+"/"), Go).Grant.Done(Result{Status: 200})
	s := grant.Done(Result{Status: 200})
	if s.Group != "domain:shop.example" || s.GroupOpaque == nil {
		t.Errorf("state %+v", s)
	}
	w := expect(t, g.Decide(siteB, siteB+"/"), Wait)
	if w.By != ByConfig+" of domain shop.example" || w.Until.Sub(c.now()) != time.Second {
		t.Errorf("%v by %q", w.Until.Sub(c.now()), w.By)
	}
	c.add(time.Second)
	expect(t, g.Decide(siteB, siteB+"/"), Go).Grant.Done(Result{Status: 200})
	expect(t, g.Decide(siteA, siteA+"/"), Wait)
	if x := g.Explain(siteA, siteA+"/"); x.Group != "domain:shop.example" || x.Members != 2 || x.GroupDelay != time.Second {
		t.Errorf("%+v", x)
	}
}

func TestWhatConcernsTheGroupAndWhatTheHost(t *testing.T) {
	for _, c := range []struct {
		r      Result
		shared bool
	}{
		{retryAfter429("60"), true},
		{Result{Status: 429}, true},
		{Result{Status: 503, Header: fields("Retry-After", "60")}, false},
		{Result{Status: 503}, false},
	} {
		g, clock := newTestGate(Policy{IgnoreRobots: true, Group: GroupDomain}, Options{})
		expect(t, g.Decide(siteA, siteA+"/"), Go).Grant.Done(c.r)
		expect(t, g.Decide(siteA, siteA+"/"), Wait)
		d := g.Decide(siteB, siteB+"/")
		if (d.Action == Wait) != c.shared {
			t.Errorf("%+v: %v by %q", c.r, d.Action, d.By)
		}
		if d.Grant != nil {
			d.Grant.Cancel()
		}
		clock.add(time.Minute)
		expect(t, g.Decide(siteA, siteA+"/"), Go)
	}
	// A site's Crawl-delay is its own.
	g, c := newTestGate(Policy{Delay: time.Second, Group: GroupDomain}, Options{})
	learn(t, g, c, siteB, "")
	learn(t, g, c, siteA, "User-agent: *\nCrawl-delay: 9")
	expect(t, g.Decide(siteA, siteA+"/"), Go).Grant.Done(Result{Status: 200})
	c.add(time.Second)
	expect(t, g.Decide(siteB, siteB+"/"), Go).Grant.Done(Result{Status: 200})
	c.add(time.Second)
	grant := expect(t, g.Decide(siteB, siteB+"/"), Go).Grant
	grant.Done(Result{Status: 200})
	if a := grant.Account(); a.Owed != time.Second || a.Paid != time.Second || a.Group != "domain:shop.example" {
		t.Errorf("%+v", a)
	}
	c.add(7 * time.Second)
	grant = expect(t, g.Decide(siteA, siteA+"/"), Go).Grant
	grant.Done(Result{Status: 200})
	if a := grant.Account(); a.Owed != 9*time.Second || a.Paid != 9*time.Second || a.By != ByCrawlDelay+", line 2" {
		t.Errorf("%+v", a)
	}
}

func TestSlowestMemberSetsThePace(t *testing.T) {
	slow := HostPolicy{Delay: ptr(5 * time.Second), Concurrency: 1}
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Concurrency: 3, Group: GroupDomain,
		Hosts: map[string]HostPolicy{"a.shop.example": slow}}, Options{})
	expect(t, g.Decide(siteB, siteB+"/"), Go).Grant.Done(Result{Status: 200})
	w := expect(t, g.Decide(siteA, siteA+"/"), Wait)
	if w.Until.Sub(c.now()) != 5*time.Second {
		t.Errorf("waits %v", w.Until.Sub(c.now()))
	}
	if s := g.State(siteB); s.Spacing != 5*time.Second || s.Concurrency != 1 {
		t.Errorf("state %+v", s)
	}
}

func TestGroupByAddress(t *testing.T) {
	addresses := map[string]string{siteA: "192.0.2.1", siteB: "192.0.2.2", apart: "192.0.2.1"}
	asked := 0
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Group: GroupAddress}, Options{
		Address: func(origin string) (string, bool) { asked++; a, ok := addresses[origin]; return a, ok },
	})
	expect(t, g.Decide(siteA, siteA+"/"), Go).Grant.Done(Result{Status: 200})
	expect(t, g.Decide(siteB, siteB+"/"), Go).Grant.Done(Result{Status: 200})
	if w := expect(t, g.Decide(apart, apart+"/"), Wait); w.By != ByConfig+" of address 192.0.2.1" {
		t.Errorf("by %q", w.By)
	}
	expect(t, g.Decide(site, site+"/"), Go) // not known: stands for itself
	c.add(time.Second)
	expect(t, g.Decide(apart, apart+"/"), Go)
	if asked != 4 {
		t.Errorf("%d lookups for 4 hosts", asked)
	}
}

func TestGroupDebtsAreKept(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Group: GroupDomain}, Options{})
	s := expect(t, g.Decide(siteA, siteA+"/"), Go).Grant.Done(retryAfter429("600"))
	kept := map[string][]byte{siteA: s.Opaque, s.Group: s.GroupOpaque}
	open := func(o Options) *Gate {
		o.Now = c.now
		return New(Policy{IgnoreRobots: true, Delay: time.Second, Group: GroupDomain}, o)
	}
	for name, next := range map[string]*Gate{
		"debts":   open(Options{Debts: func(key string) []byte { return kept[key] }}),
		"restore": open(Options{}),
	} {
		if name == "restore" {
			next.Restore(siteA, s)
		}
		w := expect(t, next.Decide(siteB, siteB+"/"), Wait)
		if w.Until.Sub(c.now()) != 10*time.Minute || w.By != ByRetryAfter+" of domain shop.example" {
			t.Errorf("%s: %v by %q", name, w.Until.Sub(c.now()), w.By)
		}
	}
}

func TestGroupsAreForgottenWithTheirHosts(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Group: GroupDomain}, Options{MaxHosts: 4})
	for i := range 200 {
		origin := "http://h." + strings.Repeat("x", i%50+1) + ".example"
		expect(t, g.Decide(origin, origin+"/"), Go).Grant.Done(Result{Status: 200})
		c.add(time.Second)
		if len(g.groups) > 4 || len(g.groups) > len(g.hosts) {
			t.Fatalf("%d groups of %d hosts", len(g.groups), len(g.hosts))
		}
	}
}
