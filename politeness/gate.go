package politeness

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

// The errors a caller acts on. Others wrap them with the place.
var (
	// ErrNotGranted means that a request was about to be sent that no grant
	// covers. Nothing was sent. It is a mistake of the program.
	ErrNotGranted = errors.New("politeness: request not granted")
	// ErrTooEarly means that a granted request must wait a little longer.
	ErrTooEarly = errors.New("politeness: too early")
	// ErrRobots means that robots.txt could not be had.
	ErrRobots = errors.New("robots.txt unreachable")
	// ErrPrivateAddress means that a name led to an address that is not public.
	// Nothing was sent.
	ErrPrivateAddress = errors.New("address is not public")
)

// Action is what to do with a URL.
type Action uint8

// The answers of Gate.Decide.
const (
	// Wait: nothing may be sent to the host before Decision.Until.
	Wait Action = iota
	// Go: send the request, now, under Decision.Grant.
	Go
	// Skip: the URL must not be fetched, for Decision.Reason.
	Skip
	// FetchRobots: fetch Decision.Robots, now, under Decision.Grant, without
	// following redirects, hand the answer to Grant.Done and decide again.
	FetchRobots
)

// String names the action.
func (a Action) String() string {
	return [...]string{"wait", "go", "skip", "fetch robots.txt"}[a]
}

// Decision is the answer for one URL at one instant.
type Decision struct {
	Action Action
	// Reason of a Skip, for people, such as
	// "robots.txt line 12: Disallow: /private/".
	Reason string
	// Line of robots.txt that decided a Go or a Skip, 0 without one.
	Line int
	// RobotsHash is the version of robots.txt that a Go or a Skip rests on;
	// zero where there was no file to read.
	RobotsHash [16]byte
	// Err of a Skip tells why robots.txt could not be had and wraps ErrRobots;
	// nil when a rule decided.
	Err error
	// Until is the instant before which a Wait need not ask again.
	Until time.Time
	// By names who asked for a Wait.
	By string
	// Robots is the URL of a FetchRobots.
	Robots string
	// Grant of a Go or FetchRobots; Done or Cancel must be called on it.
	Grant *Grant
}

// Gate decides for all hosts of a crawl. It is safe for concurrent use.
type Gate struct {
	policy   Policy
	maxHosts int
	maxRules int
	resumed  bool
	random   func() float64
	pause    func(ctx context.Context, d time.Duration) error

	mu        sync.Mutex // guards all below and every host
	clock     clock
	created   time.Time
	hosts     map[string]*host
	used      *list.List // of *host, the latest used first
	rulesSize int        // of all hosts together
}

// New makes a gate. Policy and options are copied; zero values mean the
// defaults.
func New(policy Policy, options Options) *Gate {
	policy.fill()
	policy.Hosts = maps.Clone(policy.Hosts)
	options.fill()
	g := &Gate{
		policy: policy, maxHosts: options.MaxHosts, maxRules: options.MaxRules,
		resumed: options.Resumed, random: options.Rand, pause: pause,
		clock: clock{source: options.Now},
		hosts: make(map[string]*host), used: list.New(),
	}
	g.created = g.clock.now()
	return g
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Decide says what to do now with an absolute URL of the given origin
// ("scheme://host[:port]", lower case, without a default port).
func (g *Gate) Decide(origin, url string) Decision {
	if !within(origin, url) {
		return Decision{Action: Skip, Reason: fmt.Sprintf("not a URL of %q", origin)}
	}
	var asked *robots.Rules
	var verdict robots.Verdict
	for {
		d, rules := g.decide(origin, url, asked, verdict)
		if rules == nil {
			return d
		}
		// Rules are compared without the lock: a hostile file takes
		// milliseconds.
		asked, verdict = rules, rules.Check(url)
	}
}

// decide answers, or names the rules whose verdict it needs to go on.
func (g *Gate) decide(origin, url string, asked *robots.Rules, verdict robots.Verdict) (Decision, *robots.Rules) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	h := g.open(origin, now)
	if h == nil {
		return g.later(now.Add(tablePoll), ByTable), nil
	}
	var d Decision
	if h.web && !g.policy.IgnoreRobots {
		var ok bool
		if d, ok = g.consult(h, now); !ok {
			return d, nil
		}
		if h.robots.rules != asked {
			return Decision{}, h.robots.rules
		}
		d.Line, d.RobotsHash = verdict.Line, h.robots.hash
		if !verdict.Allowed {
			d.Action = Skip
			d.Reason = fmt.Sprintf("robots.txt line %d: %s", verdict.Line, verdict.Text)
			return d, nil
		}
	}
	until, by, ok := h.wait(&g.policy, now)
	if !ok {
		return g.later(until, by), nil
	}
	d.Action, d.Grant = Go, g.grant(h, url)
	return d, nil
}

