package tracing

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Run is a run that is traced. Its methods are safe for concurrent use.
type Run struct {
	tracer *Tracer
	span   trace.Span
	crawl  string
	hide   func(string) string
	queue  *queue

	mu       sync.Mutex
	underWay map[any]*visit    // by the *crawler.Request
	written  map[string]*visit // by what their entry in the ledger says, from there to the commit
	commit   time.Time         // when the batch began to be written whose entries are in written
	traced   int64
}

// visit is one request that is traced, from the verdict to the commit.
type visit struct {
	run   *Run
	ctx   context.Context // of its span
	span  trace.Span
	begun time.Time
	net   exchange
	entry string // what its entry in the ledger says
	// waited is its time in the queue, nil where that is not known.
	waited *queued
}

// step adds what is over already.
func (v *visit) step(name string, from, to time.Time, attributes ...attribute.KeyValue) {
	if from.IsZero() || to.Before(from) {
		return
	}
	_, span := v.run.tracer.tracer.Start(v.ctx, name, trace.WithTimestamp(from), trace.WithAttributes(attributes...))
	span.End(trace.WithTimestamp(to))
}

// begin traces a request that may leave, if it is one of those that are; key is nil for
// those that have no outcome of their own.
func (r *Run) begin(key any, kind, full string, host urls.URL, method string, waited *queued) *visit {
	if !r.tracer.limit.Allow() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.underWay)+len(r.written) >= maxUnderWay {
		return nil
	}
	now := time.Now()
	since := now
	if waited != nil {
		since = waited.at
	}
	// A trace of its own: a collector then takes part of them, and none is without end.
	ctx, span := r.tracer.tracer.Start(context.Background(), kind, trace.WithNewRoot(), trace.WithTimestamp(since), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithLinks(trace.Link{SpanContext: r.span.SpanContext()}), trace.WithAttributes(
			attribute.String("amble.crawl", r.crawl), attribute.String("url.full", r.hide(full)),
			attribute.String("http.request.method", method)), trace.WithAttributes(server(host)...))
	if !span.IsRecording() { // by OTEL_TRACES_SAMPLER
		return nil
	}
	r.traced++
	v := &visit{run: r, ctx: ctx, span: span, begun: now, waited: waited}
	if key != nil {
		r.underWay[key] = v
	}
	return v
}

// server names one as the semantic conventions have it.
func server(of urls.URL) []attribute.KeyValue {
	u, err := url.Parse(of.Origin())
	if err != nil {
		return nil
	}
	out := []attribute.KeyValue{attribute.String("server.address", u.Hostname())}
	port, err := strconv.Atoi(u.Port())
	switch {
	case err == nil:
	case u.Scheme == "http":
		port = 80
	case u.Scheme == "https":
		port = 443
	default:
		return out
	}
	return append(out, attribute.Int("server.port", port))
}

// of gives the visit of a request that is traced, nil for others.
func (r *Run) of(key any) *visit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.underWay[key]
}

// drop ends a visit that came to nothing.
func (r *Run) drop(key any, v *visit, why string) {
	r.mu.Lock()
	delete(r.underWay, key)
	r.mu.Unlock()
	v.span.AddEvent(why)
	v.span.End()
}

// settled notes what became of a request.
func (r *Run) settled(request *crawler.Request, o crawler.Outcome, records int) {
	r.mu.Lock()
	v := r.underWay[request]
	delete(r.underWay, request)
	if v != nil && v.entry != "" {
		r.written[v.entry] = v
	}
	r.mu.Unlock()
	if v == nil {
		return
	}
	v.span.SetAttributes(attribute.String("amble.outcome", string(o.Class)), attribute.Int("amble.records", records), attribute.Int("amble.attempt", int(request.Attempt)))
	if request.Attempt > 0 {
		v.span.SetAttributes(attribute.Int("http.request.resend_count", int(request.Attempt)))
	}
	if o.Class.Failed() {
		fail(v.span, r.hide(o.Detail))
	}
	if v.entry == "" {
		v.span.End()
	}
}

// Entered is told of entries that are in the ledger: their batch is being committed.
func (r *Run) Entered(entries []crawler.Entry) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commit = time.Now()
	for i := range entries {
		r.queue.entered(&entries[i])
		if v := r.written[entryOf(&entries[i])]; v != nil {
			v.span.AddEvent("in the ledger", trace.WithTimestamp(r.commit))
			v.begun = r.commit // what follows is the commit
		}
	}
}

// committed ends those whose batch is durable.
func (r *Run) committed() {
	r.mu.Lock()
	commit := r.commit
	var over []*visit
	for entry, v := range r.written {
		if !commit.IsZero() && v.begun.Equal(commit) {
			over = append(over, v)
			delete(r.written, entry)
		}
	}
	r.mu.Unlock()
	now := time.Now()
	for _, v := range over {
		v.step("commit", commit, now)
		v.span.End(trace.WithTimestamp(now))
	}
}

// entryOf tells entries of one run apart: no two have all times in common.
func entryOf(e *crawler.Entry) string {
	return fmt.Sprintf("%d %d %d", e.Decided.UnixNano(), e.Start.UnixNano(), e.Booked.UnixNano())
}

// End ends the span of a run, and of what it has left.
func (r *Run) End(s *crawler.Summary, err error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	left := make([]*visit, 0, len(r.underWay)+len(r.written))
	for _, v := range r.underWay {
		left = append(left, v)
	}
	for _, v := range r.written {
		left = append(left, v)
	}
	clear(r.underWay)
	clear(r.written)
	traced := r.traced
	r.mu.Unlock()
	for _, v := range left {
		v.span.AddEvent("the run ended")
		v.span.End()
	}
	r.span.SetAttributes(attribute.Int64("amble.requests_traced", traced))
	if s != nil {
		r.span.SetAttributes(attribute.String("amble.status", string(s.Status)), attribute.Int64("amble.requests", s.Requests), attribute.Int64("amble.pages", s.Pages))
	}
	if err != nil {
		fail(r.span, r.hide(err.Error()))
	}
	r.span.End()
}
