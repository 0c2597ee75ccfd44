package politeness

import "time"

// clock never goes back. Where the clock behind it does, as if no time had
// passed in between, what is owed stays owed and grows no longer.
type clock struct {
	source func() time.Time
	ahead  time.Duration // of the source
	last   time.Time
}

func (c *clock) now() time.Time {
	t := c.source().Add(c.ahead)
	if t.Before(c.last) {
		c.ahead += c.last.Sub(t)
		return c.last
	}
	c.last = t
	return t
}

// outside turns an instant of this clock into one of the source.
func (c *clock) outside(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(-c.ahead)
}

// inside is the reverse of outside.
func (c *clock) inside(t time.Time) time.Time { return t.Add(c.ahead) }