// later is a Wait.
func (g *Gate) later(until time.Time, by string) Decision {
	return Decision{Action: Wait, Until: g.clock.outside(until), By: by}
}

// State returns what the keeper of a queue should know about an origin.
func (g *Gate) State(origin string) HostState {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	h := g.hosts[origin]
	if h == nil {
		h = g.blank(origin)
	}
	return g.state(h, now)
}

func (g *Gate) state(h *host, now time.Time) HostState {
	due, _ := h.due()
	if h.web && !g.policy.IgnoreRobots && !h.robots.usable(now) &&
		h.robots.failures < g.policy.RobotsTries && h.robots.retryAt.After(due) {
		due = h.robots.retryAt
	}
	owed, _ := h.owed()
	return HostState{
		NotBefore:   g.clock.outside(due),
		Spacing:     owed,
		Concurrency: h.concurrency(&g.policy),
		Opaque:      h.remember(&g.clock),
	}
}

// Restore takes back what an earlier process kept about an origin. Only debts
// are restored, at most the longest that this policy allows; calling it for a
// host already in use can only lengthen its wait.
func (g *Gate) Restore(origin string, s HostState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	h := g.open(origin, now)
	if h == nil {
		return
	}
	latest := now.Add(max(g.policy.MaxRetryAfter, backoffMax))
	h.recall(s.Opaque, &g.clock, latest)
	if !s.NotBefore.IsZero() {
		until := g.clock.inside(s.NotBefore)
		if until.After(latest) {
			until = latest
		}
		h.put(until, ByRestart)
	}
}

// open returns the host of an origin, making room for a new one; nil when
// every host in memory still owes something.
func (g *Gate) open(origin string, now time.Time) *host {
	if h := g.hosts[origin]; h != nil {
		g.used.MoveToFront(h.used)
		return h
	}
	if len(g.hosts) >= g.maxHosts && !g.forget(now) {
		return nil
	}
	for g.rulesSize > g.maxRules && g.forget(now) {
	}
	h := g.blank(origin)
	h.used = g.used.PushFront(h)
	g.hosts[origin] = h
	return h
}

func (g *Gate) blank(origin string) *host {
	scheme, name := splitOrigin(origin)
	h := &host{origin: origin, web: scheme == "http" || scheme == "https"}
	h.delay, h.limit = g.policy.of(name)
	if g.resumed {
		h.put(g.created.Add(h.delay), ByRestart)
	}
	return h
}

// tablePoll is how long a caller is sent away who finds the table full.
const tablePoll = time.Second

// scan bounds the search for a host to forget.
const scan = 64

// forget drops the host that was used longest ago among those that owe
// nothing.
func (g *Gate) forget(now time.Time) bool {
	e := g.used.Back()
	for i := 0; e != nil && i < scan; i++ {
		h := e.Value.(*host)
		if h.idle(now) {
			g.forgetRules(h)
			g.used.Remove(e)
			delete(g.hosts, h.origin)
			return true
		}
		// Out of the way, so that the next search looks further.
		before := e.Prev()
		g.used.MoveToFront(e)
		e = before
	}
	return false
}

func (g *Gate) forgetRules(h *host) {
	if h.robots.rules != nil {
		g.rulesSize -= h.robots.rules.Size()
	}
}
