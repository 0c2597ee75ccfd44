package politeness

import (
	"fmt"
	"strings"
	"time"
)

// Who asked for a wait, as Decision.By names it. What a group asks for is
// followed by the group's name.
const (
	ByConfig     = "config delay"
	ByCrawlDelay = "robots.txt Crawl-delay"
	ByThrottle   = "adaptive throttle"
	ByRetryAfter = "Retry-After"
	ByRateLimit  = "rate limit"
	ByBackoff    = "backoff"
	ByRestart    = "restart"
	ByCircuit    = "host failing"
	ByHours      = "crawl window"
	ByRobots     = "robots.txt fetch in flight"
	ByFile       = "site file fetch in flight"
	ByInFlight   = "request in flight"
	ByTable      = "too many busy hosts"
	ByMemory     = "earlier state being read"
)

// demander is the same in short.
type demander uint8

const (
	byConfig demander = iota
	byCrawlDelay
	byThrottle
	byRetryAfter
	byBackoff
	byRestart
	byCircuit
	byHours
	byInFlight
	byRateLimit // the last: states hold these numbers
	demanders
)

var demanderNames = [demanders]string{
	ByConfig, ByCrawlDelay, ByThrottle, ByRetryAfter, ByBackoff, ByRestart, ByCircuit, ByHours, ByInFlight, ByRateLimit,
}

// claim is what one of them asks for.
type claim struct {
	by     demander
	shared bool // of the group
	until  time.Time
}

// name spells a claim out for people.
func (h *host) name(c claim) string {
	text := demanderNames[c.by]
	switch c.by {
	case byCrawlDelay:
		text = fmt.Sprintf("%s, line %d", text, h.robots.copy.delayLine)
	case byCircuit:
		text = fmt.Sprintf("%s since %s: %s", text, h.circuit.since.UTC().Format(time.RFC3339), h.circuit.cause)
	case byHours:
		text += " " + h.hours.String()
	}
	if c.shared {
		text += " of " + strings.Replace(h.group.key, ":", " ", 1)
	}
	return text
}

// Demand is one of the things that a wait is made of.
type Demand struct {
	By string
	// Delay is asked for between two requests; 0 for an instant.
	Delay time.Duration
	// Until is the instant before which nothing may be sent, zero when none is
	// ahead.
	Until time.Time
}

// claims lists all that holds for the host, in the order in which the strictest
// wins: the first of the latest. It calls f and allocates nothing, since each
// decision goes by it.
func (h *host) claims(now time.Time, f func(c claim, delay time.Duration)) {
	lane := func(l *lane, shared bool) {
		by := func(d demander) demander {
			if l.inherits {
				return byRestart
			}
			return d
		}
		f(claim{by(byConfig), shared, l.after(l.delay)}, l.delay)
		if d := l.throttle.delay; d > l.delay {
			f(claim{by(byThrottle), shared, l.after(d)}, d)
		}
		if !l.debt.IsZero() {
			f(claim{l.debtBy, shared, l.debt}, 0)
		}
		if d := h.crawlDelay(); !shared && d > 0 {
			f(claim{by(byCrawlDelay), false, l.after(d)}, d)
		}
	}
	lane(&h.lane, false)
	if h.group != nil {
		lane(&h.group.lane, true)
	}
	if h.circuit != nil && !h.circuit.until.IsZero() {
		f(claim{byCircuit, false, h.circuit.until}, 0)
	}
}

// due returns the instant from which a request may start, and who asked for it.
func (h *host) due(now time.Time) claim {
	var latest claim
	h.claims(now, func(c claim, _ time.Duration) {
		if c.until.After(latest.until) {
			latest = c
		}
	})
	return latest
}

// opening is due, put off to the next crawl window where that instant is
// outside of one.
func (h *host) opening(now time.Time, k *clock) claim {
	c := h.due(now)
	at := c.until
	if at.Before(now) {
		at = now
	}
	at = k.outside(at)
	if opens := h.hours.Next(at); opens.After(at) {
		return claim{by: byHours, until: k.inside(opens)}
	}
	return c
}
