package crawl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/archive"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/login"
	"github.com/amblecrawl/amble/crawler/urls"
)

// loginPatience is how long a step of a login waits for its turn at most.
const loginPatience = 10 * time.Minute

// shortOfFiles is the pause after a request that could not be sent from here.
const shortOfFiles = 250 * time.Millisecond

// NewSession is a config's being logged in, nil without a login. What it sends stands
// in the book, nil for none, and robots.txt that it reads is kept by the archive, nil for none.
func (c *Crawl) NewSession(ctx context.Context, book crawler.Ledger, kept *archive.Writer) (*login.Session, error) {
	g := c.Config.Login
	if g == nil {
		return nil, nil
	}
	o := login.Options{
		Steps: g.Steps.Finders, Take: g.Take.Extractor, Covers: g.Covers(), Attempts: g.Attempts, Most: g.Most,
		Clock: crawler.SystemClock{}, Log: c.Log,
	}
	for _, h := range g.Send {
		o.Fields = append(o.Fields, login.Field{Name: h.Name, Value: h.Value})
	}
	var err error
	if o.Expect, err = loginSign(&g.Expect); err != nil {
		return nil, err
	}
	if o.Again, err = loginSign(&g.Again); err != nil {
		return nil, err
	}
	if g.Again.Empty() {
		begin := g.Begins()
		o.Again = login.Sign{Status: []int{401}, Leads: func(u urls.URL) bool { return u.Origin() == begin.Origin() && u.Path() == begin.Path() }}
	}
	sender := &loginSender{crawl: c, fetcher: c.Client.Fetcher(), book: book}
	if sender.files = sender.fetcher; kept != nil {
		sender.files = kept.Fetcher(sender.fetcher)
	}
	o.Send = sender.send
	return login.New(ctx, o), nil
}

func loginSign(s *config.LoginSign) (login.Sign, error) {
	leads, err := s.LeadsTo()
	return login.Sign{Status: s.Status, Leads: leads, Shows: s.Shows.Extractor}, err
}

// LoginError is the exit of a login that failed: the run can be resumed.
func LoginError(cfg *config.Config, err error) error {
	if errors.Is(err, context.Canceled) {
		return exit.Silent(exit.Interrupted)
	}
	return exit.With(exit.Failed, exit.Message(cfg, err))
}

// loginSender sends the steps of a login as pages are sent: when politeness lets it,
// and with an entry in the ledger. One login is under way at a time.
type loginSender struct {
	crawl   *Crawl
	fetcher crawler.Fetcher // of steps
	files   crawler.Fetcher // of robots.txt and the like, which pages are then not asked for again
	book    crawler.Ledger  // nil for none
}

func (s *loginSender) send(ctx context.Context, r *crawler.Request) (*crawler.Response, error) {
	deadline := time.Now().Add(loginPatience)
	for {
		v := s.crawl.Politeness().Decide(r)
		switch v.Action {
		case crawler.Go:
			opt := crawler.FetchOptions{}
			if c := r.Call; c != nil {
				opt.Method, opt.Header, opt.Body = c.Method, c.Header, c.Body
			}
			resp, err := s.exchange(ctx, v, r, opt, "page")
			if !errors.Is(err, crawler.ErrNotSent) {
				return resp, err
			}
			if err := Pause(ctx, shortOfFiles); err != nil {
				return nil, err
			}
		case crawler.FetchRobots:
			if err := s.robots(ctx, v, r); err != nil {
				return nil, err
			}
		case crawler.Skip:
			entry := v.Entry
			entry.Kind, entry.URL, entry.Host, entry.Withheld, entry.Reason, entry.Start = "page", r.URL.Redacted(), r.Host(), true, v.Reason, time.Now()
			err := fmt.Errorf("%w: %s is not requested: %s (a host that you may use so is declared by politeness.hosts: {%s: {api: true}})",
				login.ErrRefused, r.URL.Redacted(), v.Reason, r.URL.Hostname())
			return nil, errors.Join(err, s.note(entry))
		case crawler.Wait:
			if v.Until.After(deadline) {
				return nil, fmt.Errorf("%w: %s asks to wait until %s: %s", login.ErrRefused, r.Host(), v.Until.Format(time.RFC3339), v.Reason)
			}
			if err := Pause(ctx, time.Until(v.Until)); err != nil {
				return nil, err
			}
		}
	}
}

// robots reads what is read before pages.
func (s *loginSender) robots(ctx context.Context, v crawler.Verdict, r *crawler.Request) error {
	u, err := urls.Parse(v.Robots)
	if err != nil {
		v.Grant.Done(nil, err)
		return nil
	}
	_, err = s.exchange(ctx, v, &crawler.Request{URL: u},
		crawler.FetchOptions{MaxBody: crawler.RobotsLimit, Truncate: true, Raw: true, Header: v.Header}, cmp.Or(v.File, "robots"), r.Host())
	if errors.Is(err, crawler.ErrStop) {
		return err
	}
	return ctx.Err()
}

// exchange performs what was granted, and notes it.
func (s *loginSender) exchange(ctx context.Context, v crawler.Verdict, r *crawler.Request, opt crawler.FetchOptions, kind string, robotsOf ...string) (*crawler.Response, error) {
	fetcher := s.fetcher
	if kind != "page" {
		fetcher = s.files
	}
	resp, err := fetcher.Fetch(v.Grant.Context(ctx), r.URL, opt)
	if errors.Is(err, crawler.ErrNotSent) {
		v.Grant.Cancel()
		return nil, err
	}
	v.Grant.Done(resp, err)
	entry := v.Grant.Entry()
	entry.Kind, entry.URL, entry.Host, entry.Call = kind, r.URL.Redacted(), r.Host(), r.Call.Digest()
	if opt.Method != "" && opt.Method != "GET" {
		entry.Method = opt.Method
	}
	if resp != nil {
		entry.Status, entry.Bytes = resp.Status, resp.Wire
	}
	if fe, ok := errors.AsType[*crawler.FetchError](err); ok {
		entry.Class = fe.Class
	} else if err != nil {
		entry.Class = crawler.ClassNetwork
	}
	if kind == "robots" {
		entry.RobotsOf = robotsOf[0]
		if resp != nil {
			entry.RobotsBody = resp.Body
		}
	}
	return resp, errors.Join(err, s.note(entry))
}

func (s *loginSender) note(e crawler.Entry) error {
	if s.book == nil {
		return nil
	}
	if err := crawler.NoteAtOnce(s.book, &e); err != nil {
		return fmt.Errorf("%w: the ledger: %w", crawler.ErrStop, err)
	}
	return nil
}
