package politeness

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// library is a gate with room for few rules, and the disk that it drops them to.
type library struct {
	*Gate
	clock *fakeClock
	mu    sync.Mutex
	disk  map[string][]byte
}

func origin(i int) string { return fmt.Sprintf("http://h%d.example", i) }

func newLibrary(p Policy) *library {
	l := &library{disk: map[string][]byte{}}
	p.Agent, p.Digest = "bookbot", func(body []byte) any { return len(body) }
	l.Gate, l.clock = newTestGate(p, Options{MaxRules: 1, Recall: func(origin string) []byte {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.disk[origin]
	}})
	return l
}

func (l *library) learn(t *testing.T, origin, body string) {
	t.Helper()
	s := expect(t, l.Decide(origin, origin+"/"), FetchRobots).Grant.Done(Result{Status: 200, Body: []byte(body)})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disk[origin] = s.Robots
}

// Hosts keep to their own rules, also those that were dropped in between.
func TestDroppedRulesAreReadAgain(t *testing.T) {
	l := newLibrary(Policy{Delay: time.Second})
	const hosts = 20
	for i := range hosts {
		l.learn(t, origin(i), fmt.Sprintf("User-agent: *\nDisallow: /only-%d\nCrawl-delay: %d\n", i, i%7))
	}
	if n := l.shelf.texts.Len(); n != 1 {
		t.Fatalf("%d texts are held", n)
	}
	l.clock.add(time.Minute)
	for round := range 3 {
		for i := range hosts {
			d := expect(t, l.Decide(origin(i), fmt.Sprintf("%s/only-%d", origin(i), i)), Skip)
			if want := fmt.Sprintf("robots.txt line 2: Disallow: /only-%d", i); d.Reason != want {
				t.Fatalf("%q, want %q", d.Reason, want)
			}
			d = expect(t, l.Decide(origin(i), fmt.Sprintf("%s/only-%d", origin(i), (i+1)%hosts)), Go)
			d.Grant.Done(Result{Status: 200})
			other := origin((i + 7) % hosts) // its text is not in memory
			if digest, ok := l.Digest(other).(int); !ok || digest < 20 {
				t.Fatalf("round %d: digest %v", round, digest)
			}
			if x := l.Explain(other, fmt.Sprintf("%s/only-%d", other, (i+7)%hosts)); !x.Known || x.Verdict.Allowed {
				t.Fatalf("%+v", x)
			}
			if s := l.State(other); s.Spacing != time.Duration(max((i+7)%hosts%7, 1))*time.Second {
				t.Fatalf("host %d: a delay of %v", (i+7)%hosts, s.Spacing)
			}
		}
		l.clock.add(time.Minute)
	}
}

// A copy whose text is lost does not serve, but its delay holds until robots.txt
// was fetched anew.
func TestLostRulesAreFetchedAnew(t *testing.T) {
	l := newLibrary(Policy{Delay: time.Second})
	l.learn(t, origin(0), "User-agent: *\nDisallow: /\nCrawl-delay: 30\n")
	for i, lost := range []func(){
		func() { delete(l.disk, origin(0)) },
		func() { l.disk[origin(0)] = l.disk[origin(1)] },
		func() { l.disk[origin(0)] = []byte("torn") },
	} {
		l.learn(t, origin(i+1), "User-agent: *\nDisallow: /x\n") // drops that of host 0
		kept := l.disk[origin(0)]
		lost()
		w := expect(t, l.Decide(origin(0), origin(0)+"/"), Wait)
		if w.Until.Sub(l.clock.now()) != 30*time.Second {
			t.Errorf("waits %v", w.Until.Sub(l.clock.now()))
		}
		l.clock.add(30 * time.Second)
		d := expect(t, l.Decide(origin(0), origin(0)+"/"), FetchRobots)
		if d.Header != nil {
			t.Errorf("asked by what is lost: %v", d.Header)
		}
		s := d.Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nDisallow: /\nCrawl-delay: 30\n")})
		if s.Robots == nil {
			t.Error("what was fetched anew is not kept")
		}
		l.disk[origin(0)] = kept
		expect(t, l.Decide(origin(0), origin(0)+"/"), Skip)
	}
}

// Many ask about many hosts while there is room for the rules of one.
func TestDroppedRulesUnderLoad(t *testing.T) {
	l := newLibrary(Policy{})
	const hosts = 8
	for i := range hosts {
		l.learn(t, origin(i), fmt.Sprintf("User-agent: *\nDisallow: /only-%d\n", i))
	}
	var all sync.WaitGroup
	for w := range hosts {
		all.Go(func() {
			for n := range 300 {
				i := (w + n) % hosts
				switch d := l.Decide(origin(i), fmt.Sprintf("%s/only-%d", origin(i), i)); d.Action {
				case Go, FetchRobots:
					t.Errorf("%+v", d)
				}
			}
		})
	}
	all.Wait()
	if l.shelf.texts.Len() != 1 || l.shelf.size > 10_000 {
		t.Errorf("%d texts of %d octets", l.shelf.texts.Len(), l.shelf.size)
	}
}
