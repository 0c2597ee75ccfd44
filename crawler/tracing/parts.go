package tracing

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/amblecrawl/amble/crawler"
)

// Politeness is p, with the requests that it lets go traced.
func (r *Run) Politeness(p crawler.Politeness) crawler.Politeness {
	if r == nil {
		return p
	}
	return politeness{p, r}
}

type politeness struct {
	crawler.Politeness
	run *Run
}

// Decide implements crawler.Politeness.
func (p politeness) Decide(request *crawler.Request) crawler.Verdict {
	v := p.Politeness.Decide(request)
	var traced *visit
	switch v.Action {
	case crawler.Wait:
		p.run.queue.wait(request.Host(), v.Reason)
	case crawler.Skip:
		p.run.queue.take(request, false)
	case crawler.Go:
		waited := p.run.queue.take(request, true)
		method := http.MethodGet
		if request.Call != nil {
			method = cmp.Or(request.Call.Method, method)
		}
		if traced = p.run.begin(request, "request", request.URL.Redacted(), request.URL, method, waited); traced != nil {
			v.Grant = &grant{Grant: v.Grant, visit: traced, key: request}
		}
	case crawler.FetchRobots:
		p.run.queue.wait(request.Host(), cmp.Or(v.File, "robots.txt"))
		if traced = p.run.begin(nil, cmp.Or(v.File, "robots.txt"), v.Robots, request.URL, http.MethodGet, nil); traced != nil {
			v.Grant = &grant{Grant: v.Grant, visit: traced}
		}
	}
	return v
}

// grant is one whose exchange is traced. It is one worker's.
type grant struct {
	crawler.Grant
	visit *visit
	key   any // nil: the visit ends with the exchange
	over  bool
}

// Context implements crawler.Grant.
func (g *grant) Context(ctx context.Context) context.Context {
	return g.visit.net.watch(context.WithValue(g.Grant.Context(ctx), visitKey{}, g.visit))
}

// Done implements crawler.Grant.
func (g *grant) Done(resp *crawler.Response, err error) crawler.HostState {
	state := g.Grant.Done(resp, err)
	g.over = true
	v, e := g.visit, g.Grant.Entry()
	start, end := e.Start, e.End
	if start.IsZero() {
		start = v.begun
	}
	v.waited.step(v, &e)
	if owed := min(e.Owed, e.Paid); owed > 0 {
		v.step("politeness wait", start.Add(-owed), start, attribute.String("amble.asked_by", e.By), attribute.Float64("amble.owed_s", e.Owed.Seconds()), attribute.Float64("amble.paid_s", e.Paid.Seconds()))
	}
	v.net.steps(v, start, e.Answered, end)
	if resp != nil {
		v.span.SetAttributes(attribute.Int("http.response.status_code", resp.Status), attribute.Int64("http.response.body.size", resp.Wire))
		if resp.Status >= 400 {
			v.span.SetAttributes(attribute.String("error.type", strconv.Itoa(resp.Status)))
		}
	}
	if e.RetryAfter > 0 {
		v.span.SetAttributes(attribute.Float64("amble.retry_after_s", e.RetryAfter.Seconds()))
	}
	if err != nil {
		v.span.SetAttributes(attribute.String("error.type", errorType(err)))
		fail(v.span, v.run.hide(err.Error()))
	}
	if g.key == nil {
		v.span.End()
		return state
	}
	v.run.mu.Lock()
	v.sent = true
	v.run.mu.Unlock()
	return state
}

// errorType is the class of a failure, of which there are few.
func errorType(err error) string {
	var failed *crawler.FetchError
	if errors.As(err, &failed) {
		return string(failed.Class)
	}
	return "_OTHER" // as the semantic conventions have it
}

// Cancel implements crawler.Grant.
func (g *grant) Cancel() crawler.HostState {
	if !g.over {
		g.over = true
		g.visit.run.drop(g.key, g.visit, "not sent")
	}
	return g.Grant.Cancel()
}

// Pipeline is p, with the extraction of traced pages in their traces.
func (r *Run) Pipeline(p crawler.Pipeline) crawler.Pipeline {
	if r == nil {
		return p
	}
	return pipeline{p, r}
}

type pipeline struct {
	crawler.Pipeline
	run *Run
}

// Run implements crawler.Pipeline.
func (p pipeline) Run(ctx context.Context, page *crawler.Page, result *crawler.Result) error {
	v := p.run.of(page.Request)
	if v == nil {
		return p.Pipeline.Run(ctx, page, result)
	}
	from := time.Now()
	err := p.Pipeline.Run(ctx, page, result)
	v.step("extract", from, time.Now(), attribute.Int("amble.records", len(result.Records)), attribute.Int("amble.links", len(result.Links)))
	return err
}

// Observer is o, with what ends a trace told to the run as well.
func (r *Run) Observer(o crawler.Observer) crawler.Observer {
	if r == nil {
		return o
	}
	settled, committing, committed := o.Settled, o.Committing, o.Committed
	o.Settled = func(request *crawler.Request, outcome crawler.Outcome, records int) {
		r.settle(request, outcome, records)
		if settled != nil {
			settled(request, outcome, records)
		}
	}
	o.Committing = func(leases []uint64) {
		r.committing(leases)
		if committing != nil {
			committing(leases)
		}
	}
	o.Committed = func(t crawler.Totals, f crawler.FrontierStats) {
		r.committed()
		if committed != nil {
			committed(t, f)
		}
	}
	return o
}
