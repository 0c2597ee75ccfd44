package tracing

import (
	"context"
	"net/url"
	"slices"
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
	settled  map[uint64]*visit // by their leases, until they are committed
	batch    []uint64          // leases that are being committed
	commit   time.Time         // since when
	traced   int64
}

// visit is one request that is traced, from the verdict to the commit.
type visit struct {
	run   *Run
	ctx   context.Context // of its span
	span  trace.Span
	begun time.Time
	net   exchange
	sent  bool
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
	if len(r.underWay)+len(r.settled) >= maxUnderWay {
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

// settle notes what became of a request.
func (r *Run) settle(request *crawler.Request, o crawler.Outcome, records int) {
	r.mu.Lock()
	v := r.underWay[request]
	delete(r.underWay, request)
	waits := v != nil && v.sent
	if waits {
		r.settled[o.Lease] = v
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
	if !waits {
		v.span.End()
	}
}

// Entered is told of entries that are in the ledger.
func (r *Run) Entered(entries []crawler.Entry) {
	if r == nil {
		return
	}
	for i := range entries {
		r.queue.entered(&entries[i])
	}
}

// committing notes which requests a batch is about to commit. What an attempt before had
// more of was lost to another process.
func (r *Run) committing(leases []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, lease := range r.batch {
		if v := r.settled[lease]; v != nil && !slices.Contains(leases, lease) {
			delete(r.settled, lease)
			v.span.AddEvent("its lease was lost")
			v.span.End()
		}
	}
	r.commit, r.batch = time.Now(), append(r.batch[:0], leases...)
}

// committed ends those whose batch is durable.
func (r *Run) committed() {
	r.mu.Lock()
	commit := r.commit
	var over []*visit
	for _, lease := range r.batch {
		if v := r.settled[lease]; v != nil {
			over = append(over, v)
			delete(r.settled, lease)
		}
	}
	r.batch = r.batch[:0]
	r.mu.Unlock()
	now := time.Now()
	for _, v := range over {
		v.step("commit", commit, now)
		v.span.End(trace.WithTimestamp(now))
	}
}

// End ends the span of a run, and of what it has left.
func (r *Run) End(s *crawler.Summary, err error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	left := make([]*visit, 0, len(r.underWay)+len(r.settled))
	for _, v := range r.underWay {
		left = append(left, v)
	}
	for _, v := range r.settled {
		left = append(left, v)
	}
	clear(r.underWay)
	clear(r.settled)
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
