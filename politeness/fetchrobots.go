package politeness

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

const (
	// robotsLifetime is how long a good copy serves (RFC 9309 section 2.4).
	robotsLifetime = 24 * time.Hour
	// robotsRefresh is the age from which a new copy is asked for while the old
	// one still serves.
	robotsRefresh = robotsLifetime * 7 / 8
	// robotsRest is how long a robots.txt that was given up is left alone.
	robotsRest = time.Hour
	// robotsHops is the number of redirects followed (RFC 9309 section 2.3.1.2).
	robotsHops = 5
	// maxURL bounds a redirect target.
	maxURL = 2 << 10
)

// robotsState is where an origin stands with its robots.txt.
type robotsState struct {
	rules *robots.Rules // nil until known; those of an empty file when there is none
	hash  [16]byte
	got   time.Time // when rules was fetched

	delay   time.Duration // its Crawl-delay, capped
	delayBy string

	fetching bool
	target   string // of the next fetch after a redirect, else ""
	hops     int

	failures int       // in a row
	retryAt  time.Time // no fetch before
	cause    string    // of the last failure, for people
	err      error     // of the last failure, nil when a server answered
}

// usable reports whether the rules may still be relied on.
func (s *robotsState) usable(now time.Time) bool {
	return s.rules != nil && now.Before(s.got.Add(robotsLifetime))
}

// wanted reports whether a fetch should begin.
func (s *robotsState) wanted(now time.Time) bool {
	return !s.fetching && !now.Before(s.retryAt) &&
		(s.rules == nil || !now.Before(s.got.Add(robotsRefresh)))
}

// consult brings robots.txt to where it can be asked. ok is true when the
// host's rules are usable; otherwise the decision says what to do.
func (g *Gate) consult(h *host, now time.Time) (Decision, bool) {
	s := &h.robots
	usable := s.usable(now)
	if s.wanted(now) {
		d := g.grantRobots(h, now)
		if d.Action == FetchRobots || !usable {
			return d, false
		}
	}
	switch {
	case usable:
		return Decision{}, true
	case s.fetching:
		return g.later(now.Add(busyPoll), ByRobots), false
	case s.failures >= g.policy.RobotsTries:
		return Decision{Action: Skip, Reason: s.reason(), Err: s.failure()}, false
	}
	return g.later(s.retryAt, s.reason()), false
}

func (s *robotsState) reason() string { return "robots.txt unreachable: " + s.cause }

func (s *robotsState) failure() error {
	if s.err == nil {
		return fmt.Errorf("%w: %s", ErrRobots, s.cause)
	}
	return fmt.Errorf("%w: %w", ErrRobots, s.err)
}

// grantRobots grants the next step of fetching h's robots.txt, in the time of
// the host that the step leads to.
func (g *Gate) grantRobots(h *host, now time.Time) Decision {
	target, at := h.robots.target, h
	h.robots.fetching = true // so that opening another host does not forget h
	if target == "" {
		target = h.origin + "/robots.txt"
	} else if origin := originOf(target); origin != h.origin {
		if at = g.open(origin, now); at == nil {
			h.robots.fetching = false
			return g.later(now.Add(tablePoll), ByTable)
		}
	}
	until, by, ok := at.wait(&g.policy, now)
	if !ok {
		h.robots.fetching = false
		return g.later(until, by)
	}
	grant := g.grant(at, target)
	grant.robots = h
	return Decision{Action: FetchRobots, Robots: target, Grant: grant}
}

// answered books the end of one step. rules are those of a 2xx answer.
func (g *Gate) answered(h *host, r *Result, parsed *parsedRobots, now time.Time) {
	s := &h.robots
	s.fetching = false
	switch {
	case r.Err != nil:
		g.failed(s, describe(r.Err), r.Err, now, r.Permanent)
	case parsed != nil:
		g.learned(h, parsed, now)
	case r.Status >= 300 && r.Status < 400:
		g.redirected(h, r, now)
	case r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests:
		g.learned(h, parseRobots(nil, &g.policy), now) // none there: all allowed
	default:
		g.failed(s, fmt.Sprintf("status %d", r.Status), nil, now, false)
	}
}

