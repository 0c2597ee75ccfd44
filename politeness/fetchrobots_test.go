package politeness

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRobotsComesFirstAndWithinTheDelay(t *testing.T) {
	g, c := newTestGate(Policy{Agent: "bookbot", Delay: time.Second, Concurrency: 4}, Options{})
	d := expect(t, g.Decide(site, site+"/a"), FetchRobots)
	if d.Robots != site+"/robots.txt" || d.Grant.URL() != d.Robots {
		t.Fatalf("robots at %q", d.Robots)
	}
	if w := expect(t, g.Decide(site, site+"/b"), Wait); w.By != ByRobots {
		t.Errorf("waits for %q", w.By)
	}
	c.add(300 * time.Millisecond)
	state := d.Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nDisallow: /private/ # no\n")})
	if want := c.now().Add(time.Second); !state.NotBefore.Equal(want) || state.Concurrency != 4 || state.Spacing != time.Second {
		t.Errorf("state %+v, want not before %v", state, want)
	}
	w := expect(t, g.Decide(site, site+"/a"), Wait)
	if w.By != ByConfig || !w.Until.Equal(state.NotBefore) {
		t.Errorf("waits until %v by %q", w.Until, w.By)
	}
	s := expect(t, g.Decide(site, site+"/private/x"), Skip) // no wait needed for a no
	if s.Reason != "robots.txt line 2: Disallow: /private/" || s.Line != 2 || s.Err != nil {
		t.Errorf("skip %+v", s)
	}
	c.add(time.Second - 1)
	expect(t, g.Decide(site, site+"/a"), Wait)
	c.add(1)
	expect(t, g.Decide(site, site+"/a"), Go).Grant.Done(Result{Status: 200})
}

func TestCrawlDelayIsAFloorUpToTheCap(t *testing.T) {
	for value, want := range map[string]time.Duration{"0.3": time.Second, "2.5": 2500 * time.Millisecond, "600": 10 * time.Second} {
		g, c := newTestGate(Policy{Agent: "bookbot", Delay: time.Second, MaxCrawlDelay: 10 * time.Second}, Options{})
		d := g.Decide(site, site+"/")
		d.Grant.Done(Result{Status: 200, Body: []byte("User-agent: bookbot\nCrawl-delay: " + value)})
		w := expect(t, g.Decide(site, site+"/"), Wait)
		if got := w.Until.Sub(c.now()); got != want {
			t.Errorf("Crawl-delay %s: waits %v, want %v", value, got, want)
		}
		if crawl := w.By == ByCrawlDelay+", line 2"; crawl != (want != time.Second) {
			t.Errorf("Crawl-delay %s: by %q", value, w.By)
		}
	}
}

func TestSection231RobotsAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		result Result
		want   Action // for a page, once the delay has passed
	}{
		{"2xx", Result{Status: 200, Body: []byte("User-agent: *\nDisallow: /x")}, Go},
		{"2xx of a disallowing file", Result{Status: 204, Body: []byte("User-agent: *\nDisallow: /")}, Skip},
		{"404", Result{Status: 404, Body: []byte("User-agent: *\nDisallow: /")}, Go},
		{"401", Result{Status: 401}, Go},
		{"429", Result{Status: 429}, Wait},
		{"500", Result{Status: 500}, Wait},
		{"503", Result{Status: 503}, Wait},
		{"no HTTP status", Result{Status: 999}, Wait},
		{"not modified, though nobody asked", Result{Status: 304}, Wait},
		{"network error", Result{Err: errors.New("connection refused")}, Wait},
		{"half a body", Result{Status: 200, Body: []byte("User-agent: *\nAllow: /"), Err: errors.New("unexpected EOF")}, Wait},
		{"redirect to nowhere", Result{Status: 301}, Wait},
		{"redirect to a file", Result{Status: 302, Header: http.Header{"Location": {"file:///etc/passwd"}}}, Wait},
	} {
		g, clock := newTestGate(Policy{Delay: time.Second}, Options{})
		g.Decide(site, site+"/").Grant.Done(c.result)
		clock.add(time.Second)
		if got := g.Decide(site, site+"/y"); got.Action != c.want {
			t.Errorf("%s: %v (%s), want %v", c.name, got.Action, got.Reason+got.By, c.want)
		}
	}
}

func TestUnreachableRobotsIsAskedAgainAndGivenUp(t *testing.T) {
	g, c := newTestGate(Policy{Delay: time.Second}, Options{})
	start := c.now()
	var tries []time.Duration
	for {
		d := g.Decide(site, site+"/")
		if d.Action == Skip {
			if !errors.Is(d.Err, ErrRobots) || d.Reason != "robots.txt unreachable: status 500" {
				t.Errorf("skip %q, %v", d.Reason, d.Err)
			}
			break
		}
		if d.Action == Wait {
			if d.By != "robots.txt unreachable: status 500" {
				t.Fatalf("waits by %q", d.By)
			}
			c.add(d.Until.Sub(c.now()))
			continue
		}
		tries = append(tries, c.now().Sub(start))
		expect(t, d, FetchRobots).Grant.Done(Result{Status: 500})
	}
	if want := "[0s 2s 10s 42s]"; fmt.Sprint(tries) != want {
		t.Errorf("tries at %v, want %v", tries, want)
	}
	c.add(robotsRest) // an hour later it may be back
	learn(t, g, c, site, "")
	expect(t, g.Decide(site, site+"/"), Go)
}

