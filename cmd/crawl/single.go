package crawl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// maxSingleWait is the longest that a command about one URL waits for its turn.
const maxSingleWait = 2 * time.Minute

// worthSaying is the shortest wait that a person is told of.
const worthSaying = 2 * time.Second

// ErrWithheld means that the crawl's rules do not let a URL be fetched.
var ErrWithheld = errors.New("not fetched")

// Single fetches single URLs under a crawl's rules, for the commands that look
// at one page: it obeys robots.txt and waits out delays as a run would.
type Single struct {
	crawl   *Crawl
	Fetcher crawler.Fetcher
	Said    func(format string, args ...any) // tells what it does meanwhile
	Longest time.Duration                    // that it waits for a turn
	// Heard, when it is not nil, is told of each request for the robots.txt of a
	// host, or for its tdmrep.json: where it went, and what came of it.
	Heard func(host string, file HeardFile, resp *crawler.Response, err error)
}

// HeardFile is a file of a host that was asked for before its pages.
type HeardFile struct {
	URL    urls.URL
	Robots bool // it is the robots.txt
	Took   time.Duration
}

// Single makes a fetcher of single URLs; said is told what it does meanwhile.
func (c *Crawl) Single(said func(string, ...any)) *Single {
	return &Single{crawl: c, Fetcher: c.Client.Fetcher(), Said: said, Longest: maxSingleWait}
}

// Permission asks politeness about a URL until it answers Go or Skip, reading
// robots.txt on the way.
func (s *Single) Permission(ctx context.Context, u urls.URL) (crawler.Verdict, error) {
	deadline := time.Now().Add(s.Longest)
	request := s.Request(u)
	for {
		v := s.crawl.Politeness().Decide(request)
		if v.Action == crawler.Go || v.Action == crawler.Skip {
			return v, nil
		}
		if err := s.step(ctx, u.Origin(), v, deadline); err != nil {
			return v, err
		}
	}
}

// Learn reads the robots.txt of a URL's host, and its tdmrep.json where that is
// asked for, unless they are known, and waits for nothing else. The error tells
// why robots.txt could not be had.
func (s *Single) Learn(ctx context.Context, u urls.URL) error {
	deadline := time.Now().Add(s.Longest)
	request := s.Request(u)
	for {
		known := s.crawl.Gate.Explain(u.Origin(), u.Fetch()).Known
		if known && (!s.crawl.AsksFile || s.crawl.Gate.File(u.Origin()) != nil) {
			return nil
		}
		v := s.crawl.Politeness().Decide(request)
		switch v.Action {
		case crawler.Go: // there is none to read
			v.Grant.Cancel()
			return nil
		case crawler.Skip:
			if s.crawl.Gate.Explain(u.Origin(), u.Fetch()).Known {
				return nil
			}
			return errors.New(v.Reason)
		}
		if s.crawl.withoutRobots(u.Origin()) && !s.crawl.AsksFile {
			return nil // what it is to wait for is another host of its group that is being asked about
		}
		if err := s.step(ctx, u.Origin(), v, deadline); err != nil {
			return err
		}
	}
}

// Request is the request for a URL, as for a link that leads to it.
func (s *Single) Request(u urls.URL) *crawler.Request {
	return &crawler.Request{URL: u.WithoutFragment(), Key: s.crawl.Canon.Key(u)}
}

// step does what politeness asks for before it decides about a host: it reads
// robots.txt, or waits.
func (s *Single) step(ctx context.Context, host string, v crawler.Verdict, deadline time.Time) error {
	if v.Action == crawler.FetchRobots {
		target, err := urls.Parse(v.Robots)
		var resp *crawler.Response
		start := time.Now()
		if err == nil {
			resp, err = s.Fetcher.Fetch(v.Grant.Context(ctx), target, crawler.FetchOptions{MaxBody: crawler.RobotsLimit, Truncate: true, Raw: true, Header: v.Header})
		}
		if errors.Is(err, crawler.ErrNotSent) {
			v.Grant.Cancel()
			return ctx.Err()
		}
		v.Grant.Done(resp, err)
		if s.Heard != nil {
			s.Heard(host, HeardFile{target, v.File == "", time.Since(start)}, resp, err)
		}
		return ctx.Err()
	}
	if v.Until.After(deadline) {
		return fmt.Errorf("%w: the host asks to wait until %s: %s", ErrWithheld, v.Until.Format(time.RFC3339), v.Reason)
	}
	if left := time.Until(v.Until); left > worthSaying {
		s.Said("waiting %s: %s", format.Duration(left), format.Clip(v.Reason, format.MaxDetail))
	}
	return Pause(ctx, time.Until(v.Until))
}

// Page fetches a URL and the redirects after it.
func (s *Single) Page(ctx context.Context, u urls.URL) (*crawler.Page, error) {
	return s.Fetch(ctx, s.Request(u), crawler.FetchOptions{})
}

// Fetch performs a request, and those of the redirects after it.
func (s *Single) Fetch(ctx context.Context, request *crawler.Request, opt crawler.FetchOptions) (*crawler.Page, error) {
	for range maxRedirects {
		v, err := s.Permission(ctx, request.URL)
		if err != nil {
			return nil, err
		}
		if v.Action == crawler.Skip {
			return nil, fmt.Errorf("%w: %s: %s", ErrWithheld, request.URL.Redacted(), format.Clip(v.Reason, format.MaxDetail))
		}
		resp, err := s.Fetcher.Fetch(v.Grant.Context(ctx), request.URL, opt)
		if errors.Is(err, crawler.ErrNotSent) {
			v.Grant.Cancel()
			continue
		}
		v.Grant.Done(resp, err)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %s", ErrWithheld, request.URL.Redacted(), format.Clip(err.Error(), format.MaxDetail))
		}
		if resp.Location.IsZero() || resp.Status/100 == 2 {
			page := crawler.NewPage(request, resp)
			page.Said = v.Said
			return page, nil
		}
		target := resp.Location.WithoutFragment()
		if verdict := s.crawl.Scope.Check(target, 0); !verdict.In {
			return nil, fmt.Errorf("%w: %s redirects to %s, which is out of scope: %s",
				ErrWithheld, request.URL.Redacted(), target.Redacted(), verdict.Rule)
		}
		s.Said("%s redirects to %s", request.URL.Redacted(), target.Redacted())
		next := *request
		next.URL, next.Key, next.Requested, next.Hops = target, s.crawl.Canon.Key(target), request.Origin(), request.Hops+1
		request = &next
	}
	return nil, fmt.Errorf("%w: more than %d redirects", ErrWithheld, maxRedirects)
}

const maxRedirects = 10
