package politeness

import "time"

// What is known of robots.txt, in words.
const (
	robotsIgnored = "ignored"
	robotsAPI     = "not for an API"
	robotsNone    = "none needed"
	robotsKnown   = "known"
	robotsAssumed = "unreachable for 30 days and taken as not there"
	robotsFetched = "being fetched"
	robotsUnread  = "not fetched yet"
)

// robotsWord says what is known of the host's robots.txt.
func (h *host) robotsWord(p *Policy, now time.Time) string {
	switch s := &h.robots; {
	case p.IgnoreRobots:
		return robotsIgnored
	case h.api:
		return robotsAPI
	case !h.web:
		return robotsNone
	case s.copy.fresh(now) && s.copy.kind == copyAssumed:
		return robotsAssumed
	case s.copy.fresh(now):
		return robotsKnown
	case s.fetching:
		return robotsFetched
	case s.trouble != nil:
		return s.trouble.reason()
	}
	return robotsUnread
}

// Standing is how a host stands at a moment, without any URL.
type Standing struct {
	// Until is the instant before which nothing may be sent, zero when that is past,
	// WaitBy who asked for it.
	Until  time.Time
	WaitBy string
	// Owed is the delay between two requests, By who asked for it.
	Owed time.Duration
	By   string
	// Robots is as Explanation has it. Trouble says that it could not be read, and
	// Until is when it is tried again, if that is later.
	Robots  string
	Trouble bool
}

// Standing tells how a host stands, cheaply: it reads nothing that is not in memory.
// A host that is not has no delay to wait for.
func (g *Gate) Standing(origin string) Standing {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	h := g.hosts[origin]
	if h == nil {
		h = g.blank(origin)
	}
	s := Standing{Robots: h.robotsWord(&g.policy, now)}
	owed, by := h.owed()
	s.Owed, s.By = owed, h.name(by)
	until := time.Time{}
	if c, ok := h.wait(&g.policy, &g.clock, now); !ok {
		until, s.WaitBy = c.until, h.name(c)
	}
	if t := h.robots.trouble; t != nil && h.robotsHold(&g.policy) && !h.robots.copy.fresh(now) && t.retryAt.After(now) {
		if s.Trouble = true; t.retryAt.After(until) {
			until, s.WaitBy = t.retryAt, t.reason()
		}
	}
	if until.After(now) {
		s.Until = g.clock.outside(until)
	}
	return s
}