func TestLastingFailuresAreGivenUpAtOnce(t *testing.T) {
	gone := errors.New("no such host")
	for _, r := range []Result{{Err: fmt.Errorf("dial: %w", ErrPrivateAddress)}, {Err: gone, Permanent: true}} {
		g, c := newTestGate(Policy{}, Options{})
		g.Decide(site, site+"/").Grant.Done(r)
		c.add(time.Second)
		d := expect(t, g.Decide(site, site+"/"), Skip)
		if !errors.Is(d.Err, ErrRobots) || !errors.Is(d.Err, ErrPrivateAddress) && !errors.Is(d.Err, gone) {
			t.Errorf("err %v", d.Err)
		}
	}
}

func TestSection2312RobotsRedirects(t *testing.T) {
	const other = "http://b.example:8080"
	g, c := newTestGate(Policy{Delay: time.Second, Hosts: map[string]HostPolicy{"b.example": {Delay: ptr(3 * time.Second)}}}, Options{})
	learn(t, g, c, other, "User-agent: *\nDisallow: /nothing")
	page := expect(t, g.Decide(other, other+"/page"), Go)
	to := func(location string) Result {
		return Result{Status: 301, Header: http.Header{"Location": {location}}}
	}
	d := expect(t, g.Decide(site, site+"/"), FetchRobots)
	d.Grant.Done(to("HTTP://B.example:8080/r.txt#x"))
	if w := expect(t, g.Decide(site, site+"/"), Wait); w.By != ByInFlight {
		t.Errorf("the other host is busy, waits by %q", w.By)
	}
	page.Grant.Done(Result{Status: 200})
	w := expect(t, g.Decide(site, site+"/"), Wait)
	if got := w.Until.Sub(c.now()); got != 3*time.Second {
		t.Errorf("waits %v for the other host", got)
	}
	c.add(3 * time.Second)
	d = expect(t, g.Decide(site, site+"/"), FetchRobots)
	if d.Robots != other+"/r.txt" {
		t.Errorf("goes to %q", d.Robots)
	}
	expect(t, g.Decide(other, other+"/"), Wait) // its slot is taken
	d.Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nDisallow: /x")})
	c.add(time.Second)
	expect(t, g.Decide(site, site+"/x"), Skip)
	expect(t, g.Decide(site, site+"/y"), Go)
}

func TestRobotsRedirectLoopEnds(t *testing.T) {
	g, c := newTestGate(Policy{}, Options{})
	hops := 0
	for {
		d := g.Decide(site, site+"/")
		if d.Action != FetchRobots {
			if !strings.Contains(d.By, "more than 5 redirects") {
				t.Errorf("%v by %q", d.Action, d.By)
			}
			break
		}
		hops++
		d.Grant.Done(Result{Status: 302, Header: http.Header{"Location": {"/robots.txt"}}})
		c.add(time.Second)
	}
	if hops != 6 {
		t.Errorf("%d fetches, want one and five redirects", hops)
	}
}

func TestRedirectedFetchKeepsItsHost(t *testing.T) {
	g, c := newTestGate(Policy{}, Options{MaxHosts: 2})
	d := expect(t, g.Decide(site, site+"/"), FetchRobots)
	d.Grant.Done(Result{Status: 301, Header: http.Header{"Location": {"https://b.example/r"}}})
	d = expect(t, g.Decide(site, site+"/"), FetchRobots)
	c.add(time.Hour)
	expect(t, g.Decide("https://c.example", "https://c.example/"), Wait)
	d.Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nDisallow: /x")})
	expect(t, g.Decide(site, site+"/x"), Skip)
}

// robotsRefresh is the age from which a copy of the usual lifetime is renewed.
const robotsRefresh = robotsLifetime / 8 * 7

func TestGoodCopyServesWhileANewOneIsFetched(t *testing.T) {
	g, c := newTestGate(Policy{Concurrency: 2, RobotsWait: time.Hour}, Options{})
	learn(t, g, c, site, "User-agent: *\nDisallow: /old")
	c.add(robotsRefresh)
	d := expect(t, g.Decide(site, site+"/old"), FetchRobots)
	expect(t, g.Decide(site, site+"/old"), Skip) // while it is fetched
	d.Grant.Done(Result{Status: 503})
	c.add(time.Hour)
	d = expect(t, g.Decide(site, site+"/old"), FetchRobots)
	d.Grant.Done(Result{Err: errors.New("timeout")})
	expect(t, g.Decide(site, site+"/old"), Skip)
	c.add(robotsLifetime - robotsRefresh - time.Hour) // and no longer than its lifetime
	expect(t, g.Decide(site, site+"/new"), FetchRobots).Grant.Done(Result{Status: 503})
	expect(t, g.Decide(site, site+"/new"), Wait)
	c.add(2 * time.Hour)
	d = expect(t, g.Decide(site, site+"/new"), FetchRobots)
	d.Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nDisallow: /new")})
	expect(t, g.Decide(site, site+"/new"), Skip)
	expect(t, g.Decide(site, site+"/old"), Go)
}
