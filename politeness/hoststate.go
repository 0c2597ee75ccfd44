package politeness

import (
	"encoding/binary"
	"errors"
	"time"
)

// HostState is what the gate tells the keeper of a queue about one host.
type HostState struct {
	// NotBefore is the next instant at which a request may start.
	NotBefore time.Time
	// Spacing is the least time between two starts.
	Spacing time.Duration
	// Concurrency is the most requests in flight at once.
	Concurrency int
	// Opaque is the memory of debts that Options.Debts or Gate.Restore gives
	// back after a restart, or after the host was forgotten; nil when there is
	// none. At most 256 octets.
	Opaque []byte
	// Robots is what Options.Recall gives back: the host's copy of robots.txt,
	// at most a little over 500 KiB. It is nil unless the copy is new; a nil one
	// leaves what was kept before in force.
	Robots []byte
	// File is what Options.RecallFile gives back, in the same way.
	File []byte
	// Group names the group that the host shares a budget with, "" without one.
	Group string
	// GroupOpaque is the memory of the group's debts, for Options.Debts under
	// the group's name.
	GroupOpaque []byte
}

const (
	opaqueVersion = 2
	// maxCause bounds the causes that are remembered in Opaque.
	maxCause = 60
)

// opaque is what Opaque holds. Instants are of the outside clock.
type opaque struct {
	strikes    uint8
	delay      time.Duration
	debt, last time.Time
	debtBy     demander

	circuit circuit // without failures: closed

	checked  time.Time // when robots.txt was last known to be current
	lifetime time.Duration
	hash     [8]byte // of the copy that this is about
	failures uint8   // of robots.txt
	since    time.Time
	retryAt  time.Time
	robots   string // cause
}

// remember writes what must survive a restart.
func (h *host) remember(k *clock) []byte {
	o := h.lane.opaque(k)
	if h.circuit != nil {
		o.circuit = *h.circuit
		o.circuit.since, o.circuit.until = k.outside(o.circuit.since), k.outside(o.circuit.until)
	}
	if c := h.robots.copy; c != nil && c.kind != copyAssumed {
		o.checked, o.lifetime = k.outside(c.got), c.lifetime
		copy(o.hash[:], c.hash[:])
	}
	// An address that we refuse was never asked: nothing of it is the host's, and
	// the next run may be allowed to.
	if t := h.robots.trouble; t != nil && !errors.Is(t.err, ErrPrivateAddress) {
		o.failures, o.robots = uint8(min(t.failures, 255)), t.cause
		o.since, o.retryAt = k.outside(t.since), k.outside(t.retryAt)
	}
	return o.write()
}

func (l *lane) opaque(k *clock) opaque {
	return opaque{
		strikes: l.throttle.strikes, delay: l.throttle.delay,
		debt: k.outside(l.debt), debtBy: l.debtBy, last: k.outside(l.last),
	}
}

func (l *lane) remember(k *clock) []byte {
	o := l.opaque(k)
	return o.write()
}

// recall reads it back; what it cannot read it ignores.
func (h *host) recall(data []byte, g *Gate, now time.Time) {
	o, ok := readOpaque(data)
	if !ok {
		return
	}
	k := &g.clock
	h.restore(o.lane(), g, now)
	if c := o.circuit; c.failures > 0 && g.policy.CircuitAfter > 0 {
		c.since = k.past(c.since, now)
		c.pause = min(max(c.pause, 0), CircuitMost)
		c.until = k.future(c.until, now, CircuitMost)
		h.circuit = &c
	}
	s := &h.robots
	if c := s.copy; c != nil && [8]byte(c.hash[:8]) == o.hash && !o.checked.IsZero() {
		if at := k.past(o.checked, now); at.After(c.got) {
			c.got, c.lifetime = at, bounded(o.lifetime)
		}
	}
	if o.failures > 0 {
		// One try is left, not before its time: a new run does not give up a
		// host for what was wrong in the last one.
		s.trouble = &robotsTrouble{
			failures: max(min(int(o.failures), g.policy.RobotsTries-1), 1), cause: o.robots,
			since: k.past(o.since, now), retryAt: k.future(o.retryAt, now, robotsRest),
		}
	}
}

func (o *opaque) lane() lane {
	return lane{
		throttle: throttle{strikes: o.strikes, delay: o.delay},
		debt:     o.debt, debtBy: o.debtBy, last: o.last,
	}
}

// restore takes over the debts of a lane of an earlier process, or of the same
// one before it forgot. They can only lengthen what is owed.
func (l *lane) restore(old lane, g *Gate, now time.Time) {
	l.throttle.strikes = max(l.throttle.strikes, min(old.throttle.strikes, maxStrikes))
	if g.policy.Adaptive {
		l.throttle.delay = max(l.throttle.delay, min(old.throttle.delay, g.policy.MaxDelay))
	}
	if !old.debt.IsZero() && old.debtBy < demanders {
		l.put(g.clock.future(old.debt, now, g.longest()), old.debtBy)
	}
	if last := g.clock.past(old.last, now); last.After(l.last) {
		l.passed(last)
	}
}

// longest is the longest debt that this policy knows.
func (g *Gate) longest() time.Duration { return max(g.policy.MaxRetryAfter, BackoffMost*5/4) }

// write packs it: version, fields as varints, texts, checksum. An instant is
// written in nanoseconds since 1970, none as 0. Nothing to tell is nil.
func (o *opaque) write() []byte {
	if *o == (opaque{}) {
		return nil
	}
	b := append(make([]byte, 0, 96), opaqueVersion, o.strikes, byte(o.debtBy), o.failures)
	for _, t := range []time.Time{o.debt, o.last, o.circuit.since, o.circuit.until, o.checked, o.since, o.retryAt} {
		b = binary.AppendVarint(b, unix(t))
	}
	for _, n := range []int64{int64(o.delay), int64(o.circuit.failures), int64(o.circuit.pause), int64(o.lifetime)} {
		b = binary.AppendVarint(b, n)
	}
	b = append(b, o.hash[:]...)
	b = appendText(b, cut(o.circuit.cause, maxCause))
	b = appendText(b, cut(o.robots, maxCause))
	return append(b, checksum(b)...)
}

// Outlived reports whether a memory of debts (HostState.Opaque or GroupOpaque) says
// nothing that still holds, and is of a host that was not asked since before an instant.
func Outlived(debts []byte, before time.Time) bool {
	o, ok := readOpaque(debts)
	if !ok {
		return true // nobody reads it
	}
	for _, t := range []time.Time{o.debt, o.last, o.circuit.until, o.checked, o.retryAt} {
		if t.After(before) {
			return false
		}
	}
	return true
}

func readOpaque(data []byte) (o opaque, ok bool) {
	r, ok := openMemory(data, opaqueVersion)
	if !ok {
		return o, false
	}
	o.strikes, o.debtBy, o.failures = r.octet(), demander(r.octet()), r.octet()
	for _, t := range []*time.Time{&o.debt, &o.last, &o.circuit.since, &o.circuit.until, &o.checked, &o.since, &o.retryAt} {
		*t = instant(r.varint())
	}
	o.delay = time.Duration(r.varint())
	o.circuit.failures = int(min(max(r.varint(), 0), maxFailures))
	o.circuit.pause = time.Duration(r.varint())
	o.lifetime = time.Duration(r.varint())
	copy(o.hash[:], r.octets(len(o.hash)))
	o.circuit.cause, o.robots = r.text(maxCause), r.text(maxCause)
	return o, !r.short && len(r.b) == 0
}
