package politeness

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const site = "https://a.example"

// fakeClock moves only when told.
type fakeClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newTestGate(p Policy, o Options) (*Gate, *fakeClock) {
	c := &fakeClock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	o.Now = c.now
	o.Rand = func() float64 { return 0 }
	return New(p, o), c
}

func expect(t *testing.T, d Decision, want Action) Decision {
	t.Helper()
	if d.Action != want {
		t.Fatalf("got %v (reason %q, by %q, until %v), want %v", d.Action, d.Reason, d.By, d.Until, want)
	}
	return d
}

// learn gives an origin its robots.txt.
func learn(t *testing.T, g *Gate, c *fakeClock, origin, body string) {
	t.Helper()
	d := expect(t, g.Decide(origin, origin+"/"), FetchRobots)
	d.Grant.Done(Result{Status: 200, Body: []byte(body)})
	c.add(g.Explain(origin, origin+"/").Owed)
}

func retryAfter429(value string) Result {
	return Result{Status: 429, Header: http.Header{"Retry-After": {value}}}
}

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

// RFC 9309 section 2.3.1: what each kind of answer means.
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

// RFC 9309 section 2.3.1.2: five redirects, also to other hosts, each in the
// time of the host it leads to.
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

// A host whose robots.txt is being fetched from elsewhere is not forgotten,
// though nothing is in flight on it.
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

func TestRetryAfterAndBackoffHoldTheWholeHost(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, MaxRetryAfter: time.Hour}, Options{})
	waits := func(r Result, want time.Duration, by string) {
		t.Helper()
		state := expect(t, g.Decide(site, site+"/"), Go).Grant.Done(r)
		if got := state.NotBefore.Sub(c.now()); want > 0 && got != want {
			t.Errorf("%v: state says %v, want %v", r, got, want)
		}
		if want > 0 {
			w := expect(t, g.Decide(site, site+"/other"), Wait)
			if w.By != by || w.Until.Sub(c.now()) != want {
				t.Errorf("%v: %v by %q, want %v by %q", r, w.Until.Sub(c.now()), w.By, want, by)
			}
		}
		c.add(want)
	}
	waits(retryAfter429("120"), 2*time.Minute, ByRetryAfter)
	waits(retryAfter429(c.now().Add(time.Minute).Format(http.TimeFormat)), time.Minute, ByRetryAfter)
	waits(retryAfter429("999999999999999999999"), time.Hour, ByRetryAfter)
	waits(Result{Status: 301, Header: http.Header{"Retry-After": {"7"}}}, 7*time.Second, ByRetryAfter)
	for range maxStrikes {
		waits(Result{Status: 200}, 0, "")
	}
	waits(retryAfter429("soon"), backoffBase, ByBackoff)
	waits(Result{Status: 503}, 2*backoffBase, ByBackoff)
	waits(Result{Status: 200}, 0, "")
	waits(Result{Status: 503}, 2*backoffBase, ByBackoff)
	for range 20 {
		w := g.Decide(site, site+"/").Grant.Done(Result{Status: 429}).NotBefore.Sub(c.now())
		if w > backoffMax {
			t.Fatalf("backs off %v", w)
		}
		c.add(w)
	}
}

func TestClockJumpingBack(t *testing.T) {
	g, c := newTestGate(Policy{Delay: 10 * time.Second, IgnoreRobots: true}, Options{})
	g.Decide(site, site+"/").Grant.Done(Result{Status: 200})
	c.add(4 * time.Second)
	g.Decide(site, site+"/")
	c.add(-time.Hour)
	w := expect(t, g.Decide(site, site+"/"), Wait)
	if got := w.Until.Sub(c.now()); got != 6*time.Second {
		t.Errorf("waits %v, want the 6s that were left", got)
	}
	c.add(6*time.Second - 1)
	expect(t, g.Decide(site, site+"/"), Wait)
	c.add(1)
	expect(t, g.Decide(site, site+"/"), Go)
}

