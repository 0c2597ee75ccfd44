package politeness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
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
	// ErrLapsed means that a grant was not used in its time: the crawl window
	// has closed, or the host has moved to another group. Nothing was sent;
	// cancel the grant and ask again.
	ErrLapsed = errors.New("politeness: the grant has lapsed")
	// ErrRobots means that robots.txt could not be had.
	ErrRobots = errors.New("robots.txt unreachable")
	// ErrUnreachable means that a host failed for so long that it is given up.
	ErrUnreachable = errors.New("host unreachable")
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
	// FetchFile: do the same, where Decision.Robots is the URL of Policy.File.
	FetchFile
)

// String names the action.
func (a Action) String() string {
	return [...]string{"wait", "go", "skip", "fetch robots.txt", "fetch file"}[a]
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
	// Digest is what Policy.Digest made of that version, nil without one.
	Digest any
	// File is what SiteFile.Read made of the host's file; nil without Policy.File.
	File any
	// Err of a Skip tells why robots.txt could not be had and wraps ErrRobots,
	// or that the host is given up and wraps ErrUnreachable; nil when a rule
	// decided.
	Err error
	// Until is the instant before which a Wait need not ask again.
	Until time.Time
	// By names who asked for a Wait.
	By string
	// Robots is the URL of a FetchRobots or FetchFile, Header the fields to send with it so
	// that the answer may be 304 (Not Modified); nil for none.
	Robots string
	Header http.Header
	// Grant of a Go, FetchRobots or FetchFile; Done or Cancel must be called on it.
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
	noRules  *robotsCopy // of an empty file
	common   *Common     // nil without other gates

	recallRobots func(origin string) []byte
	recallSite   func(origin string) []byte
	debts        func(key string) []byte
	address      func(origin string) (string, bool)

	mu      sync.Mutex // guards all below, every host and every group
	clock   clock
	created time.Time
	hosts   map[string]*host
	groups  map[string]*group // of the hosts above
	used    hostList
	shelf   shelf
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
		recallRobots: options.Recall, recallSite: options.RecallFile, debts: options.Debts, address: options.Address,
		clock: clock{source: options.Now}, common: options.Common,
		hosts: make(map[string]*host), groups: make(map[string]*group),
	}
	g.noRules = newCopy(nil, &g.policy)
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
	var known answer
	for {
		d, ask := g.decide(origin, url, known)
		switch {
		case ask.read != nil:
			ask.read()
		case ask.file != "":
			known.fileRules, known.fileURL, known.file = ask.rules, ask.file, ask.rules.Check(ask.file)
		case ask.rules != nil:
			// Rules are compared without the lock: a hostile file takes
			// milliseconds.
			known.rules, known.verdict = ask.rules, ask.rules.Check(url)
		default:
			return d
		}
	}
}

// question is what has to be known to go on, and is found out without the
// lock: what some rules say of the URL, or what was kept of a host.
type question struct {
	rules *robots.Rules
	file  string // the URL of Policy.File, when they are asked about that
	read  func()
}

type answer struct {
	rules   *robots.Rules
	verdict robots.Verdict

	fileRules *robots.Rules
	fileURL   string
	file      robots.Verdict
}

// decide answers, or asks what it needs to go on.
func (g *Gate) decide(origin, url string, known answer) (Decision, question) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	h := g.open(origin, now)
	if h == nil {
		return g.later(now.Add(tablePoll), ByTable), question{}
	}
	if read, wait := g.unread(h); read != nil || wait {
		return g.later(now.Add(busyPoll), ByMemory), question{read: read}
	}
	if h.hopeless(&g.policy, now) {
		return h.circuit.unreachable(&g.clock), question{}
	}
	var d Decision
	if h.robotsHold(&g.policy) {
		d, read, ok := g.consult(h, now)
		if !ok {
			return d, question{read: read}
		}
		if rules := h.robots.copy.text.rules; rules != known.rules {
			return d, question{rules: rules}
		}
	}
	d = h.judged(known.verdict)
	if d.Action == Skip {
		return d, question{}
	}
	if h.web && g.policy.File != nil {
		what, ask, ok := g.consultFile(h, known, now)
		if !ok {
			return what, ask
		}
		d.File = h.file.digest()
	}
	if c, ok := h.wait(&g.policy, &g.clock, now); !ok {
		return g.later(c.until, h.name(c)), question{}
	}
	if taken, ok := g.claim(h, now); !ok {
		return taken, question{}
	}
	d.Grant = g.grant(h, url)
	return d, question{}
}

