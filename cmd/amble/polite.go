package main

import (
	"context"
	"errors"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/politeness"
)

// polite joins the politeness gate, which knows nothing of crawls, to the
// engine.
type polite struct{ gate *politeness.Gate }

var _ crawler.Politeness = (*polite)(nil)

// Decide asks the gate about a leased request.
func (p *polite) Decide(r *crawler.Request) crawler.Verdict {
	host := r.Host()
	d := p.gate.Decide(host, r.URL.Fetch())
	v := crawler.Verdict{Reason: d.Reason, Until: d.Until, Robots: d.Robots}
	switch d.Action {
	case politeness.Go:
		v.Action, v.Grant = crawler.Go, grant{d.Grant}
	case politeness.FetchRobots:
		v.Action, v.Grant = crawler.FetchRobots, grant{d.Grant}
	case politeness.Wait:
		v.Action, v.Reason, v.State = crawler.Wait, d.By, stateOf(p.gate.State(host))
		if d.Until.After(v.State.NotBefore) {
			v.State.NotBefore = d.Until
		}
	case politeness.Skip:
		v.Action, v.Class, v.State = crawler.Skip, withheld(d.Err), stateOf(p.gate.State(host))
	}
	return v
}

// withheld is the class of a URL that the gate does not let through: a rule of
// robots.txt, or what kept robots.txt from being read.
func withheld(err error) crawler.Class {
	var cause *crawler.FetchError
	switch {
	case err == nil:
		return crawler.ClassDisallowed
	case errors.As(err, &cause):
		return cause.Class
	}
	return crawler.ClassRobotsUnknown
}

type grant struct{ g *politeness.Grant }

func (g grant) Context(ctx context.Context) context.Context {
	return politeness.WithGrant(ctx, g.g)
}

func (g grant) Done(resp *crawler.Response, err error) crawler.HostState {
	r := politeness.Result{Err: err}
	if resp != nil {
		r.Status, r.Header, r.Body = resp.Status, resp.Header, resp.Body
	}
	var cause *crawler.FetchError
	r.Permanent = errors.As(err, &cause) && !cause.Temporary
	return stateOf(g.g.Done(r))
}

// Entry is empty until a ledger is kept.
func (g grant) Entry() crawler.Entry { return crawler.Entry{} }

func (g grant) Cancel() crawler.HostState { return stateOf(g.g.Cancel()) }

func stateOf(s politeness.HostState) crawler.HostState {
	return crawler.HostState{NotBefore: s.NotBefore, Spacing: s.Spacing, Concurrency: s.Concurrency, Opaque: s.Opaque}
}
