package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// early is how long before its end a token is replaced.
const early = 10 * time.Second

// How a host is borne that takes no token, also not a new one: it may not be known
// everywhere yet, or was taken back.
const (
	// unproven is how long the first of such tokens is kept, each of the next for
	// twice as long, up to mostPause.
	unproven = time.Minute
	// suspects is how many requests in a row must be refused for it to be the
	// token's fault, since a host may refuse some pages to whoever asks.
	suspects = 3
	// giveUp is for how long the requests of a host wait for a token.
	giveUp = time.Hour
	// parked is how long a host is left alone while one request tries its token.
	parked = 250 * time.Millisecond
)

// errParked means that another request is to find out whether a token is good.
var errParked = errors.New("its token is being tried")

// token is one that is in use.
type token struct {
	header   string
	had      time.Time // since when
	ends     time.Time // zero: nobody knows
	again    bool      // it replaced one that was refused
	accepted bool      // by some answer
	refusals int       // before any was
}

// proving is until when a token that replaced a refused one, and was refused as well,
// is kept; zero for others.
func (c *client) proving(t *token) time.Time {
	if t == nil || t.accepted || t.refusals == 0 {
		return time.Time{}
	}
	return t.had.Add(min(unproven<<min(c.rounds, 10), mostPause))
}

// hopeless reports whether there has been no good token for so long that requests are
// kept waiting no more.
func (c *client) hopeless(now time.Time) bool {
	return c.refused || !c.since.IsZero() && now.Sub(c.since) >= giveUp
}

func (c *client) sign(r *http.Request) error {
	t, err := c.current(r.Context())
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.since.IsZero() && !t.accepted && !c.hopeless(c.now()) {
		if c.probe != nil {
			return fmt.Errorf("%w: %w", crawler.ErrNotSent, errParked)
		}
		c.probe = r
	}
	r.Header.Set("Authorization", t.header)
	return nil
}

// current is the token in use, which it waits for where there is none. Its errors are
// a *crawler.FetchError for the request that had a token asked for, and crawler.ErrNotSent
// for others; or that of a context that was cancelled.
func (c *client) current(ctx context.Context) (*token, error) {
	asked := false
	for {
		c.mu.Lock()
		t, now := c.token, c.now()
		if until := c.proving(t); !until.IsZero() && !now.Before(until) {
			t, c.token, c.again = nil, nil, true
			c.rounds++
		}
		switch {
		case c.never.err != nil:
			c.mu.Unlock()
			return nil, c.never.err
		case t != nil && (t.ends.IsZero() || now.Before(t.ends.Add(-early))):
			c.mu.Unlock()
			return t, nil
		case c.fetching == nil && now.Before(c.pause):
			err := c.without(asked, now)
			c.mu.Unlock()
			return nil, err
		case c.fetching == nil:
			asked, c.fetching = true, make(chan struct{})
			go c.fetch(c.again)
		case !asked && !c.since.IsZero() && !c.hopeless(now):
			c.mu.Unlock()
			return nil, fmt.Errorf("%w: %w", crawler.ErrNotSent, errParked)
		}
		done := c.fetching
		c.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return nil, c.late(ctx.Err(), asked)
		}
	}
}

// without is the error of a request for which there is no token. Before there was any
// nobody is charged: the run stops instead.
func (c *client) without(asked bool, now time.Time) error {
	fe := &crawler.FetchError{Class: crawler.ClassAuth, Temporary: !c.hopeless(now), RetryAfter: c.pause.Sub(now), Err: c.failed}
	if (!asked || !c.had) && fe.Temporary {
		return fmt.Errorf("%w: %w", crawler.ErrNotSent, c.failed)
	}
	return fe
}

// late is the error of a request whose time went by while it waited for a token: its
// host has nothing to do with that.
func (c *client) late(err error, asked bool) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	err = fmt.Errorf("no token from %s: no answer yet", host(c.config.TokenURL))
	c.mu.Lock()
	defer c.mu.Unlock()
	if !asked || !c.had {
		return fmt.Errorf("%w: %w", crawler.ErrNotSent, err)
	}
	return &crawler.FetchError{Class: crawler.ClassAuth, Temporary: true, RetryAfter: firstPause, Err: err}
}

// waits is until when its host is to be left alone.
func (c *client) waits() (until time.Time, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.since.IsZero() || c.hopeless(now) || c.never.err != nil {
		return time.Time{}, ""
	}
	t := c.token
	switch proving := c.proving(t); {
	case t == nil && c.fetching == nil && now.Before(c.pause):
		return c.pause, c.failed.Error()
	case t != nil && t.refusals >= suspects && now.Before(proving):
		return proving, "its tokens are refused: those of " + host(c.config.TokenURL)
	case c.fetching != nil || c.probe != nil:
		return now.Add(parked), errParked.Error()
	}
	return time.Time{}, ""
}

// answered learns whether the token was accepted. resp is nil where there was no answer.
func (c *client) answered(signed *http.Request, resp *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.probe == signed {
		c.probe = nil
	}
	if resp == nil {
		return
	}
	t := c.token
	current := t != nil && t.header == signed.Header.Get("Authorization")
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		c.unauthorized(t, current, resp)
	case current && resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < http.StatusInternalServerError:
		t.accepted, t.refusals = true, 0
		c.proven, c.since, c.rounds, c.probe = true, time.Time{}, 0, nil
	}
}

// unauthorized marks an answer after which the request is to be sent again: with a new
// token, and where that is no better, when there may be one that is.
func (c *client) unauthorized(t *token, current bool, resp *http.Response) {
	now, wait := c.now(), time.Duration(0)
	switch {
	case t == nil && c.hopeless(now):
		return
	case t == nil || !current: // another answer has been here before
	case (t.again || c.rounds > 0) && !t.accepted:
		t.refusals++
		if t.refusals == 1 && c.log != nil {
			c.log.Warn("a new token is refused as well as the one before it", "token_server", host(c.config.TokenURL), "again_in", c.proving(t).Sub(now))
		}
		if !c.proven || c.hopeless(now) {
			return // no token was ever any better, or not for long
		}
		if c.since.IsZero() {
			c.since = now
		}
		wait = max(0, c.proving(t).Sub(now))
	default:
		c.token, c.again = nil, true
	}
	resp.Header[crawler.HeaderRenewed] = []string{wait.String()}
}
