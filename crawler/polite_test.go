package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// scripted is politeness by a function, and its grants.
type scripted func(r *crawler.Request) crawler.Verdict

func (s scripted) Decide(r *crawler.Request) crawler.Verdict { return s(r) }

type scriptedGrant struct {
	freeGrant
	done      crawler.HostState
	elsewhere string
	cancel    func() crawler.HostState // nil: free
}

func (g scriptedGrant) Done(*crawler.Response, error) crawler.HostState { return g.done }

func (g scriptedGrant) Elsewhere() (string, crawler.HostState) {
	return g.elsewhere, crawler.HostState{Opaque: []byte("of " + g.elsewhere)}
}

func (g scriptedGrant) Cancel() crawler.HostState {
	if g.cancel != nil {
		return g.cancel()
	}
	return freeState
}

// captured lets a test look into the frontier of a run.
func (r *rig) captured() func(key string) []byte {
	var f atomic.Pointer[crawler.Frontier]
	r.wrap = func(inner crawler.Frontier) crawler.Frontier { f.Store(&inner); return inner }
	return func(key string) []byte {
		value, err := (*f.Load()).Get(key)
		if err != nil {
			r.t.Error(err)
		}
		return value
	}
}

// What a host asks for is on disk at once, however long batches may wait, so
// that a kill a moment later does not lose it.
func TestWhatAHostAsksForIsKeptAtOnce(t *testing.T) {
	r := newRig(t)
	r.set.Workers, r.set.BatchInterval, r.set.Retries = 2, 2*time.Minute, -1 // a page waits for company for an eighth of a minute
	r.seeds = []string{host + "/busy", host + "/slow"}
	get := r.captured()
	state := freeState
	state.Opaque = []byte("until tomorrow")
	r.polite = scripted(func(*crawler.Request) crawler.Verdict {
		return crawler.Verdict{Action: crawler.Go, Grant: scriptedGrant{done: state}}
	})
	kept := false
	r.web.answers[host+"/busy"] = func(int) (*crawler.Response, error) { return status(http.StatusTooManyRequests), nil }
	r.web.answers[host+"/slow"] = func(int) (*crawler.Response, error) {
		for range 500 {
			if kept = string(get(crawler.KeyDebts+host)) == "until tomorrow"; kept {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		return status(http.StatusTooManyRequests), nil
	}
	r.finish()
	if !kept {
		t.Error("the debt waited for its batch")
	}
}

// A redirected robots.txt takes the time of another host, which is owed to it
// after a restart too.
func TestStateOfAnotherHostIsKept(t *testing.T) {
	const other = "http://other.example"
	r := newRig(t)
	r.web.site(host, 1)
	get := r.captured()
	var asked atomic.Int32
	r.polite = scripted(func(*crawler.Request) crawler.Verdict {
		if asked.Add(1) == 1 {
			return crawler.Verdict{Action: crawler.FetchRobots, Robots: other + "/robots.txt", Grant: scriptedGrant{done: freeState, elsewhere: other}}
		}
		return crawler.Verdict{Action: crawler.Go, Grant: freeGrant{}}
	})
	var kept string
	r.web.before = func(_ context.Context, url string) {
		if url == host+"/0" {
			for range 1000 {
				if kept = string(get(crawler.KeyDebts + other)); kept != "" {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	s := r.finish()
	if kept != "of "+other {
		t.Errorf("kept %q", kept)
	}
	if s.Hosts != 1 {
		t.Errorf("%d hosts, though the other holds no page", s.Hosts)
	}
}

// A request whose permission lapsed before it was sent leaves again when its host
// may be asked again, and counts for nothing until then.
func TestLapsedRequestLeavesAgain(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 1)
	r.set.Retries = -1
	var shutUntil time.Time
	robots := true
	r.polite = scripted(func(*crawler.Request) crawler.Verdict {
		if time.Now().Before(shutUntil) {
			t.Error("leased before its time")
		}
		g := scriptedGrant{done: freeState, cancel: func() crawler.HostState {
			if time.Now().After(shutUntil) { // not when it is cancelled once more
				shutUntil = time.Now().Add(100 * time.Millisecond)
			}
			return crawler.HostState{NotBefore: shutUntil}
		}}
		if robots {
			robots = false
			return crawler.Verdict{Action: crawler.FetchRobots, Robots: host + "/robots.txt", Grant: g}
		}
		return crawler.Verdict{Action: crawler.Go, Grant: g}
	})
	notSent := func(int) (*crawler.Response, error) { return nil, fmt.Errorf("%w: too late", crawler.ErrNotSent) }
	r.web.answers[host+"/robots.txt"] = notSent
	r.web.answers[host+"/0"] = func(n int) (*crawler.Response, error) {
		if n == 1 {
			return notSent(n)
		}
		return &crawler.Response{Status: 200, Header: http.Header{}, Body: []byte("record a"), FetchedAt: time.Now()}, nil
	}
	var out atomic.Int64 // in flight
	r.observer.Leased = func(*crawler.Request) { out.Add(1) }
	r.observer.Unsent = func(*crawler.Request) { out.Add(-1) }
	r.observer.Exchanged = func(x crawler.Exchange) {
		if !x.Robots {
			out.Add(-1)
		}
	}
	s := r.finish()
	r.exactly(1)
	if s.Requests != 1 || s.Failed != 0 || s.Retries != 0 || r.web.times(host+"/0") != 2 || r.web.times(host+"/robots.txt") != 1 {
		t.Errorf("summary %+v", s)
	}
	if out.Load() != 0 {
		t.Errorf("%d requests are told to be in flight after the run", out.Load())
	}
}
