package politeness

import (
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

// Explanation tells how things stand for one URL.
type Explanation struct {
	// Robots tells what is known of robots.txt: "ignored", "none needed",
	// "not fetched yet", "being fetched", "known", or why it is unreachable.
	Robots string
	// Known reports whether Verdict holds.
	Known      bool
	Verdict    robots.Verdict
	RobotsHash [16]byte
	RobotsAge  time.Duration
	// Owed is the delay between two requests to the host, By who asked for it.
	Owed time.Duration
	By   string
	// Until is the instant before which nothing may be sent, zero when that is
	// past, WaitBy who asked for it.
	Until       time.Time
	WaitBy      string
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
		Concurrency: h.concurrency(&g.policy), InFlight: h.inFlight, Strikes: h.strikes,
		RobotsHash: h.robots.hash,
	}
	x.Owed, x.By = h.owed()
	if until, by, ok := h.wait(&g.policy, now); !ok {
		x.Until, x.WaitBy = g.clock.outside(until), by
	}
	rules := h.robots.rules
	switch s := &h.robots; {
	case g.policy.IgnoreRobots:
		x.Robots = "ignored"
	case !h.web:
		x.Robots = "none needed"
	case s.usable(now):
		x.Robots, x.Known, x.RobotsAge = "known", true, now.Sub(s.got)
	case s.fetching:
		x.Robots = "being fetched"
	case s.failures > 0:
		x.Robots = s.reason()
	default:
		x.Robots = "not fetched yet"
	}
	g.mu.Unlock()
	if x.Known {
		x.Verdict = rules.Check(url)
	}
	return x
}
