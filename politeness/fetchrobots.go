package politeness

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	// robotsRest is how long a robots.txt that was given up is left alone.
	robotsRest = time.Hour
	// robotsHops is the number of redirects followed (RFC 9309 section 2.3.1.2).
	robotsHops = 5
	// robotsMonth is the "reasonably long period" of RFC 9309 section 2.3.1.4.
	robotsMonth = 30 * 24 * time.Hour
	// maxURL bounds a redirect target.
	maxURL = 2 << 10
)

// robotsState is where an origin stands with its robots.txt.
type robotsState struct {
	copy     *robotsCopy // nil until known
	trouble  *robotsTrouble
	target   string // of the next fetch after a redirect, else ""
	hops     uint8
	fetching bool
}

// robotsTrouble is what stands against fetching it.
type robotsTrouble struct {
	failures int       // in a row, up to Policy.RobotsTries
	since    time.Time // of the first
	retryAt  time.Time // no fetch before
	cause    string    // of the last, for people
	err      error     // of the last, nil when a server answered
}

// wanted reports whether a fetch should begin.
func (s *robotsState) wanted(now time.Time) bool {
	return !s.fetching && !now.Before(s.retryAt()) && (s.copy == nil || !now.Before(s.copy.refresh()))
}

func (s *robotsState) retryAt() time.Time {
	if s.trouble == nil {
		return time.Time{}
	}
	return s.trouble.retryAt
}

// consult brings robots.txt to where it can be asked. ok is true when the
// host's rules are usable; otherwise the decision says what to do.
func (g *Gate) consult(h *host, now time.Time) (d Decision, read func(), ok bool) {
	s := &h.robots
	usable := s.copy.fresh(now)
	if s.wanted(now) {
		d, read := g.grantRobots(h, now)
		if read != nil || d.Action == FetchRobots || !usable {
			return d, read, false
		}
	}
	switch {
	case usable:
		return Decision{}, nil, true
	case s.fetching:
		return g.later(now.Add(busyPoll), ByRobots), nil, false
	case s.trouble == nil: // a step of a redirect is about to be taken
		return g.later(now.Add(busyPoll), ByRobots), nil, false
	case s.trouble.failures >= g.policy.RobotsTries:
		return Decision{Action: Skip, Reason: s.trouble.reason(), Err: s.trouble.failure()}, nil, false
	}
	return g.later(s.retryAt(), s.trouble.reason()), nil, false
}

func (t *robotsTrouble) reason() string { return "robots.txt unreachable: " + t.cause }

func (t *robotsTrouble) failure() error {
	if t.err == nil {
		return fmt.Errorf("%w: %s", ErrRobots, t.cause)
	}
	return fmt.Errorf("%w: %w", ErrRobots, t.err)
}

// grantRobots grants the next step of fetching h's robots.txt, in the time of
// the host that the step leads to.
func (g *Gate) grantRobots(h *host, now time.Time) (d Decision, read func()) {
	target, at := h.robots.target, h
	if target != "" {
		if origin := originOf(target); origin != h.origin {
			h.robots.fetching = true // so that opening another host does not forget h
			at = g.open(origin, now)
			h.robots.fetching = false
			if at == nil {
				return g.later(now.Add(tablePoll), ByTable), nil
			}
			if read, wait := g.unread(at); read != nil || wait {
				return g.later(now.Add(busyPoll), ByMemory), read
			}
		}
	}
	if c, ok := at.wait(&g.policy, &g.clock, now); !ok {
		return g.later(c.until, at.name(c)), nil
	}
	if taken, ok := g.claim(at, now); !ok {
		return taken, nil
	}
	conditions := h.robots.copy.conditions(target)
	if target == "" {
		target = h.origin + "/robots.txt"
	}
	h.robots.fetching = true
	grant := g.grant(at, target)
	grant.robots, grant.conditional = h, conditions != nil
	return Decision{Action: FetchRobots, Robots: target, Header: conditions, Grant: grant}, nil
}

// fetchedRobots is a 2xx answer, read and packed without the gate's lock.
type fetchedRobots struct {
	copy   *robotsCopy
	packed []byte
}

// read makes the copy of an answer that has one, nil for others.
func (g *Gate) read(r *Result) *fetchedRobots {
	switch {
	case r.Err != nil:
		return nil
	case r.Status >= 200 && r.Status < 300:
		return &fetchedRobots{newCopy(r.Body, &g.policy), pack(r.Body)}
	case r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests:
		return &fetchedRobots{g.emptyCopy(copyNone), pack(nil)} // none there: all allowed
	}
	return nil
}

