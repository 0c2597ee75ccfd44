package politeness

import (
	"fmt"
	"time"
)

// Bounds of the pauses of a host that keeps failing, each twice the one before.
const (
	CircuitFirst = 30 * time.Second
	CircuitMost  = 30 * time.Minute
)

// circuit counts the failures of a host in a row: connections that fail,
// timeouts and answers of 502 and above. From Policy.CircuitAfter of them on the host is set
// aside: nothing is sent for a pause, then one request at a time probes it, and
// the pause grows until one succeeds.
type circuit struct {
	failures int
	since    time.Time // of the first failure in the row
	until    time.Time // nothing is sent before
	pause    time.Duration
	cause    string // of the last failure, for people
}

// tripped is the circuit after one more failure. Those of requests that were
// under way when the host was set aside lengthen nothing.
func (c circuit) tripped(after int, most time.Duration, cause string, now time.Time) circuit {
	if c.failures == 0 {
		c.since = now
	}
	c.failures = min(c.failures+1, maxFailures)
	c.cause = cause
	if c.failures >= after && !now.Before(c.until) {
		c.pause = min(max(2*c.pause, CircuitFirst), most)
		c.until = now.Add(c.pause)
	}
	return c
}

// maxFailures keeps the count small to store.
const maxFailures = 1 << 20

// broken reports whether the host is set aside.
func (h *host) broken(p *Policy) bool {
	return h.circuit != nil && p.CircuitAfter > 0 && h.circuit.failures >= p.CircuitAfter
}

// hopeless reports whether the host failed for so long that its URLs are
// settled, except those that probe it.
func (h *host) hopeless(p *Policy, now time.Time) bool {
	return h.broken(p) && now.Sub(h.circuit.since) >= p.giveUp(h.origin) &&
		(now.Before(h.circuit.until) || h.inFlight > 0)
}

// longestPause is the most that an origin is left alone because it fails.
func (p *Policy) longestPause(origin string) time.Duration {
	return orDefault(p.exception(origin).CircuitMost, CircuitMost)
}

func (p *Policy) giveUp(origin string) time.Duration {
	return orDefault(p.exception(origin).CircuitGiveUp, p.CircuitGiveUp)
}

// unreachable is the Skip of a hopeless host.
func (c *circuit) unreachable(k *clock) Decision {
	since := k.outside(c.since).UTC().Format(time.RFC3339)
	err := fmt.Errorf("%w since %s: %s", ErrUnreachable, since, c.cause)
	return Decision{Action: Skip, Reason: err.Error(), Err: err}
}
