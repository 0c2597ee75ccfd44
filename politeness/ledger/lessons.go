package ledger

import (
	"slices"
	"time"
)

// lesson is what an answer, or the lack of one, teaches about a host, from an
// instant on.
type lesson struct {
	at   time.Time
	kind lessonKind
	host string // of what broke
	// asked is the wait that a Retry-After asked for, 0 without one.
	asked time.Duration
	// sent is when the request left.
	sent time.Time
}

type lessonKind uint8

const (
	goodAnswer lessonKind = iota // 2xx or 3xx
	plainAnswer
	busyAnswer // 429 or 503
	worked     // the exchange came to a good end
	broke      // no answer, or 502 and above
)

// health is what is known of a host, or of the server of a group, by its
// lessons.
type health struct {
	pending []lesson  // of requests that were sent, not yet learned
	strikes int       // busy answers that no good one made up for
	struck  time.Time // when the last of them was counted
	debt    debt
	circuit circuit
}

// debt is that no request is owed before an instant.
type debt struct {
	until time.Time
	since time.Time // a request of that instant may have been first
	asked time.Duration
	kind  Breach
}

// left is what remains of it when a request starts, as far as that is certain.
func (d *debt) left(start time.Time) time.Duration {
	if left := d.until.Sub(start); d.since.Before(start) && left >= Precision {
		return left
	}
	return 0
}

// circuit is how long a failing host is set aside.
type circuit struct {
	failures int
	pause    time.Duration
	broken   time.Time // since when it is asked one thing at a time, zero when not
	rest     debt
}

// maxStrikes is where the growing of backoffs ends.
const maxStrikes = 8

// teach notes what a request will have taught once its answer is there. shared
// says that this is the health of its group: a 429 is about the rate of all that
// share a server, anything else about the host.
func (h *health) teach(e *Entry, shared bool) {
	if len(h.pending) >= 2*maxFlights {
		return
	}
	answered := lesson{at: e.Answered, kind: plainAnswer, sent: e.Start}
	if answered.at.IsZero() {
		answered.at = e.End
	}
	concerned := shared == (e.Status == 429 && e.grouped())
	if e.RetryAfter > 0 && concerned {
		answered.asked = e.RetryAfter + e.End.Sub(answered.at)
	}
	switch {
	case concerned && (e.Status == 429 || e.Status == 503):
		answered.kind = busyAnswer
	case e.Status >= 200 && e.Status < 400:
		answered.kind = goodAnswer
	}
	h.pending = append(h.pending, answered)
	if shared {
		return
	}
	booked := lesson{at: e.Booked, kind: broke, host: e.Host}
	if booked.at.IsZero() {
		booked.at = e.End
	}
	switch {
	case e.Status == 500 || e.Status == 501: // one page is broken
		return
	case e.Status > 501 || e.Failed:
	case e.Status > 0 && e.Class == "":
		booked.kind = worked
	default: // says nothing about the host
		return
	}
	h.pending = append(h.pending, booked)
}

// learn takes up what was known at an instant for certain.
func (h *health) learn(now time.Time, p *Policy) {
	var due []lesson
	h.pending = slices.DeleteFunc(h.pending, func(l lesson) bool {
		if known := l.at.Before(now); known {
			due = append(due, l)
			return true
		}
		return false
	})
	slices.SortStableFunc(due, func(a, b lesson) int { return a.at.Compare(b.at) })
	for _, l := range due {
		h.take(l, p)
	}
}

func (h *health) take(l lesson, p *Policy) {
	switch l.kind {
	case goodAnswer:
		h.strikes = max(h.strikes-1, 0)
	case busyAnswer:
		// One that was under way when another was struck says nothing new.
		if h.struck.IsZero() || l.sent.Sub(h.struck) >= Precision {
			h.strikes, h.struck = min(h.strikes+1, maxStrikes), l.at
		}
		if l.asked == 0 && p.Backoff > 0 {
			wait := p.Backoff << (max(h.strikes, 1) - 1)
			h.owe(debt{since: l.at, asked: capped(wait, p.BackoffMost), kind: BackoffUnpaid})
		}
	case worked:
		h.circuit = circuit{}
	case broke:
		h.circuit.fail(l.at, p, l.host)
	}
	if l.asked > 0 {
		h.owe(debt{since: l.at, asked: capped(l.asked, p.MaxRetryAfter), kind: DebtUnpaid})
	}
}

func (h *health) owe(d debt) {
	if d.until = d.since.Add(d.asked); d.until.After(h.debt.until) {
		h.debt = d
	}
}

// fail counts one more failure. Those of requests that were under way when the
// host was set aside lengthen nothing.
func (c *circuit) fail(at time.Time, p *Policy, host string) {
	c.failures++
	if p.CircuitAfter <= 0 || c.failures < p.CircuitAfter || at.Before(c.rest.until) {
		return
	}
	if c.broken.IsZero() {
		c.broken = at
	}
	most := p.CircuitMost
	if own := p.exception(host).CircuitMost; own > 0 {
		most = own
	}
	c.pause = capped(max(2*c.pause, p.CircuitPause), most)
	c.rest = debt{until: at.Add(c.pause), since: at, asked: c.pause, kind: RestBroken}
}

// restart is what another process is sure to know: debts are kept for it, but
// how often it was struck may have been lost.
func (h *health) restart(p *Policy) {
	h.strikes = 0
	h.circuit.failures, h.circuit.pause, h.circuit.broken = 0, 0, time.Time{}
	if p.CircuitAfter <= 0 {
		h.circuit = circuit{}
	}
}
