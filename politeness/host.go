package politeness

import "time"

// busyPoll is the least time that a caller is sent away who waits for an event
// rather than for an instant.
const busyPoll = 50 * time.Millisecond

// host is the state of one origin. The gate's lock guards it. There may be a
// million of them: what few of them need stands behind a pointer.
type host struct {
	origin string
	lane
	hours   *Hours // by policy
	group   *group // nil without one
	circuit *circuit
	robots  robotsState
	file    *siteState // nil without Policy.File
	grouped time.Time  // when its group was found
	web     bool       // http or https: has a robots.txt
	api     bool       // by policy: robots.txt is not for it
	memory  memoryState
	recency
}

// robotsHold reports whether the host's robots.txt is asked for and obeyed.
func (h *host) robotsHold(p *Policy) bool { return h.web && !h.api && !p.IgnoreRobots }

// crawlDelay is what the host's robots.txt asks for, within the cap.
func (h *host) crawlDelay() time.Duration {
	if h.robots.copy == nil {
		return 0
	}
	return h.robots.copy.delay
}

// owed is the time to leave alone between two requests to the host, and who
// asked for it.
func (h *host) owed() (time.Duration, claim) {
	owed, c := h.ownOwed()
	if h.group != nil {
		if d, by := h.group.owed(); d > owed {
			owed, c = d, claim{by: by, shared: true}
		}
	}
	return owed, c
}

func (h *host) ownOwed() (time.Duration, claim) {
	owed, by := h.lane.owed()
	if d := h.crawlDelay(); d > owed {
		owed, by = d, byCrawlDelay
	}
	return owed, claim{by: by}
}

// least is what is owed whatever the host answers, and who asked for it.
func (h *host) least() (time.Duration, claim) {
	least, c := h.delay, claim{by: byConfig}
	if d := h.crawlDelay(); d > least {
		least, c = d, claim{by: byCrawlDelay}
	}
	if h.group != nil && h.group.delay > least {
		least, c = h.group.delay, claim{by: byConfig, shared: true}
	}
	return least, c
}

// concurrency is 1 until robots.txt is known, and while a failing host is
// probed.
func (h *host) concurrency(p *Policy) int {
	if h.robotsHold(p) && h.robots.copy == nil || h.broken(p) {
		return 1
	}
	if h.group != nil {
		return min(h.limit, h.group.limit)
	}
	return h.limit
}

// wait returns until when no request may start now, and who asked for it; ok
// is true when one may start.
func (h *host) wait(p *Policy, k *clock, now time.Time) (c claim, ok bool) {
	c = h.opening(now, k)
	free := now
	owed, _ := h.ownOwed()
	if h.busy(owed, h.concurrency(p)) {
		free = now.Add(max(owed, busyPoll))
	}
	if h.group != nil {
		if owed, _ := h.group.owed(); h.group.busy(owed, h.group.limit) {
			free = later(free, now.Add(max(owed, busyPoll)))
		}
	}
	// What is in flight ends now at the earliest, and the delay runs from then.
	if free.After(now) && c.until.Before(free) {
		return claim{by: byInFlight, until: free}, false
	}
	return c, free.Equal(now) && !now.Before(c.until)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// idle reports whether forgetting the host could make nobody impolite.
func (h *host) idle(now time.Time) bool {
	return h.inFlight == 0 && !h.robots.fetching && h.memory != recalling &&
		!now.Before(h.due(now).until) && !now.Before(h.robots.retryAt()) && !h.file.busy(now)
}

// recency links the hosts from the one used last to the one used first.
type recency struct{ newer, older *host }

// hostList is that chain: a list within its elements, since an allocation for
// each of a million is a lot.
type hostList struct {
	newest, oldest *host
	n              int
}

// Len returns the number of hosts.
func (l *hostList) Len() int { return l.n }

func (l *hostList) push(h *host) {
	h.newer, h.older = nil, l.newest
	if l.newest == nil {
		l.oldest = h
	} else {
		l.newest.newer = h
	}
	l.newest = h
	l.n++
}

func (l *hostList) remove(h *host) {
	if h.newer == nil {
		l.newest = h.older
	} else {
		h.newer.older = h.older
	}
	if h.older == nil {
		l.oldest = h.newer
	} else {
		h.older.newer = h.newer
	}
	l.n--
}

func (l *hostList) use(h *host) {
	if l.newest != h {
		l.remove(h)
		l.push(h)
	}
}
