package politeness

import "time"

// lane is one budget: so many requests at once, so much time between them. Each
// host has one of its own; the hosts of a group share a second one.
type lane struct {
	delay    time.Duration // configured
	limit    int           // requests in flight, configured
	inFlight int           // grants not ended
	pending  bool          // one of them has not begun
	inherits bool          // last is the start of this process
	debtBy   demander
	room     uint8  // requests in flight that a quota has left for, 0 for any number
	struck   uint32 // how often it was struck, whatever was forgiven
	throttle throttle
	last     time.Time // the latest start of a request or end of a response
	debt     time.Time // no request before, by a server's word
}

// owed is the time to leave alone after last, and who asked for it.
func (l *lane) owed() (time.Duration, demander) {
	switch {
	case l.throttle.delay > l.delay:
		return l.throttle.delay, byThrottle
	default:
		return l.delay, byConfig
	}
}

// put moves the debt to a later instant, never to an earlier one.
func (l *lane) put(until time.Time, by demander) {
	if until.After(l.debt) {
		l.debt, l.debtBy = until, by
	}
}

// passed marks a start or an end.
func (l *lane) passed(now time.Time) { l.last, l.inherits = now, false }

// busy reports whether the requests in flight forbid another one.
func (l *lane) busy(owed time.Duration, limit int) bool {
	// While one grant has not begun there is no second, since the delay
	// between the two runs from the first one's start.
	return l.pending && owed > 0 || l.inFlight >= limit || l.room > 0 && l.inFlight >= int(l.room)
}

// after is last plus a delay, zero when nothing was sent.
func (l *lane) after(owed time.Duration) time.Time {
	if l.last.IsZero() {
		return l.last
	}
	return l.last.Add(owed)
}

// server is the lane of what answers for the host: the group's, if it has one.
func (h *host) server() *lane {
	if h.group != nil {
		return &h.group.lane
	}
	return &h.lane
}
