package politeness

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// witness keeps the account that a server would: when requests started and
// ended, in a time that no clock jump touches.
type witness struct {
	inFlight int
	last     time.Duration // of any start or end; -1 at first
	debt     time.Duration // nothing before, by Retry-After
	crawl    time.Duration // of the robots.txt that was delivered
	denied   []string      // by it
	known    bool
}

type flight struct {
	grant                      *Grant
	on, asker                  string // hosts
	robots, begun, conditional bool
}

type world struct {
	t       *rapid.T
	gate    *Gate
	clock   *fakeClock
	true    time.Duration // since the beginning, never back
	policy  Policy
	origins []string
	seen    map[string]*witness
	flights []*flight

	options Options
	groups  map[string]*witness // by address; each origin has one
	debts   map[string][]byte   // what is kept, nil when nothing is
	robots  map[string][]byte
}

// address has two hosts share one.
func address(origin string) string { return "192.0.2." + origin[len("http://h"):][:1] }

func (w *world) owed(origin string) time.Duration {
	return max(w.policy.Delay, min(w.seen[origin].crawl, w.policy.MaxCrawlDelay))
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, seen: map[string]*witness{}}
	w.policy = Policy{
		Agent:         "bookbot",
		Delay:         time.Duration(rapid.SampledFrom([]int{0, 1, 1000, 3000}).Draw(t, "delay")) * time.Millisecond,
		Concurrency:   rapid.IntRange(1, 3).Draw(t, "concurrency"),
		IgnoreRobots:  rapid.Bool().Draw(t, "ignore"),
		MaxCrawlDelay: 5 * time.Second,
		MaxRetryAfter: 30 * time.Second,
	}
	w.policy.Group = rapid.SampledFrom([]Group{GroupHost, GroupAddress}).Draw(t, "group")
	w.policy.Adaptive = rapid.Bool().Draw(t, "adaptive")
	w.options = Options{MaxHosts: rapid.IntRange(2, 6).Draw(t, "hosts")}
	w.options.Address = func(origin string) (string, bool) { return address(origin), true }
	if rapid.Bool().Draw(t, "kept") {
		w.debts, w.robots = map[string][]byte{}, map[string][]byte{}
		w.options.Debts = func(key string) []byte { return w.debts[key] }
		w.options.Recall = func(origin string) []byte { return w.robots[origin] }
	}
	w.gate, w.clock = newTestGate(w.policy, w.options)
	w.groups = map[string]*witness{}
	for i := range 4 {
		o := fmt.Sprintf("http://h%d%d.example", i/2, i)
		w.origins = append(w.origins, o)
		w.seen[o] = &witness{last: -1, known: w.policy.IgnoreRobots}
		w.groups[address(o)] = &witness{last: -1}
	}
	return w
}

// restart goes on with another process, which knows what was kept and nothing
// of the requests that were under way.
func (w *world) restart(*rapid.T) {
	if w.debts == nil {
		return
	}
	for _, f := range w.flights {
		if f.begun {
			w.ended(f.on)
		}
	}
	w.flights = nil
	o := w.options
	o.Resumed, o.Now, o.Rand = true, w.clock.now, func() float64 { return 0 }
	w.gate = New(w.policy, o)
}

// keep does what the keeper of the queue does with a state.
func (w *world) keep(origin string, s HostState) {
	if w.debts == nil {
		return
	}
	w.debts[origin] = s.Opaque
	if s.Group != "" {
		w.debts[s.Group] = s.GroupOpaque
	}
	if s.Robots != nil {
		w.robots[origin] = s.Robots
	}
}

func (w *world) ended(origin string) {
	for _, s := range []*witness{w.seen[origin], w.groups[address(origin)]} {
		s.inFlight--
		s.last = w.true
	}
}

