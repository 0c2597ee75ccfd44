package politeness

import (
	"sync"
	"time"
)

// Common is the time of hosts that several gates of one process share, such as
// those of crawls that run side by side: what one of them does to a host, the
// others owe for. It is safe for concurrent use.
//
// A host is asked by all gates together as one gate would: each keeps its own
// delay after what any of them has sent, and its own bound on what all of them
// have in flight. What a server asks of one, a Retry-After, holds for all. They
// take turns: who has waited longest goes first.
type Common struct {
	// Noted is told of each debt that grows: until when a host, or a group of them,
	// asks to be left alone. It must return at once; nil for nobody. Set it before
	// the first use.
	Noted func(key string, until time.Time)

	mu    sync.Mutex
	clock clock
	hosts map[string]*commonHost
	sweep int // size of hosts at which those are forgotten that owe nothing
}

// commonHost is one budget, that of an origin or of a group.
type commonHost struct {
	inFlight, pending int
	last              time.Time // the latest start or end
	debt              time.Time // nothing before, by a server's word
	owed              time.Duration
	waiting           map[*Gate]turn
}

// turn is that of a gate that was sent away.
type turn struct {
	since time.Time // when it first asked
	back  time.Time // when it is expected to ask again
}

const (
	// turnGrace is how late a gate may come until its turn is lost.
	turnGrace = 250 * time.Millisecond
	// leastSweep is the least number of hosts that are looked through at once.
	leastSweep = 1024
)

// ByOther is who asked for a Wait where another gate has the host.
const ByOther = "another crawl"

// NewCommon makes a budget to share; now nil is time.Now.
func NewCommon(now func() time.Time) *Common {
	if now == nil {
		now = time.Now
	}
	return &Common{clock: clock{source: now}, hosts: map[string]*commonHost{}, sweep: leastSweep}
}

// commonKeys are the budgets that a host takes part in, "" for none.
type commonKeys [2]string

func (h *host) commonKeys() commonKeys {
	keys := commonKeys{h.origin}
	if h.group != nil {
		keys[1] = h.group.key
	}
	return keys
}

// each calls f for the budgets.
func (c *Common) each(keys commonKeys, f func(*commonHost)) {
	for _, key := range keys {
		if key == "" {
			continue
		}
		h := c.hosts[key]
		if h == nil {
			c.forget()
			h = &commonHost{}
			c.hosts[key] = h
		}
		f(h)
	}
}

// claim takes the budgets for one request, or returns how long to wait.
func (c *Common) claim(g *Gate, keys commonKeys, owed time.Duration, limit int) (wait time.Duration) {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.now()
	c.each(keys, func(h *commonHost) { wait = max(wait, h.wait(g, now, owed, limit)) })
	c.each(keys, func(h *commonHost) {
		if wait > 0 {
			h.expect(g, now, now.Add(wait))
			return
		}
		h.inFlight++
		h.pending++
		h.owed = max(h.owed, owed)
		delete(h.waiting, g)
	})
	return wait
}

// wait is how long a gate must leave the budget alone.
func (h *commonHost) wait(g *Gate, now time.Time, owed time.Duration, limit int) time.Duration {
	wait := h.rest(now, owed)
	if h.pending > 0 && owed > 0 || h.inFlight >= limit {
		wait = max(wait, owed, busyPoll)
	}
	if wait > 0 {
		return wait
	}
	mine, asked := h.waiting[g]
	for other, t := range h.waiting {
		before := other != g && (!asked || t.since.Before(mine.since))
		if late := t.back.Add(turnGrace).Sub(now); before && late > 0 {
			wait = max(wait, min(late, busyPoll))
		}
	}
	return wait
}

// rest is what the budget owes after what was sent last.
func (h *commonHost) rest(now time.Time, owed time.Duration) time.Duration {
	wait := h.debt.Sub(now)
	if !h.last.IsZero() {
		wait = max(wait, h.last.Add(owed).Sub(now))
	}
	return max(wait, 0)
}

func (h *commonHost) expect(g *Gate, now, back time.Time) {
	if h.waiting == nil {
		h.waiting = map[*Gate]turn{}
	}
	t, asked := h.waiting[g]
	if !asked || now.After(t.back.Add(turnGrace)) { // it had gone away meanwhile
		t.since = now
	}
	t.back = back
	h.waiting[g] = t
}

// sentAlready, in place of what is owed, marks a start that nothing can stop any more.
const sentAlready = -1 * time.Nanosecond

// begin marks the start of a claimed request, or returns how long it still has to
// wait, since another one has ended meanwhile.
func (c *Common) begin(keys commonKeys, owed time.Duration) (wait time.Duration) {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.now()
	if owed >= 0 {
		c.each(keys, func(h *commonHost) { wait = max(wait, h.rest(now, owed)) })
	}
	if wait == 0 {
		c.each(keys, func(h *commonHost) { h.pending, h.last = h.pending-1, now })
	}
	return wait
}

// end marks the end of a request that has begun, and what the server asks for of
// each budget.
func (c *Common) end(keys commonKeys, debts [2]time.Duration) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.now()
	c.each(keys, func(h *commonHost) { h.inFlight, h.last = h.inFlight-1, now })
	for i, debt := range debts {
		h := c.hosts[keys[i]]
		if h == nil || debt <= 0 || !now.Add(debt).After(h.debt) {
			continue
		}
		h.debt = now.Add(debt)
		if c.Noted != nil {
			c.Noted(keys[i], c.clock.outside(h.debt))
		}
	}
}

// Owe restores a debt that an earlier process was told of by Noted, at most longest.
func (c *Common) Owe(key string, until time.Time, longest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.now()
	c.each(commonKeys{key}, func(h *commonHost) { h.debt = later(h.debt, c.clock.future(until, now, longest)) })
}

// cancel gives a claim back that has not begun.
func (c *Common) cancel(keys commonKeys) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.each(keys, func(h *commonHost) { h.inFlight, h.pending = h.inFlight-1, h.pending-1 })
}

// Leave takes a gate out that asks for nothing any more, so that nobody waits for
// it. Its grants must have ended.
func (c *Common) Leave(g *Gate) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hosts {
		delete(h.waiting, g)
	}
}

// forget drops the hosts that owe nothing, where many have come since it last did.
func (c *Common) forget() {
	if len(c.hosts) < c.sweep {
		return
	}
	now := c.clock.now()
	for key, h := range c.hosts {
		if h.inFlight == 0 && len(h.waiting) == 0 && h.rest(now, h.owed) == 0 {
			delete(c.hosts, key)
		}
	}
	c.sweep = max(2*len(c.hosts), leastSweep)
}
