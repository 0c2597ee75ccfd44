package tracing

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

const (
	// maxQueued bounds the requests whose time in the queue is known, and the hosts of
	// which it is known what they waited for. Beyond it any one of them is forgotten.
	maxQueued = 1 << 16
	// maxReasons bounds what a request is said to have waited for.
	maxReasons = 8
)

// queued is a request that waits for its turn.
type queued struct {
	at     time.Time // since when
	left   time.Time // when it left, zero until then
	ahead  int64     // requests that had left to its host by then
	before int64     // and how many left to it meanwhile
	retry  crawler.Class
	why    []string
}

// hostQueue is what is noted of the queue of a host.
type hostQueue struct {
	left int64 // requests that have left
	why  []reason
}

// reason is what a request to a host waited for, and when that was last said.
type reason struct {
	text string
	at   time.Time
}

// queue notes since when requests wait, and why. It is safe for concurrent use.
type queue struct {
	mu       sync.Mutex
	requests map[urls.Key]*queued
	hosts    map[string]*hostQueue
}

func newQueue() *queue {
	return &queue{requests: map[urls.Key]*queued{}, hosts: map[string]*hostQueue{}}
}

// put is told of a request that is queued, or again after an outcome of some class.
func (q *queue) put(key urls.Key, host string, again crawler.Class) {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.requests[key] != nil {
		return
	}
	if len(q.requests) >= maxQueued {
		for any := range q.requests { // in no order
			delete(q.requests, any)
			break
		}
	}
	q.requests[key] = &queued{at: now, ahead: q.host(host).left, retry: again}
}

// host gives what is noted of one. q.mu is held.
func (q *queue) host(name string) *hostQueue {
	h := q.hosts[name]
	if h == nil {
		if len(q.hosts) >= maxQueued {
			for any := range q.hosts {
				delete(q.hosts, any)
				break
			}
		}
		h = &hostQueue{}
		q.hosts[name] = h
	}
	return h
}

// leave is told of a request that leaves; it may be sent away again.
func (q *queue) leave(r *crawler.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if one := q.requests[r.Key]; one != nil {
		one.left = time.Now()
	}
}

// wait is told of what a request to a host has to wait for.
func (q *queue) wait(host, why string) {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.host(host)
	oldest := 0
	for i := range h.why {
		if h.why[i].text == why {
			h.why[i].at = now
			return
		}
		if h.why[i].at.Before(h.why[oldest].at) {
			oldest = i
		}
	}
	if len(h.why) < maxReasons {
		h.why = append(h.why, reason{why, now})
		return
	}
	h.why[oldest] = reason{why, now}
}

// entered is told of an answer: it may ask for all of its host to wait.
func (q *queue) entered(e *crawler.Entry) {
	switch {
	case e.RetryAfter > 0:
		q.wait(e.Host, "Retry-After")
	case e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable:
		q.wait(e.Host, fmt.Sprintf("backoff after %d", e.Status))
	}
}

// take gives what is known of a request that is decided about for good, nil for nothing.
func (q *queue) take(r *crawler.Request, sent bool) *queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	one := q.requests[r.Key]
	delete(q.requests, r.Key)
	if !sent {
		return nil
	}
	h := q.host(r.Host())
	h.left++
	if one == nil || one.left.IsZero() {
		return nil
	}
	one.before = max(0, h.left-1-one.ahead)
	for _, w := range h.why {
		if w.at.After(one.at) {
			one.why = append(one.why, w.text)
		}
	}
	return one
}

// step adds the time in the queue to a visit whose request has been answered: e is what
// the ledger says of it.
func (q *queued) step(v *visit, e *crawler.Entry) {
	if q == nil {
		return
	}
	why := q.why
	if q.retry != "" {
		why = append(why, "another try after "+string(q.retry))
	}
	switch {
	case q.before > 0 && e.Owed > 0:
		why = append(why, "delay, by "+e.By)
	case q.before > 0:
		why = append(why, "requests in flight to the host")
	case len(why) == 0:
		why = []string{"a worker"}
	}
	for i := range why {
		why[i] = v.run.hide(why[i])
	}
	v.step("queue", q.at, q.left, attribute.StringSlice("amble.waited_for", why), attribute.Int64("amble.requests_before", q.before))
}

// Frontier is f, with what enters and leaves it noted.
func (r *Run) Frontier(f crawler.Frontier) crawler.Frontier {
	if r == nil {
		return f
	}
	return frontier{f, r.queue}
}

type frontier struct {
	crawler.Frontier
	queue *queue
}

// Commit implements crawler.Frontier.
func (f frontier) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	for i := range b.Found {
		f.queue.put(b.Found[i].Key, b.Found[i].Host(), "")
	}
	for i := range b.Outcomes {
		if o := &b.Outcomes[i]; o.Disposition == crawler.Retry {
			f.queue.put(o.Key, o.Host, o.Class)
		}
	}
	return f.Frontier.Commit(ctx, b)
}

// Lease implements crawler.Frontier.
func (f frontier) Lease(ctx context.Context, n int) ([]crawler.Lease, error) {
	leases, err := f.Frontier.Lease(ctx, n)
	for i := range leases {
		f.queue.leave(&leases[i].Request)
	}
	return leases, err
}

// Fetchers gives fetchers as from does, with the time noted that answers wait for memory.
func (r *Run) Fetchers(from func() crawler.Fetcher) func() crawler.Fetcher {
	if r == nil {
		return from
	}
	return func() crawler.Fetcher { return fetcher{from()} }
}

type fetcher struct{ crawler.Fetcher }

type visitKey struct{}

// Fetch implements crawler.Fetcher.
func (f fetcher) Fetch(ctx context.Context, u urls.URL, o crawler.FetchOptions) (*crawler.Response, error) {
	v, _ := ctx.Value(visitKey{}).(*visit)
	if admit := o.Admit; v != nil && admit != nil {
		o.Admit = func(ctx context.Context, a crawler.Arrived) error {
			from := time.Now()
			err := admit(ctx, a)
			if to := time.Now(); to.Sub(from) >= leastWait {
				v.step("memory wait", from, to, attribute.Int64("amble.bytes", a.Size))
			}
			return err
		}
	}
	return f.Fetcher.Fetch(ctx, u, o)
}

// leastWait is what it takes to be a wait.
const leastWait = time.Millisecond
