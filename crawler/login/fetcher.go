package login

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Fetcher makes a fetcher whose requests are those of somebody who is logged in. An
// answer that shows otherwise is marked with crawler.HeaderLoggedOut.
func (s *Session) Fetcher(next crawler.Fetcher) crawler.Fetcher { return &fetcher{s, next} }

type fetcher struct {
	session *Session
	next    crawler.Fetcher
}

// Fetch implements crawler.Fetcher.
func (f *fetcher) Fetch(ctx context.Context, u urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	s := f.session
	if !u.IsHTTP() || !s.opt.Covers(u) || u.Path() == "/robots.txt" {
		return f.next.Fetch(ctx, u, opt)
	}
	name := u.Redacted()
	header, turn, live, err := s.state()
	switch {
	case err != nil:
		return nil, ended{err}
	case !live:
		return nil, fmt.Errorf("%w: a login is under way", crawler.ErrNotSent)
	}
	defer s.over(turn)
	opt.Header = joined(opt.Header, header)
	file := &receiver{session: s, ctx: ctx, url: u, turn: turn, next: opt.Receive}
	if opt.Receive != nil && s.opt.Again.Shows != nil {
		opt.Receive = file.receive
	}
	resp, err := f.next.Fetch(ctx, u, opt)
	switch {
	case err != nil:
		return nil, err
	case file.ended:
		return loggedOut(resp, file.wait), nil
	}
	page := crawler.NewPage(&crawler.Request{URL: u}, resp)
	if resp.Stored != "" && s.opt.Again.seen(ctx, page) { // what is kept says nothing of now
		opt.Header = joined(opt.Header, http.Header{"Cache-Control": {"no-cache"}})
		if resp, err = f.next.Fetch(ctx, u, opt); err != nil {
			return nil, err
		}
		page = crawler.NewPage(&crawler.Request{URL: u}, resp)
	}
	if !s.opt.Again.seen(ctx, page) {
		s.met(name, turn, resp.Status)
		return resp, nil
	}
	return loggedOut(resp, s.ended(name, turn)), nil
}

// loggedOut marks an answer, and tells when the page is to be asked for again.
func loggedOut(resp *crawler.Response, wait time.Duration) *crawler.Response {
	marked := *resp
	marked.Header = maps.Clone(resp.Header)
	marked.Header[crawler.HeaderLoggedOut] = []string{wait.String()}
	return &marked
}

// ended says that nothing was sent, since the login has failed for good.
type ended struct{ error }

// Unwrap tells the engine to stop.
func (e ended) Unwrap() []error { return []error{crawler.ErrNotSent, crawler.ErrStop, e.error} }

// joined adds the session's fields to a request's own, which they replace.
func joined(own, session http.Header) http.Header {
	if len(session) == 0 {
		return own
	}
	h := make(http.Header, len(own)+len(session))
	for name, values := range own {
		h[http.CanonicalHeaderKey(name)] = values
	}
	maps.Copy(h, session)
	return h
}
