package politeness

import (
	"net/http"
	"time"
)

// Result is what became of a granted request.
type Result struct {
	Status int         // 0 when there was no answer
	Header http.Header // of the answer
	// Body of an answer to a FetchRobots; what is beyond robots.MaxSize is not
	// read, so that a reader may stop there.
	Body []byte
	// Err tells why there was no answer, or not all of it.
	Err error
	// Permanent says that Err will not go away by asking again, as with a host
	// name that does not exist.
	Permanent bool
	// Excused says that Err is no failure of the host, as that of a proxy. It may
	// still have been asked, and is owed its pause.
	Excused bool
}

// Grant is the permission for exactly one request to exactly one URL. Done or
// Cancel must be called once; until then the grant holds one of the host's
// slots, unless the guard has seen the response end. Further calls do nothing.
type Grant struct {
	gate   *Gate
	host   *host      // whose time it is
	group  *group     // with whom the host shared it when it was granted
	robots *host      // whose robots.txt is fetched, nil for a page
	file   bool       // the host\'s Policy.File is fetched
	shared commonKeys // of Options.Common
	url    string
	// conditional: a copy is at hand that a 304 would renew.
	conditional bool

	// Guarded by the gate's lock.
	stage  stage
	closed bool      // Done or Cancel was called
	status int       // of the answer that is booked, 0 before
	began  time.Time // the latest start

	struck, serverStruck uint32 // what host and server had been when it began

	limit   int       // requests in flight that the host was allowed
	decided time.Time // when it was granted

	answeredAt, finished time.Time // the response's header and its end
	booked               time.Time // when Done was called
	failed               bool      // the host, by what Done was told
	account              Account   // as it stood at the start
}

type stage uint8

const (
	granted stage = iota
	begun
	ended
)

// grant takes a slot of h.
func (g *Gate) grant(h *host, url string) *Grant {
	gr := &Grant{gate: g, host: h, group: h.group, shared: h.commonKeys(), url: url, limit: h.concurrency(&g.policy), decided: g.clock.last}
	gr.both(func(l *lane) { l.inFlight++; l.pending = true })
	return gr
}

// both calls f for the lanes that the request takes part in.
func (gr *Grant) both(f func(l *lane)) {
	f(&gr.host.lane)
	if gr.group != nil {
		f(&gr.group.lane)
	}
}

// release frees the slots, and forgets the group where nobody is left in it.
func (gr *Grant) release(now time.Time) {
	gr.both(func(l *lane) { l.inFlight--; l.passed(now) })
	var debts [2]time.Duration
	debts[0] = gr.host.debt.Sub(now)
	if gr.group != nil {
		debts[1] = gr.group.debt.Sub(now)
	}
	gr.gate.common.end(gr.shared, debts)
	gr.gate.drop(gr.group)
}

// URL is the one URL that may be requested.
func (gr *Grant) URL() string { return gr.url }

// Host is the origin whose time the request takes: that of its URL, which for a
// robots.txt that is kept elsewhere is not the one that was asked for.
func (gr *Grant) Host() string { return gr.host.origin }

// Elsewhere returns Host and its state where that is not the host that was asked
// for, whose state Done returns; ok is false otherwise. It is to be kept as well.
func (gr *Grant) Elsewhere() (host string, state HostState, ok bool) {
	if gr.host == gr.asker() {
		return "", HostState{}, false
	}
	g := gr.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	return gr.host.origin, g.state(gr.host, g.clock.now()), true
}

// Begin marks the start of the request, an instant before it is sent. The guard
// calls it; clients without the guard should, since no other grant of the host
// is given before. It fails with ErrTooEarly and the instant to wait for when
// another response of the host ended in the meantime, with ErrLapsed when the
// grant no longer holds, and with ErrNotGranted when it is used up.
func (gr *Grant) Begin() (until time.Time, err error) {
	g := gr.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if gr.stage != granted {
		return time.Time{}, ErrNotGranted
	}
	now := g.clock.now()
	switch c := gr.host.opening(now, &g.clock); {
	case gr.group != gr.host.group, c.by == byHours:
		return g.clock.outside(later(c.until, now)), ErrLapsed
	case now.Before(c.until):
		return g.clock.outside(c.until), ErrTooEarly
	}
	owed, _ := gr.host.owed()
	if wait := g.common.begin(gr.shared, owed); wait > 0 {
		return g.clock.outside(now.Add(wait)), ErrTooEarly
	}
	gr.begin(now)
	return time.Time{}, nil
}