func (w *world) decide(t *rapid.T) {
	origin := rapid.SampledFrom(w.origins).Draw(t, "origin")
	url := origin + rapid.SampledFrom([]string{"/", "/a", "/b/c", "/a/b"}).Draw(t, "path")
	before := w.clock.now()
	d := w.gate.Decide(origin, url)
	switch d.Action {
	case Go:
		s := w.seen[origin]
		if !s.known {
			w.t.Fatalf("%s granted before robots.txt was known", url)
		}
		for _, p := range s.denied {
			if strings.HasPrefix(url, origin+p) {
				w.t.Fatalf("%s granted though %s is disallowed", url, p)
			}
		}
		w.flights = append(w.flights, &flight{grant: d.Grant, on: origin, asker: origin})
	case FetchRobots:
		for _, f := range w.flights {
			if f.robots && f.asker == origin {
				w.t.Fatalf("robots.txt of %s fetched twice at once", origin)
			}
		}
		w.flights = append(w.flights, &flight{grant: d.Grant, on: originOf(d.Robots), asker: origin, robots: true, conditional: d.Header != nil})
	case Wait:
		if d.Until.Before(before) || d.Until.After(before.Add(2*time.Hour)) {
			w.t.Fatalf("waits until %v by %q, now %v", d.Until, d.By, before)
		}
	case Skip:
		if d.Reason == "" {
			w.t.Fatal("skipped without a reason")
		}
	}
}

