package politeness

import (
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

// Explanation tells how things stand for one URL.
type Explanation struct {
	// Robots tells what is known of robots.txt: "ignored", "none needed", "not for an API",
	// "not fetched yet", "being fetched", "known", "unreachable for 30 days and
	// taken as not there", or why it is unreachable.
	Robots string
	// Known reports whether Verdict holds.
	Known      bool
	Verdict    robots.Verdict
	RobotsHash [16]byte
	RobotsAge  time.Duration
	// RobotsLife is how long the copy serves from the instant it was fetched or
	// last found current.
	RobotsLife time.Duration
	// File is what is known of Policy.File, as Decision.File has it.
	File any
	// Owed is the delay between two requests to the host, By who asked for it.
	Owed time.Duration
	By   string
	// Least is the part of Owed that no answer can shorten, by LeastBy: what the
	// policy and Crawl-delay ask for, the group's delay included. GroupDelay is
	// that of the group alone.
	Least      time.Duration
	LeastBy    string
	GroupDelay time.Duration
	// Hours is the window in which requests may be sent.
	Hours Hours
	// Until is the instant before which nothing may be sent, zero when that is
	// past, WaitBy who asked for it.
	Until  time.Time
	WaitBy string
	// Demands is all that Owed and Until are made of.
	Demands []Demand
	// Group is the name of the group that the host shares its budget with, ""
	// without one or before the host was asked about; Members is how many of its
	// hosts are in memory.
	Group   string
	Members int
	// Failing is since when every request to the host fails, zero when none did
	// or the last did not.
	Failing     time.Time
	Concurrency int
	InFlight    int
	// Strikes counts the 429 and 503 answers not yet forgiven.
	Strikes int
}

// Explain tells what Decide goes by, without changing anything.
func (g *Gate) Explain(origin, url string) Explanation {
	g.mu.Lock()
	now := g.clock.now()
	h := g.hosts[origin]
	if h == nil {
		h = g.blank(origin)
	}
	x := Explanation{
		Concurrency: h.concurrency(&g.policy), InFlight: h.inFlight,
		Strikes: int(max(h.throttle.strikes, h.server().throttle.strikes)),
		Demands: g.demands(h, now), Hours: *h.hours,
	}
	least, by := h.least()
	x.Least, x.LeastBy = least, h.name(by)
	owed, by := h.owed()
	x.Owed, x.By = owed, h.name(by)
	if c, ok := h.wait(&g.policy, &g.clock, now); !ok {
		x.Until, x.WaitBy = g.clock.outside(c.until), h.name(c)
	}
	if h.group != nil {
		x.Group, x.Members, x.GroupDelay = h.group.key, h.group.members, h.group.delay
	}
	if h.circuit != nil {
		x.Failing = g.clock.outside(h.circuit.since)
	}
	x.File = h.file.digest()
	c := h.robots.copy
	if c != nil {
		x.RobotsHash = c.hash
	}
	x.Robots = h.robotsWord(&g.policy, now)
	if x.Robots == robotsKnown || x.Robots == robotsAssumed {
		x.Known, x.RobotsAge, x.RobotsLife = true, now.Sub(c.got), c.lifetime
	}
	g.mu.Unlock()
	if x.Known {
		t := g.text(origin)
		if x.Known = t != nil; x.Known {
			x.Verdict = t.rules.Check(url)
		}
	}
	return x
}

// API reports whether the policy declares an origin an interface for programs.
func (g *Gate) API(origin string) bool { return g.policy.exception(origin).API }

// Consult tells what robots.txt says of a URL, and what Policy.Digest made of
// it, without changing anything. It goes by the copy at hand whatever its age,
// and knows nothing where there is none; Decide is who permits.
func (g *Gate) Consult(origin, url string) (v robots.Verdict, digest any, known bool) {
	t := g.text(origin)
	if t == nil {
		return robots.Verdict{}, nil, false
	}
	return t.rules.Check(url), t.digest, true
}

// File returns what SiteFile.Read made of an origin's file, nil where that is not
// known.
func (g *Gate) File(origin string) any {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h := g.hosts[origin]; h != nil {
		return h.file.digest()
	}
	return nil
}

// demands lists what holds for a host.
func (g *Gate) demands(h *host, now time.Time) []Demand {
	var out []Demand
	h.claims(now, func(c claim, delay time.Duration) {
		d := Demand{By: h.name(c), Delay: delay}
		if c.until.After(now) {
			d.Until = g.clock.outside(c.until)
		}
		if d.Delay > 0 || !d.Until.IsZero() {
			out = append(out, d)
		}
	})
	if opens := h.hours.Next(g.clock.outside(now)); h.hours.String() != "" {
		d := Demand{By: h.name(claim{by: byHours})}
		if opens.After(g.clock.outside(now)) {
			d.Until = opens
		}
		out = append(out, d)
	}
	if t := h.robots.trouble; t != nil && t.retryAt.After(now) {
		out = append(out, Demand{By: t.reason(), Until: g.clock.outside(t.retryAt)})
	}
	return out
}
