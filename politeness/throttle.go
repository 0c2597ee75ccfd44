package politeness

import "time"

// throttle is how hard a server may be worked, learned from its answers.
type throttle struct {
	strikes uint8         // 429 and 503 answers that are not yet forgiven
	delay   time.Duration // learned; 0 is none beyond the configured one
}

// outcome is what one answer tells about the load of its server.
type outcome struct {
	kind    load
	latency time.Duration // until the header came, 0 when not known
}

type load uint8

const (
	failed   load = iota // no answer, or one that tells nothing good: 4xx, 5xx
	answered             // 2xx or 3xx
	busy                 // 429 or 503
)

// pace bounds the learned delay.
type pace struct {
	adaptive bool
	factor   float64       // of latency
	floor    time.Duration // the configured delay
	ceiling  time.Duration
}

const (
	maxStrikes = 8
	// leastDouble is what the delay of a busy server is doubled from, so that
	// doubling moves also a delay of zero.
	leastDouble = 250 * time.Millisecond
)

// next is all there is to the throttle: state and outcome in, state out.
func next(t throttle, o outcome, p pace) throttle {
	before := t.strikes
	switch o.kind {
	case busy:
		// The server says in so many words that it is too much. Each time
		// counts, up to a bound that a few good answers can work off.
		t.strikes = min(t.strikes+1, maxStrikes)
	case answered:
		// A good answer forgives one strike, not all: a server that takes
		// every second request is still busy.
		t.strikes -= min(t.strikes, 1)
	}
	if !p.adaptive {
		t.delay = 0
		return t
	}
	ceiling := max(p.ceiling, p.floor)
	now := min(max(t.delay, p.floor), ceiling)
	// A server that answers slowly is loaded, by us or by others: rest in
	// proportion to the time it took.
	target := scale(o.latency, p.factor, p.floor, ceiling)
	switch {
	case o.kind == busy:
		// Double, so that a few answers find the pace that a server bears
		// wherever it lies, and never slow down less than latency asks.
		now = max(2*max(now, leastDouble), target)
	case target > now:
		// Half way, so that one slow page does not set the pace.
		now += (target - now) / 2
	case o.kind == answered && before == 0:
		now -= (now - target) / 2
	case o.kind == answered:
		// Slow recovery after trouble, else the old pace is back at once and
		// the trouble with it.
		now -= (now - target) / 8
	}
	// What failed is often quick to fail: it never lowers the delay.
	t.delay = min(max(now, p.floor), ceiling)
	return t
}

// scale returns d*factor within [least, most], without overflow.
func scale(d time.Duration, factor float64, least, most time.Duration) time.Duration {
	want := float64(d) * factor
	if want >= float64(most) {
		return most
	}
	return max(time.Duration(want), least)
}

// The pause after a 429 or 503 without a usable Retry-After: BackoffFirst,
// doubled with each further one up to BackoffMost, plus up to a quarter of jitter
// so that many hosts behind one server do not come back at once. Each good answer
// takes one doubling back.
const (
	BackoffFirst = 5 * time.Second
	BackoffMost  = 10 * time.Minute
)

// backoff is the pause owed after that many strikes; random is in [0, 1).
func backoff(strikes uint8, random float64) time.Duration {
	wait := min(BackoffFirst<<(max(min(strikes, maxStrikes), 1)-1), BackoffMost)
	return wait + time.Duration(min(max(random, 0), 1)*float64(wait/4))
}
