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

// RFC 9309 section 2.3.1: what each kind of answer means.
// RFC 9309 section 2.3.1.2: five redirects, also to other hosts, each in the
// time of the host it leads to.
// A host whose robots.txt is being fetched from elsewhere is not forgotten,
// though nothing is in flight on it.
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
	waits(retryAfter429("soon"), BackoffFirst, ByBackoff)
	waits(Result{Status: 503}, 2*BackoffFirst, ByBackoff)
	waits(Result{Status: 200}, 0, "")
	waits(Result{Status: 503}, 2*BackoffFirst, ByBackoff)
	for range 20 {
		w := g.Decide(site, site+"/").Grant.Done(Result{Status: 429}).NotBefore.Sub(c.now())
		if w > BackoffMost {
			t.Fatalf("backs off %v", w)
		}
		c.add(w)
	}
}

// Sixty-four answers of one overload are one word of the server, not sixty-four.
func TestBusyAnswersToRequestsUnderWayTogetherCountOnce(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		g, c := newTestGate(Policy{IgnoreRobots: true, Concurrency: 64, CircuitAfter: -1}, Options{})
		burst := func(want time.Duration) {
			t.Helper()
			var grants []*Grant
			for range 64 {
				grants = append(grants, expect(t, g.Decide(site, site+"/"), Go).Grant)
				if _, err := grants[len(grants)-1].Begin(); err != nil {
					t.Fatal(err)
				}
			}
			var last time.Duration
			for _, grant := range grants {
				last = grant.Done(Result{Status: status}).NotBefore.Sub(c.now())
			}
			if last != want {
				t.Errorf("after a burst of %d: %v, want %v", status, last, want)
			}
			c.add(last)
		}
		burst(BackoffFirst)
		burst(2 * BackoffFirst)
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
	if Outlived(state.Opaque, c.now().Add(9*time.Minute)) || !Outlived(state.Opaque, c.now().Add(10*time.Minute)) || !Outlived([]byte{1}, c.now()) {
		t.Error("it is not outlived when the debt is paid")
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
	if g.shelf.size > 3000 {
		t.Errorf("%d octets of rules kept", g.shelf.size)
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
	if _, _, known := g.Consult("https://other.example", "https://other.example/"); known || len(g.hosts) != 1 {
		t.Error("something is known of a host that was never asked about")
	}
	x := g.Explain(site, site+"/x")
	if v, _, known := g.Consult(site, site+"/x"); !known || v != x.Verdict {
		t.Errorf("consulted: %+v, explained: %+v", v, x.Verdict)
	}
	if x.Least != 4*time.Second || x.LeastBy != x.By || x.GroupDelay != 0 {
		t.Errorf("at least %v by %q, of the group %v", x.Least, x.LeastBy, x.GroupDelay)
	}
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
