package politeness

import (
	"container/list"
	"encoding/binary"
	"time"
)

// Who asked for a wait, as Decision.By names it.
const (
	ByConfig     = "config delay"
	ByCrawlDelay = "robots.txt Crawl-delay"
	ByRetryAfter = "Retry-After"
	ByBackoff    = "backoff"
	ByRestart    = "restart"
	ByRobots     = "robots.txt fetch in flight"
	ByInFlight   = "request in flight"
	ByTable      = "too many busy hosts"
)

// busyPoll is how long a caller is sent away who waits for an event rather
// than for an instant.
const busyPoll = 50 * time.Millisecond

// host is the state of one origin. The gate's lock guards it.
type host struct {
	origin string
	web    bool          // http or https: has a robots.txt
	delay  time.Duration // by policy
	limit  int           // requests in flight, by policy

	inFlight int       // grants not ended
	pending  bool      // one of them has not begun
	last     time.Time // the latest start of a request or end of a response

	debt    time.Time // no request before, by a server's word or its failures
	debtBy  string
	strikes int // 429 and 503 answers that are not yet forgiven

	robots robotsState
	used   *list.Element
}

// owed is the time to leave alone between two requests, and who asked for it.
func (h *host) owed() (time.Duration, string) {
	if h.robots.delay > h.delay {
		return h.robots.delay, h.robots.delayBy
	}
	return h.delay, ByConfig
}

// due returns the instant from which a request may start, and who asked for
// it.
func (h *host) due() (time.Time, string) {
	var at time.Time
	owed, by := h.owed()
	if !h.last.IsZero() {
		at = h.last.Add(owed)
	}
	if h.debt.After(at) {
		return h.debt, h.debtBy
	}
	return at, by
}

// concurrency is 1 until robots.txt is known.
func (h *host) concurrency(p *Policy) int {
	if h.web && !p.IgnoreRobots && h.robots.rules == nil {
		return 1
	}
	return h.limit
}

// wait returns until when no request may start now, and who asked for it; ok
// is true when one may start.
func (h *host) wait(p *Policy, now time.Time) (until time.Time, by string, ok bool) {
	until, by = h.due()
	owed, _ := h.owed()
	// While one grant has not begun there is no second, since the delay
	// between the two runs from the first one's start.
	if h.pending && owed > 0 || h.inFlight >= h.concurrency(p) {
		if poll := now.Add(busyPoll); until.Before(poll) {
			return poll, ByInFlight, false
		}
		return until, by, false
	}
	return until, by, !now.Before(until)
}

// put moves the debt to a later instant, never to an earlier one.
func (h *host) put(until time.Time, by string) {
	if until.After(h.debt) {
		h.debt, h.debtBy = until, by
	}
}

// idle reports whether forgetting the host could make nobody impolite.
func (h *host) idle(now time.Time) bool {
	due, _ := h.due()
	return h.inFlight == 0 && !h.robots.fetching && !now.Before(due) && !now.Before(h.robots.retryAt)
}

// HostState is what the gate tells the keeper of a queue about one host.
type HostState struct {
	// NotBefore is the next instant at which a request may start.
	NotBefore time.Time
	// Spacing is the least time between two starts.
	Spacing time.Duration
	// Concurrency is the most requests in flight at once.
	Concurrency int
	// Opaque is the memory of debts that Gate.Restore takes back after a
	// restart; nil when there is none. At most 64 octets.
	Opaque []byte
}

const opaqueVersion = 1

// remember writes what must survive a restart.
func (h *host) remember(c *clock) []byte {
	if h.strikes == 0 && !h.debt.After(c.last) {
		return nil
	}
	out := []byte{opaqueVersion, byte(min(h.strikes, 255))}
	debt := int64(0)
	if !h.debt.IsZero() {
		debt = c.outside(h.debt).UnixNano()
	}
	out = binary.BigEndian.AppendUint64(out, uint64(debt))
	return append(out, h.debtBy[:min(len(h.debtBy), 48)]...)
}

// recall reads it back; what it cannot read it ignores, since HostState's
// NotBefore says the same in short.
func (h *host) recall(data []byte, c *clock, latest time.Time) {
	if len(data) < 10 || data[0] != opaqueVersion {
		return
	}
	h.strikes = max(h.strikes, min(int(data[1]), maxStrikes))
	debt := c.inside(time.Unix(0, int64(binary.BigEndian.Uint64(data[2:]))))
	if debt.After(latest) {
		debt = latest
	}
	h.put(debt, string(data[10:]))
}
