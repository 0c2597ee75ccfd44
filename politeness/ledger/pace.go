package ledger

import (
	"math/bits"
	"slices"
	"time"
)

// maxFlights bounds the requests of one unit that are followed at once.
const maxFlights = 4096

// pace is the time of one host or group.
type pace struct {
	last    time.Time   // the latest start or end
	flights []time.Time // ends of requests, not reached by the last settle
	health  health
}

// settle books the responses that ended before a request starts. One that
// ended in the same Precision may have ended just after; it counts as ended
// only where the request could not have been in flight beside it.
func (p *pace) settle(start time.Time, allowed int) {
	p.end(start.Add(-Precision))
	if len(p.flights) >= allowed {
		p.end(start)
	}
}

// end books the responses that ended until now.
func (p *pace) end(now time.Time) {
	p.flights = slices.DeleteFunc(p.flights, func(end time.Time) bool {
		if end.After(now) {
			return false
		}
		if end.After(p.last) {
			p.last = end
		}
		return true
	})
}

// gap is the time since the latest start or end; ok is false for the first
// request.
func (p *pace) gap(now time.Time) (gap time.Duration, ok bool) {
	if p.last.IsZero() {
		return 0, false
	}
	return now.Sub(p.last), true
}

// begin books a request.
func (p *pace) begin(e *Entry, shared bool) {
	p.last = e.Start
	if len(p.flights) < maxFlights {
		p.flights = append(p.flights, e.End)
	}
	p.health.teach(e, shared)
}

// short reports whether less than owed passed for certain: what was measured as
// paid may have been up to one Precision more.
func short(paid, owed time.Duration) bool { return owed > 0 && paid <= owed-Precision }

// gaps is a histogram of times with 32 steps to each doubling, of which those
// that occur are kept.
type gaps struct {
	count int64
	steps []gapStep
}

type gapStep struct {
	step  uint16
	count int64
	least time.Duration
}

func (g *gaps) add(d time.Duration) {
	d = max(d, 0)
	step := uint64(d / Precision)
	if n := bits.Len64(step); n > 6 {
		step = uint64(n)<<5 | step>>(n-6)&31
	}
	g.count++
	at, found := slices.BinarySearchFunc(g.steps, uint16(step), func(s gapStep, want uint16) int {
		return int(s.step) - int(want)
	})
	if !found {
		g.steps = slices.Insert(g.steps, at, gapStep{step: uint16(step), least: d})
	}
	g.steps[at].count++
	g.steps[at].least = min(g.steps[at].least, d)
}

// least is exact.
func (g *gaps) least() time.Duration {
	if len(g.steps) == 0 {
		return 0
	}
	return g.steps[0].least
}

// median is right within one step, about 3 percent, and exact where all times
// of that step are one.
func (g *gaps) median() time.Duration {
	before := int64(0)
	for _, s := range g.steps {
		if before += s.count; before > (g.count-1)/2 {
			return s.least
		}
	}
	return 0
}
