package politeness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

type grantKey struct{}

// WithGrant gives a request its grant.
func WithGrant(ctx context.Context, grant *Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, grant)
}

// Guard returns a transport that sends over next what was granted and refuses
// everything else with ErrNotGranted: a request whose context carries no grant
// of this gate, or one for another URL or host, or one that was used before. It
// marks the start of the request, books status and header, and marks the end
// when the body is read to its end, fails or is closed.
//
// net/http repeats a request by itself when a connection breaks that was used
// before. The guard makes such a repetition wait for the delay that is owed.
func (g *Gate) Guard(next http.RoundTripper) http.RoundTripper {
	return &guard{gate: g, next: next}
}

type guard struct {
	gate *Gate
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	grant, _ := req.Context().Value(grantKey{}).(*Grant)
	if grant == nil || grant.gate != t.gate || !grant.covers(req) {
		return refuse(req, ErrNotGranted)
	}
	for {
		until, err := grant.Begin()
		if err == nil {
			break
		}
		if errors.Is(err, ErrTooEarly) {
			err = t.gate.sleep(req.Context(), until)
		}
		if err != nil {
			return refuse(req, err)
		}
	}
	resp, err := t.next.RoundTrip(t.spaced(req, grant))
	if err != nil {
		grant.End()
		return nil, err
	}
	grant.Answered(resp.StatusCode, resp.Header)
	if resp.Body == http.NoBody {
		grant.End()
		return resp, nil
	}
	resp.Body = &body{ReadCloser: resp.Body, end: sync.OnceFunc(grant.End)}
	return resp, nil
}

// refuse keeps the contract of http.RoundTripper, which closes the body.
func refuse(req *http.Request, err error) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close() // nothing was read from it
	}
	return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Redacted(), err)
}

// spaced makes the request wait before a connection is taken for it a second
// time after it was written.
func (t *guard) spaced(req *http.Request, grant *Grant) *http.Request {
	var written atomic.Bool
	ctx := req.Context()
	trace := &httptrace.ClientTrace{
		WroteHeaders: func() { written.Store(true) },
		GetConn: func(string) {
			if !written.Swap(false) {
				return
			}
			grant.broke()
			for wait := grant.resume(); wait > 0; wait = grant.resume() {
				if t.gate.pause(ctx, wait) != nil {
					return // net/http sees the ended context itself
				}
			}
		},
	}
	return req.WithContext(httptrace.WithClientTrace(ctx, trace))
}

// sleep waits until an instant of the outside clock.
func (g *Gate) sleep(ctx context.Context, until time.Time) error {
	g.mu.Lock()
	d := g.clock.inside(until).Sub(g.clock.now())
	g.mu.Unlock()
	return g.pause(ctx, d)
}

// covers reports whether a request goes to the granted URL.
func (gr *Grant) covers(req *http.Request) bool {
	if req.Host != "" && req.Host != req.URL.Host {
		return false
	}
	u := *req.URL
	u.Fragment, u.RawFragment = "", ""
	got := u.String()
	if got == gr.url {
		return true
	}
	// The same URL may be written in two ways before and after net/url has
	// read it.
	want, err := url.Parse(gr.url)
	if err != nil {
		return false
	}
	want.Fragment, want.RawFragment = "", ""
	return got == want.String()
}

// body ends the grant where the response ends.
type body struct {
	io.ReadCloser
	end func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}
