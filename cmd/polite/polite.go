package polite

import (
	"context"
	"errors"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/signals"
)

// Politeness joins the politeness gate, which knows nothing of crawls, to the
// engine.
type Politeness struct {
	Gate  *politeness.Gate
	Usage signals.Policy
	// Waits is until when a host cannot be reached, and why; zero when it can.
	Waits func(u urls.URL) (until time.Time, why string)
}

var _ crawler.Politeness = (*Politeness)(nil)

// Decide asks the gate about a leased request, and then what robots.txt and
// tdmrep.json say about the use of the page.
func (p *Politeness) Decide(r *crawler.Request) crawler.Verdict {
	host, url := r.Host(), r.URL.Fetch()
	if until, why := p.Waits(r.URL); !until.IsZero() {
		state := stateOf(p.Gate.State(host))
		if until.After(state.NotBefore) {
			state.NotBefore = until
		}
		return crawler.Verdict{Action: crawler.Wait, Reason: why, Until: until, State: state}
	}
	d := p.Gate.Decide(host, url)
	v := crawler.Verdict{Reason: d.Reason, Until: d.Until, Robots: d.Robots, Header: d.Header}
	switch d.Action {
	case politeness.Go:
		if !r.URL.IsHTTP() { // nobody states the use of what is no page
			v.Action, v.Grant = crawler.Go, grant{d.Grant, d}
			break
		}
		said := saidBy(d.Digest, d.File)
		if verdict := p.Usage.DecideEarly(said.early(url)); !verdict.Allowed {
			return p.skip(d, verdict.Reason, stateOf(d.Grant.Cancel()))
		}
		v.Action, v.Grant, v.Said, v.Stated = crawler.Go, grant{d.Grant, d}, said, said.sum(url)
	case politeness.FetchRobots:
		v.Action, v.Grant = crawler.FetchRobots, grant{d.Grant, d}
	case politeness.FetchFile:
		// What robots.txt settles needs no further file.
		if verdict := p.Usage.DecideEarly(saidBy(d.Digest, nil).early(url)); !verdict.Allowed {
			state := stateOf(d.Grant.Cancel())
			rule, _, _ := p.Gate.Consult(host, url)
			d.Line = rule.Line // that of the file stood there
			return p.skip(d, verdict.Reason, state)
		}
		v.Action, v.Grant, v.File = crawler.FetchRobots, grant{d.Grant, d}, "tdmrep"
	case politeness.Wait:
		v.Action, v.Reason, v.State = crawler.Wait, d.By, stateOf(p.Gate.State(host))
		if d.Until.After(v.State.NotBefore) {
			v.State.NotBefore = d.Until
		}
	case politeness.Skip:
		return p.skip(d, d.Reason, stateOf(p.Gate.State(host)))
	}
	return v
}

// skip withholds a request.
func (p *Politeness) skip(d politeness.Decision, reason string, state crawler.HostState) crawler.Verdict {
	return crawler.Verdict{
		Action: crawler.Skip, Class: withheld(d.Err), Reason: reason, State: state,
		Entry: crawler.Entry{RobotsHash: d.RobotsHash, RobotsLine: d.Line},
	}
}

// withheld is the class of a URL that the gate does not let through: a rule of
// robots.txt, or what kept robots.txt from being read.
func withheld(err error) crawler.Class {
	var cause *crawler.FetchError
	switch {
	case err == nil:
		return crawler.ClassDisallowed
	case errors.Is(err, politeness.ErrUnreachable):
		return crawler.ClassUnreachable
	case errors.As(err, &cause):
		return cause.Class
	}
	return crawler.ClassRobotsUnknown
}

type grant struct {
	g *politeness.Grant
	d politeness.Decision
}

func (g grant) Context(ctx context.Context) context.Context {
	return politeness.WithGrant(ctx, g.g)
}

func (g grant) Done(resp *crawler.Response, err error) crawler.HostState {
	r := politeness.Result{Err: err}
	if resp != nil {
		r.Status, r.Header, r.Body = resp.Status, resp.Header, resp.Body
	}
	var cause *crawler.FetchError
	if errors.As(err, &cause) {
		r.Permanent, r.Excused = !cause.Temporary, cause.Class == crawler.ClassProxy || cause.Class == crawler.ClassAuth
	}
	return stateOf(g.g.Done(r))
}

// Elsewhere is the host that a robots.txt was redirected to.
func (g grant) Elsewhere() (string, crawler.HostState) {
	host, state, ok := g.g.Elsewhere()
	if !ok {
		return "", crawler.HostState{}
	}
	return host, stateOf(state)
}

func (g grant) Cancel() crawler.HostState { return stateOf(g.g.Cancel()) }

// Entry is the account of the exchange's time and of the rule it rests on.
func (g grant) Entry() crawler.Entry {
	a := g.g.Account()
	return crawler.Entry{
		Start: a.Start, End: a.End, Decided: a.Decided, Answered: a.Answered, Booked: a.Booked,
		Owed: a.Owed, By: a.By, Paid: a.Paid, Concurrency: a.Concurrency,
		RetryAfter: a.RetryAfter, Reason: a.Problem, Failed: a.Failed, Group: a.Group, RobotsHash: g.d.RobotsHash, RobotsLine: g.d.Line,
	}
}

func stateOf(s politeness.HostState) crawler.HostState {
	return crawler.HostState{
		NotBefore: s.NotBefore, Spacing: s.Spacing, Concurrency: s.Concurrency, Opaque: s.Opaque,
		Robots: s.Robots, File: s.File, Group: s.Group, GroupOpaque: s.GroupOpaque,
	}
}

// Memory is what earlier processes have left behind of hosts.
type Memory struct {
	// Used tells that one may have sent requests a moment ago, so that every
	// host first waits its delay.
	Used bool
	// State is where they kept what they knew of hosts, nil without one.
	State State
	// Common is the time of hosts that crawls of this process share, nil for none.
	Common *politeness.Common
}

// memories gives politeness back what a crawl's state holds of a host. What
// cannot be read counts as unknown, which only makes the crawl more careful.
type memories struct{ state State }

// State is a state, also one that is only read.
type State interface {
	Get(key string) ([]byte, error)
}

func (m memories) robots(origin string) []byte { return m.get(crawler.KeyRobots + origin) }
func (m memories) file(origin string) []byte   { return m.get(crawler.KeyFile + origin) }
func (m memories) debts(key string) []byte     { return m.get(crawler.KeyDebts + key) }

func (m memories) get(key string) []byte {
	value, err := m.state.Get(key)
	if err != nil {
		return nil
	}
	return value
}