// settle books the end of one step. It returns what is to be kept, nil when
// nothing new is known.
func (g *Gate) settle(gr *Grant, r *Result, f *fetchedRobots, now time.Time) []byte {
	h := gr.robots
	s := &h.robots
	s.fetching = false
	switch {
	case r.Err != nil:
		g.failed(h, describe(r.Err), r.Err, now, r.Permanent)
	case f != nil:
		f.copy.validate(r.Header, s.target)
		f.copy.lifetime, _ = lifetime(r.Header)
		f.copy.got = now
		again := s.copy.same(f.copy)
		g.keep(h, f.copy)
		if !again {
			return f.copy.write(f.packed, g.clock.outside(now))
		}
	case r.Status == http.StatusNotModified && gr.conditional && s.copy != nil:
		if d, stated := lifetime(r.Header); stated {
			s.copy.lifetime = d
		}
		s.copy.got = now
		g.keep(h, s.copy)
	case r.Status >= 300 && r.Status < 400:
		g.redirected(h, r, now)
	default:
		g.failed(h, fmt.Sprintf("status %d", r.Status), nil, now, false)
	}
	return nil
}

// keep makes a copy the one that holds.
func (g *Gate) keep(h *host, c *robotsCopy) {
	if old := h.robots.copy; old != c {
		g.shelf.remove(old)
	}
	h.robots = robotsState{copy: c}
	g.shelf.add(c)
	g.shelf.use(c)
	g.settleShelf()
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
		g.failed(h, err.Error(), nil, now, false)
	case s.hops == robotsHops:
		g.failed(h, fmt.Sprintf("more than %d redirects", robotsHops), nil, now, false)
	default:
		s.target, s.hops = to, s.hops+1
	}
}

// failed disallows for now and sets the time of the next try.
func (g *Gate) failed(h *host, cause string, err error, now time.Time, permanent bool) {
	s := &h.robots
	s.target, s.hops = "", 0
	t := s.trouble
	if t == nil {
		t = &robotsTrouble{since: now}
		s.trouble = t
	}
	t.cause, t.err = cause, err
	t.failures = min(t.failures+1, g.policy.RobotsTries)
	if permanent || errors.Is(err, ErrPrivateAddress) {
		t.failures = g.policy.RobotsTries // will not change by asking again
	}
	wait := g.policy.RobotsWait
	for i := 1; i < t.failures && wait < robotsRest; i++ {
		wait *= 4
	}
	if t.failures >= g.policy.RobotsTries {
		wait = robotsRest
	}
	t.retryAt = now.Add(min(wait, robotsRest))
	if g.policy.RobotsUnreachable == AllowAfterMonth && now.Sub(t.since) >= robotsMonth && !s.copy.fresh(now) {
		c := g.emptyCopy(copyAssumed)
		c.got = now
		g.keep(h, c)
		s.trouble = t // still: the next failure allows another day
	}
}

// describe gives the cause of a network error in one short line.
func describe(err error) string {
	text := err.Error()
	if u := (*url.Error)(nil); errors.As(err, &u) {
		text = u.Err.Error()
	}
	text, _, _ = strings.Cut(text, "\n")
	return cut(text, 160)
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
	if to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" || !ascii(to.Host) || strings.Contains(to.Host, "%") || !oneSpelling(to) {
		return "", errors.New("redirect without a usable Location")
	}
	text := to.String()
	if again, err := url.Parse(text); err != nil || again.Host != to.Host { // net/url takes "//::0", and not back
		return "", errors.New("redirect without a usable Location")
	}
	return text, nil
}

// oneSpelling reports whether an address that stands for a host is spelled as
// the gate knows the host elsewhere, so that it has one delay and not two. Names
// that end in a number are addresses to browsers ("0x7f.1", "2130706433").
func oneSpelling(u *url.URL) bool {
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		a, err := netip.ParseAddr(host)
		return err == nil && a.Zone() == "" && !a.Is4In6() && a.String() == host
	}
	name := strings.TrimSuffix(host, ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	digits, rest := "0123456789", last
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		digits, rest = "0123456789abcdef", hex
	}
	if last == "" || strings.Trim(rest, digits) != "" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.String() == host
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