func (w *world) pick(t *rapid.T, begun bool) *flight {
	var fit []*flight
	for _, f := range w.flights {
		if f.begun == begun {
			fit = append(fit, f)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[rapid.IntRange(0, len(fit)-1).Draw(t, "flight")]
}

func (w *world) begin(t *rapid.T) {
	f := w.pick(t, false)
	if f == nil {
		return
	}
	_, err := f.grant.Begin()
	s := w.seen[f.on]
	if errors.Is(err, ErrTooEarly) {
		return
	}
	if err != nil {
		w.t.Fatal(err)
	}
	limit := w.policy.Concurrency
	if !s.known {
		limit = 1
	}
	if s.inFlight >= limit {
		w.t.Fatalf("%d in flight on %s, and another starts", s.inFlight, f.on)
	}
	if owed := w.owed(f.on); s.last >= 0 && w.true-s.last < owed {
		w.t.Fatalf("%s: starts after %v, owed %v", f.on, w.true-s.last, owed)
	}
	if w.true < s.debt {
		w.t.Fatalf("%s: starts %v before Retry-After is over", f.on, s.debt-w.true)
	}
	group := w.groups[address(f.on)]
	if w.policy.Group == GroupAddress {
		if group.inFlight >= w.policy.Concurrency {
			w.t.Fatalf("%d in flight at the address of %s, and another starts", group.inFlight, f.on)
		}
		if group.last >= 0 && w.true-group.last < w.policy.Delay || w.true < group.debt {
			w.t.Fatalf("%s: starts %v after another at its address, debt %v", f.on, w.true-group.last, group.debt-w.true)
		}
	}
	f.begun = true
	for _, s := range []*witness{s, group} {
		s.inFlight++
		s.last = w.true
	}
}

func (w *world) drop(f *flight) {
	for i, x := range w.flights {
		if x == f {
			w.flights = append(w.flights[:i], w.flights[i+1:]...)
			return
		}
	}
}

func (w *world) cancel(t *rapid.T) {
	if f := w.pick(t, false); f != nil {
		w.drop(f)
		f.grant.Cancel()
	}
}

func (w *world) done(t *rapid.T) {
	f := w.pick(t, true)
	if f == nil {
		return
	}
	w.drop(f)
	s := w.seen[f.on]
	w.ended(f.on)
	r := Result{Header: http.Header{}, Status: rapid.SampledFrom([]int{200, 200, 200, 301, 404, 429, 503, 0}).Draw(t, "status")}
	if r.Status == 0 {
		r.Err = errors.New("reset")
	}
	if r.Status != 0 && rapid.IntRange(0, 5).Draw(t, "asks") == 0 {
		n := rapid.IntRange(1, 60).Draw(t, "seconds")
		r.Header.Set("Retry-After", fmt.Sprint(n))
		until := w.true + min(time.Duration(n)*time.Second, w.policy.MaxRetryAfter)
		if r.Status == 429 {
			group := w.groups[address(f.on)]
			group.debt = max(group.debt, until)
		}
		if r.Status != 429 || w.policy.Group == GroupHost {
			s.debt = max(s.debt, until)
		}
	}
	if f.robots {
		w.doneRobots(t, f, &r)
	}
	state := f.grant.Done(r)
	if owed := w.owed(f.asker); state.Spacing < owed || state.Spacing > owed && !w.policy.Adaptive {
		w.t.Fatalf("spacing %v, owed %v", state.Spacing, owed)
	}
	w.keep(f.asker, state)
	if at := f.grant.Host(); at != f.asker {
		w.keep(at, w.gate.State(at))
	}
}

func (w *world) doneRobots(t *rapid.T, f *flight, r *Result) {
	asker := w.seen[f.asker]
	if f.conditional && rapid.Bool().Draw(t, "unchanged") {
		r.Status = 304
	}
	switch r.Status {
	case 200:
		asker.known, asker.crawl, asker.denied = true, 0, nil
		var b strings.Builder
		b.WriteString("User-agent: *\n")
		if rapid.Bool().Draw(t, "crawl") {
			asker.crawl = time.Duration(rapid.IntRange(0, 80).Draw(t, "tenths")) * 100 * time.Millisecond
			fmt.Fprintf(&b, "Crawl-delay: %v\n", asker.crawl.Seconds())
		}
		if rapid.Bool().Draw(t, "deny") {
			asker.denied = []string{"/a"}
			b.WriteString("Disallow: /a\n")
		}
		r.Body = []byte(b.String())
		if rapid.Bool().Draw(t, "short") {
			r.Header.Set("Cache-Control", "max-age=300")
			r.Header.Set("ETag", `"v"`)
		}
	case 404:
		asker.known, asker.crawl, asker.denied = true, 0, nil
	case 301:
		r.Header.Set("Location", rapid.SampledFrom(append([]string{"/r", ":bad"}, w.origins...)).Draw(t, "location"))
	}
}

func (w *world) pass(t *rapid.T) {
	d := time.Duration(rapid.SampledFrom([]int{1, 100, 999, 1000, 2500, 9000, 40_000}).Draw(t, "ms")) * time.Millisecond
	w.true += d
	w.clock.add(d)
}

// back moves the clock back; the gate hears of it at its next look, so no true
// time passes before that.
func (w *world) back(t *rapid.T) {
	w.gate.State(w.origins[0])
	w.clock.add(-time.Duration(rapid.IntRange(1, 7200).Draw(t, "back")) * time.Second)
	w.gate.State(w.origins[0])
}

// evicted forgets what the gate forgot: robots.txt is then fetched anew.
func (w *world) evicted() {
	for o, s := range w.seen {
		if w.gate.hosts[o] == nil {
			if w.debts != nil {
				continue // it was kept
			}
			s.known, s.crawl, s.denied = w.policy.IgnoreRobots, 0, nil
			if s.inFlight > 0 {
				w.t.Fatalf("%s was forgotten with requests in flight", o)
			}
		}
	}
}

// Whatever callers, servers and the clock do, and wherever the process ends and
// another goes on: never more requests in flight than permitted, never less than
// the owed delay between an end or a start and the next start, for each host and
// for each group, nothing before Retry-After is over, nothing disallowed.
func TestPromisesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		act := func(f func(*rapid.T)) func(*rapid.T) {
			return func(t *rapid.T) { f(t); w.evicted() }
		}
		for range 3 { // a world long enough for robots.txt to be learned and renewed
			t.Repeat(map[string]func(*rapid.T){
				"decide": act(w.decide), "decide again": act(w.decide), "begin": act(w.begin), "begin again": act(w.begin),
				"done": act(w.done), "cancel": act(w.cancel), "pass": act(w.pass), "clock back": act(w.back), "restart": act(w.restart),
			})
		}
	})
}

// A host that answers well is never starved: waiting until the instant that a
// Wait names is enough.
func TestWaitIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		origin := w.origins[0]
		for range 20 {
			d := w.gate.Decide(origin, origin+"/")
			if d.Action == Wait {
				w.clock.add(d.Until.Sub(w.clock.now()))
				d = w.gate.Decide(origin, origin+"/")
			}
			if d.Action == Wait {
				t.Fatalf("waits again until %v by %q", d.Until, d.By)
			}
			r := Result{Status: 200, Header: http.Header{}}
			if rapid.Bool().Draw(t, "busy") {
				r = Result{Status: 429, Header: http.Header{"Retry-After": {"3"}}}
			}
			if d.Action == FetchRobots {
				r = Result{Status: 404}
			}
			if back := rapid.IntRange(0, 3).Draw(t, "back"); back == 0 {
				w.clock.add(-time.Hour)
			}
			state := d.Grant.Done(r)
			most := max(w.policy.Delay, 3*time.Second)
			if w.policy.Adaptive {
				most = DefaultMaxDelay
			}
			if wait := state.NotBefore.Sub(w.clock.now()); wait > most {
				t.Fatalf("owes %v", wait)
			}
		}
	})
}