// claim takes a host's time from the gates that it is shared with; a grant must
// follow. ok is false, with a Wait, where another gate has it.
func (g *Gate) claim(h *host, now time.Time) (d Decision, ok bool) {
	owed, _ := h.owed()
	if wait := g.common.claim(g, h.commonKeys(), owed, h.concurrency(&g.policy)); wait > 0 {
		return g.later(now.Add(wait), ByOther), false
	}
	return d, true
}

// judged is a Go or a Skip by what robots.txt says.
func (h *host) judged(v robots.Verdict) Decision {
	if h.robots.copy == nil { // nothing is asked for
		return Decision{Action: Go}
	}
	d := Decision{Action: Go, Line: v.Line, RobotsHash: h.robots.copy.hash, Digest: h.robots.copy.text.digest}
	if !v.Allowed {
		d.Action = Skip
		d.Reason = fmt.Sprintf("robots.txt line %d: %s", v.Line, v.Text)
	}
	return d
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
	c := h.opening(now, &g.clock)
	due := c.until
	if t := h.robots.trouble; t != nil && h.robotsHold(&g.policy) && !h.robots.copy.fresh(now) &&
		t.failures < g.policy.RobotsTries && t.retryAt.After(due) {
		due = t.retryAt
	}
	owed, _ := h.owed()
	s := HostState{
		NotBefore:   g.clock.outside(due),
		Spacing:     owed,
		Concurrency: h.concurrency(&g.policy),
		Opaque:      h.remember(&g.clock),
	}
	if h.group != nil {
		s.Group, s.GroupOpaque = h.group.key, h.group.remember(&g.clock)
	}
	return s
}

// Digest returns what Policy.Digest made of an origin's robots.txt, nil where
// none is known. It may call Options.Recall.
func (g *Gate) Digest(origin string) any {
	if t := g.text(origin); t != nil {
		return t.digest
	}
	return nil
}

// Restore takes back what an earlier process kept about an origin. Only debts
// are restored, at most the longest that this policy allows; calling it for a
// host already in use can only lengthen its wait. It need not be called where
// Options.Debts is given, except for a NotBefore.
func (g *Gate) Restore(origin string, s HostState) {
	for {
		g.mu.Lock()
		now := g.clock.now()
		h := g.open(origin, now)
		if h == nil {
			g.mu.Unlock()
			return
		}
		if read, _ := g.unread(h); read != nil {
			g.mu.Unlock()
			read()
			continue
		}
		g.restore(h, s, now)
		g.mu.Unlock()
		return
	}
}

func (g *Gate) restore(h *host, s HostState, now time.Time) {
	h.recall(s.Opaque, g, now)
	if h.group != nil && h.group.key == s.Group {
		if o, ok := readOpaque(s.GroupOpaque); ok {
			h.group.restore(o.lane(), g, now)
		}
	}
	if !s.NotBefore.IsZero() {
		h.put(g.clock.future(s.NotBefore, now, g.longest()), byRestart)
	}
}

// open returns the host of an origin, making room for a new one; nil when
// every host in memory still owes something.
func (g *Gate) open(origin string, now time.Time) *host {
	if h := g.hosts[origin]; h != nil {
		g.used.use(h)
		return h
	}
	if len(g.hosts) >= g.maxHosts && !g.forget(now) {
		return nil
	}
	g.settleShelf()
	for g.shelf.size > g.maxRules && g.forget(now) {
	}
	h := g.blank(origin)
	g.used.push(h)
	g.hosts[origin] = h
	return h
}

func (g *Gate) blank(origin string) *host {
	scheme, _ := splitOrigin(origin)
	h := &host{origin: origin, web: scheme == "http" || scheme == "https"}
	h.delay, h.limit, h.hours = g.policy.of(origin)
	h.api = g.policy.exception(origin).API
	h.inherit(g)
	return h
}

// tablePoll is how long a caller is sent away who finds the table full.
const tablePoll = time.Second

// scan bounds the search for a host to forget.
const scan = 64

// forget drops the host that was used longest ago among those that owe
// nothing.
func (g *Gate) forget(now time.Time) bool {
	h := g.used.oldest
	for i := 0; h != nil && i < scan; i++ {
		if h.idle(now) {
			g.shelf.remove(h.robots.copy)
			g.shelf.size -= h.file.size()
			g.quit(h)
			g.used.remove(h)
			delete(g.hosts, h.origin)
			return true
		}
		// Out of the way, so that the next search looks further.
		newer := h.newer
		g.used.use(h)
		h = newer
	}
	return false
}