func TestResumedOwesOneDelay(t *testing.T) {
	g, c := newTestGate(Policy{Delay: 5 * time.Second}, Options{Resumed: true})
	if got := g.State(site).NotBefore.Sub(c.now()); got != 5*time.Second {
		t.Errorf("state says %v", got)
	}
	c.add(2 * time.Second)
	w := expect(t, g.Decide(site, site+"/"), Wait)
	if w.By != ByRestart || w.Until.Sub(c.now()) != 3*time.Second {
		t.Errorf("waits %v by %q", w.Until.Sub(c.now()), w.By)
	}
	c.add(3 * time.Second)
	expect(t, g.Decide(site, site+"/"), FetchRobots)
}

func TestDebtsSurviveInOpaque(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true}, Options{})
	state := g.Decide(site, site+"/").Grant.Done(retryAfter429("600"))
	if len(state.Opaque) == 0 || len(state.Opaque) > 64 {
		t.Fatalf("opaque of %d octets", len(state.Opaque))
	}
	next, c2 := newTestGate(Policy{IgnoreRobots: true}, Options{})
	next.Restore(site, HostState{Opaque: state.Opaque})
	w := expect(t, next.Decide(site, site+"/"), Wait)
	if w.By != ByRetryAfter || w.Until.Sub(c2.now()) != 10*time.Minute || next.Explain(site, site+"/").Strikes != 1 {
		t.Errorf("waits %v by %q", w.Until.Sub(c2.now()), w.By)
	}
	for _, bad := range [][]byte{nil, {1}, {9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {1, 255, 127, 255, 255, 255, 255, 255, 255, 255}} {
		next.Restore("http://x.example", HostState{Opaque: bad, NotBefore: c.now().Add(1000 * time.Hour)})
	}
	if w := expect(t, next.Decide("http://x.example", "http://x.example/"), Wait); w.Until.Sub(c2.now()) > DefaultMaxRetryAfter {
		t.Errorf("waits %v", w.Until.Sub(c2.now()))
	}
}

func TestConcurrency(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Concurrency: 2}, Options{})
	first := expect(t, g.Decide(site, site+"/1"), Go).Grant
	c.add(time.Minute)
	if w := expect(t, g.Decide(site, site+"/2"), Wait); w.By != ByInFlight {
		t.Errorf("the first has not begun, waits by %q", w.By)
	}
	if _, err := first.Begin(); err != nil {
		t.Fatal(err)
	}
	if w := expect(t, g.Decide(site, site+"/2"), Wait); w.By != ByConfig || w.Until.Sub(c.now()) != time.Second {
		t.Errorf("waits until %v by %q", w.Until, w.By)
	}
	c.add(time.Second)
	second := expect(t, g.Decide(site, site+"/2"), Go).Grant
	first.End() // between the grant of the second and its start
	until, err := second.Begin()
	if !errors.Is(err, ErrTooEarly) || until.Sub(c.now()) != time.Second {
		t.Fatalf("begins: %v until %v", err, until)
	}
	c.add(time.Second)
	if _, err := second.Begin(); err != nil {
		t.Fatal(err)
	}
	c.add(time.Second)
	third := expect(t, g.Decide(site, site+"/3"), Go).Grant
	if _, err := third.Begin(); err != nil {
		t.Fatal(err)
	}
	c.add(time.Minute)
	if w := expect(t, g.Decide(site, site+"/4"), Wait); w.By != ByInFlight {
		t.Errorf("two are in flight, waits by %q", w.By)
	}
	third.Done(Result{Status: 200})
	c.add(time.Second)
	expect(t, g.Decide(site, site+"/4"), Go)
}

func TestMemoryIsBounded(t *testing.T) {
	g, c := newTestGate(Policy{Delay: time.Second, IgnoreRobots: true}, Options{MaxHosts: 3})
	origin := func(i int) string { return fmt.Sprintf("http://h%d.example", i) }
	for i := range 3 {
		expect(t, g.Decide(origin(i), origin(i)+"/"), Go).Grant.Done(Result{Status: 200})
	}
	if w := expect(t, g.Decide(origin(3), origin(3)+"/"), Wait); w.By != ByTable {
		t.Errorf("by %q", w.By)
	}
	c.add(time.Second)
	held := expect(t, g.Decide(origin(0), origin(0)+"/"), Go)
	for i := 4; i < 100; i++ {
		if d := g.Decide(origin(i), origin(i)+"/"); d.Action == Go {
			d.Grant.Done(Result{Status: 200})
		}
		if len(g.hosts) > 3 || g.used.Len() != len(g.hosts) {
			t.Fatalf("%d hosts", len(g.hosts))
		}
		c.add(time.Second)
	}
	expect(t, g.Decide(origin(0), origin(0)+"/"), Wait) // not forgotten while in use
	held.Grant.Done(Result{})

	g, c = newTestGate(Policy{}, Options{MaxRules: 1000})
	for i := range 50 {
		learn(t, g, c, origin(i), "User-agent: *\nDisallow: /a\nDisallow: /b")
	}
	if g.rulesSize > 3000 {
		t.Errorf("%d octets of rules kept", g.rulesSize)
	}
}