type parsedRobots struct {
	rules *robots.Rules
	hash  [16]byte
}

func parseRobots(body []byte, p *Policy) *parsedRobots {
	f := robots.Parse(body, p.Mode)
	return &parsedRobots{rules: f.Agent(p.Agent), hash: f.Hash()}
}

func (g *Gate) learned(h *host, p *parsedRobots, now time.Time) {
	g.forgetRules(h)
	h.robots = robotsState{rules: p.rules, hash: p.hash, got: now}
	if delay, line, ok := p.rules.CrawlDelay(); ok {
		h.robots.delay = min(delay, g.policy.MaxCrawlDelay)
		h.robots.delayBy = fmt.Sprintf("%s, line %d", ByCrawlDelay, line)
	}
	g.rulesSize += p.rules.Size()
}

func (g *Gate) redirected(h *host, r *Result, now time.Time) {
	s := &h.robots
	from := s.target
	if from == "" {
		from = h.origin + "/robots.txt"
	}
	to, err := resolve(from, r.Header.Get("Location"))
	switch {
	case err != nil:
		g.failed(s, err.Error(), nil, now, false)
	case s.hops == robotsHops:
		g.failed(s, fmt.Sprintf("more than %d redirects", robotsHops), nil, now, false)
	default:
		s.target, s.hops = to, s.hops+1
	}
}

// failed disallows for now and sets the time of the next try.
func (g *Gate) failed(s *robotsState, cause string, err error, now time.Time, permanent bool) {
	s.target, s.hops = "", 0
	s.cause, s.err = cause, err
	s.failures = min(s.failures+1, g.policy.RobotsTries)
	if permanent || errors.Is(err, ErrPrivateAddress) {
		s.failures = g.policy.RobotsTries // will not change by asking again
	}
	wait := g.policy.RobotsWait
	for i := 1; i < s.failures && wait < robotsRest; i++ {
		wait *= 4
	}
	if s.failures >= g.policy.RobotsTries {
		wait = robotsRest
	}
	s.retryAt = now.Add(min(wait, robotsRest))
}

// describe gives the cause of a network error in one short line.
func describe(err error) string {
	text := err.Error()
	if u := (*url.Error)(nil); errors.As(err, &u) {
		text = u.Err.Error()
	}
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > 160 {
		text = strings.ToValidUTF8(text[:160], "")
	}
	return text
}

// resolve makes the target of a redirect absolute. Only http and https lead
// anywhere.
func resolve(from, location string) (string, error) {
	base, err := url.Parse(from)
	if err != nil || location == "" || len(location) > maxURL {
		return "", errors.New("redirect without a usable Location")
	}
	ref, err := url.Parse(location)
	if err != nil {
		return "", errors.New("redirect without a usable Location")
	}
	to := base.ResolveReference(ref)
	to.Fragment, to.RawFragment, to.User = "", "", nil
	to.Host = strings.ToLower(to.Host)
	if to.Scheme == "http" {
		to.Host = strings.TrimSuffix(to.Host, ":80")
	} else {
		to.Host = strings.TrimSuffix(to.Host, ":443")
	}
	to.Host = strings.TrimSuffix(to.Host, ":")
	if to.Path == "" {
		to.Path = "/"
	}
	if to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" || !ascii(to.Host) {
		return "", errors.New("redirect without a usable Location")
	}
	return to.String(), nil
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// originOf returns the origin of an absolute URL made by resolve.
func originOf(u string) string {
	at := strings.Index(u, "://") + len("://")
	if end := strings.IndexAny(u[at:], "/?#"); end >= 0 {
		return u[:at+end]
	}
	return u
}