func (gr *Grant) begin(now time.Time) {
	gr.stage = begun
	gr.starts(now)
	gr.account = gr.host.account(now)
	gr.both(func(l *lane) { l.pending = false; l.passed(now) })
}

// starts notes when a request was sent, and what its server had said by then.
func (gr *Grant) starts(now time.Time) {
	gr.began, gr.struck, gr.serverStruck = now, gr.host.struck, gr.server().struck
}

// Answered books status and header as soon as they are known, ahead of Done.
// The guard calls it.
func (gr *Grant) Answered(status int, header http.Header) {
	g := gr.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	gr.answered(status, header, g.clock.now())
}

func (gr *Grant) answered(status int, header http.Header, now time.Time) {
	if gr.status != 0 || status == 0 {
		return
	}
	gr.status, gr.answeredAt = status, now
	gr.account.RetryAfter, _, gr.account.Problem = demanded(status, header, gr.gate.clock.outside(now))
	gr.observe(status, header, now.Sub(gr.began), now)
}

// End marks the end of the response and frees the host's slot. The guard calls
// it.
func (gr *Grant) End() {
	g := gr.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	gr.end(g.clock.now())
}

func (gr *Grant) end(now time.Time) {
	if gr.stage == begun {
		gr.stage, gr.finished = ended, now
		if a := &gr.account; a.RetryAfter > 0 {
			a.RetryAfter = max(a.RetryAfter-now.Sub(gr.answeredAt), time.Microsecond)
		}
		gr.release(now)
	}
}

// Done ends the grant with what came of it and returns the state of the host
// that was asked for, also where a redirect of its robots.txt led elsewhere. A
// grant that never began is taken to have been used.
func (gr *Grant) Done(r Result) HostState {
	g := gr.gate
	var fetched *fetchedRobots
	if gr.robots != nil {
		fetched = g.read(&r) // before taking the lock
	}
	var file *fetchedFile
	if gr.file {
		file = g.readFile(&r)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	var keep, keepFile []byte
	if !gr.closed {
		gr.closed = true
		if gr.stage == granted {
			g.common.begin(gr.shared, sentAlready)
			gr.begin(now)
		}
		gr.answered(r.Status, r.Header, now)
		gr.end(now)
		gr.booked, gr.failed = now, gr.host.tell(gr.status, &r, &g.policy, now)
		if gr.robots != nil {
			keep = g.settle(gr, &r, fetched, now)
		}
		if gr.file {
			keepFile = g.settleFile(gr, &r, file, now)
		}
	}
	state := g.state(gr.asker(), now)
	state.Robots, state.File = keep, keepFile
	return state
}

// Cancel gives a grant back. If the request had begun it counts as sent, and
// nothing is concluded from it.
func (gr *Grant) Cancel() HostState {
	g := gr.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	if !gr.closed {
		gr.closed = true
		if gr.stage == granted {
			gr.stage = ended
			g.common.cancel(gr.shared)
			gr.both(func(l *lane) { l.pending = false; l.inFlight-- })
			g.drop(gr.group)
		}
		gr.end(now)
		if gr.robots != nil {
			gr.robots.robots.fetching = false
		}
		if gr.file {
			gr.host.file.fetching = false
		}
	}
	return g.state(gr.asker(), now)
}

func (gr *Grant) asker() *host {
	if gr.robots != nil {
		return gr.robots
	}
	return gr.host
}

// broke marks that the connection of the request broke, and that the same
// request is about to be sent once more.
func (gr *Grant) broke() {
	g := gr.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	gr.both(func(l *lane) { l.passed(now) })
}

// resume starts the repeated request if that is permitted now, and otherwise
// returns how long it has to wait.
func (gr *Grant) resume() time.Duration {
	g := gr.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	if c := gr.host.opening(now, &g.clock); now.Before(c.until) {
		return c.until.Sub(now)
	}
	gr.starts(now)
	gr.both(func(l *lane) { l.passed(now) })
	return 0
}