func TestPolicyByHost(t *testing.T) {
	p := Policy{Delay: time.Second, Concurrency: 1, Hosts: map[string]HostPolicy{
		"api.example": {Delay: ptr(time.Duration(0)), Concurrency: 4}, "*.example": {Concurrency: 2}, "*.deep.example": {Delay: ptr(time.Minute)},
	}}
	for origin, want := range map[string]string{
		"http://api.example:8080": "0s 4", "http://x.api.example": "1s 2", "http://a.b.deep.example": "1m0s 1",
		"http://example": "1s 1", "http://[::1]:80": "1s 1",
	} {
		g, _ := newTestGate(p, Options{})
		h := g.blank(origin)
		if got := fmt.Sprint(h.delay, " ", h.limit); got != want {
			t.Errorf("%s: %s, want %s", origin, got, want)
		}
	}
}

func TestMistakesOfTheCallerGiveNoAccess(t *testing.T) {
	g, _ := newTestGate(Policy{IgnoreRobots: true}, Options{})
	for _, url := range []string{"https://a.example.evil/", "http://a.example/", "", "https://a.example:81/"} {
		expect(t, g.Decide(site, url), Skip)
	}
	expect(t, g.Decide("", "x"), Skip)
	d := expect(t, g.Decide(site, site+"?q"), Go)
	d.Grant.Cancel()
	d.Grant.Done(retryAfter429("100"))
	d.Grant.Cancel()
	expect(t, g.Decide(site, site+"/"), Go) // nothing was sent
	if _, err := d.Grant.Begin(); !errors.Is(err, ErrNotGranted) {
		t.Errorf("a used grant begins: %v", err)
	}
}

func TestExplainChangesNothing(t *testing.T) {
	g, c := newTestGate(Policy{Delay: time.Second, Concurrency: 3}, Options{})
	if x := g.Explain(site, site+"/"); x.Robots != "not fetched yet" || x.Owed != time.Second || x.Concurrency != 1 || len(g.hosts) != 0 {
		t.Errorf("%+v", x)
	}
	d := g.Decide(site, site+"/")
	if x := g.Explain(site, site+"/"); x.Robots != "being fetched" || x.InFlight != 1 {
		t.Errorf("%+v", x)
	}
	d.Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nCrawl-delay: 4\nDisallow: /x")})
	x := g.Explain(site, site+"/x")
	if !x.Known || x.Verdict.Line != 3 || x.Verdict.Allowed || x.By != ByCrawlDelay+", line 2" || x.Until.Sub(c.now()) != 4*time.Second {
		t.Errorf("%+v", x)
	}
}

func ptr[T any](v T) *T { return &v }

func BenchmarkDecide(b *testing.B) {
	g, c := newTestGate(Policy{Agent: "bookbot", Delay: time.Second}, Options{})
	var body strings.Builder
	body.WriteString("User-agent: *\n")
	for i := range 2000 {
		fmt.Fprintf(&body, "Disallow: /section-%d/topic-%d/\n", i%200, i)
	}
	g.Decide(site, site+"/").Grant.Done(Result{Status: 200, Body: []byte(body.String())})
	b.Run("go", func(b *testing.B) {
		for b.Loop() {
			c.add(time.Second)
			d := g.Decide(site, site+"/section-17/some-article-title?page=2")
			d.Grant.Done(Result{Status: 200})
		}
	})
	b.Run("wait", func(b *testing.B) {
		for b.Loop() {
			g.Decide(site, site+"/section-17/some-article-title?page=2")
		}
	})
}
