package frontier

import (
	"math"
	"time"
)

// clock is the frontier's time in nanoseconds, near those since 1970. It never
// goes back, neither within a process nor from one to the next: where the
// system's clock was set back it goes on from where it was, as if no time had
// passed, so that what is owed stays owed and grows no longer. A clock that is
// set within a process is not noticed at all where times have a monotonic
// reading. One set forward between two processes counts as time passed.
type clock struct {
	source func() time.Time
	opened time.Time // a reading of source
	base   int64     // what the clock showed then
	ahead  int64     // what a source without a monotonic reading went back since
	last   int64     // the latest time that was told
}

// start sets the clock going, not before the last time of the process before.
func (c *clock) start(source func() time.Time, last int64) {
	*c = clock{source: source, opened: source(), last: last}
	c.base = max(instant(c.opened), last)
}

func (c *clock) now() int64 {
	t := c.inside(c.source())
	if t < c.last {
		c.ahead += c.last - t
		t = c.last
	}
	c.last = t
	return t
}

// inside is an instant of the source by this clock; zero stays zero.
func (c *clock) inside(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	from, d := c.base+c.ahead, int64(t.Sub(c.opened))
	if d > 0 && from > lastTime-d {
		return lastTime
	}
	return max(from+d, 0)
}

// outside is the reverse of inside, by the source's clock as it is now.
func (c *clock) outside(at int64) time.Time {
	if at == 0 || at >= lastTime {
		return timeOf(at)
	}
	return timeOf(max(instant(c.opened)+(at-c.base-c.ahead), 1))
}

// lastTime is what a key can hold.
const lastTime = math.MaxInt64 - 1
