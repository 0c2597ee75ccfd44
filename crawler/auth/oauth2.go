package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// OAuth2 is a client that gets tokens by its own credentials.
type OAuth2 struct {
	TokenURL         string
	ClientID, Secret string
	Scopes           []string
	Audience         string // sent as audience where a server wants it
}

// The waits after failures to get a token.
const (
	firstPause = 5 * time.Second
	mostPause  = 5 * time.Minute
)

// client signs requests with a token that it keeps.
type client struct {
	config  clientcredentials.Config
	fetcher *http.Client
	timeout time.Duration
	now     func() time.Time
	log     *slog.Logger // nil for nobody

	mu       sync.Mutex
	token    *token        // nil without one
	fetching chan struct{} // closed when the fetch under way has ended; nil without one
	failed   error         // why the last fetch failed, nil when it did not
	failures int
	pause    time.Time // no fetch before
	again    bool      // the next token replaces one that was refused
	refused  bool      // the last fetch, by what no time mends, and there never was a token
	had      bool      // there was a token once
	never    givingUp  // where there never was one

	proven bool          // some token was accepted
	since  time.Time     // from when on no token could be had, or none was accepted; zero without trouble
	rounds int           // tokens in a row that replaced a refused one and were refused as well
	probe  *http.Request // the one request that is under way in times of trouble
}

func newClient(o *OAuth2, next http.RoundTripper, opt *Options) (signer, error) {
	if u, err := url.Parse(o.TokenURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("token_url is not a URL")
	}
	c := &client{
		config:  clientcredentials.Config{ClientID: o.ClientID, ClientSecret: o.Secret, TokenURL: o.TokenURL, Scopes: o.Scopes},
		timeout: opt.Timeout, now: opt.Now, log: opt.Log,
		fetcher: &http.Client{
			Transport: agent{next, opt.UserAgent}, Timeout: opt.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if o.Audience != "" {
		c.config.EndpointParams = url.Values{"audience": {o.Audience}}
	}
	return c, nil
}

// agent names the program in requests for tokens.
type agent struct {
	next http.RoundTripper
	name string
}

func (a agent) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.name != "" {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", a.name)
	}
	return a.next.RoundTrip(r)
}

// fetch gets a token for all who wait, and so in nobody's context.
func (c *client) fetch(again bool) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	got, err := c.config.Token(context.WithValue(ctx, oauth2.HTTPClient, c.fetcher))
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.fetching)
	c.fetching = nil
	if err == nil && got.AccessToken == "" {
		err = errors.New("the answer holds no token")
	}
	if err != nil {
		why := plain(err)
		if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			why = fmt.Errorf("no answer within %v", c.timeout)
		}
		c.failed = fmt.Errorf("no token from %s: %w", host(c.config.TokenURL), why)
		c.pause = c.now().Add(min(firstPause<<min(c.failures, 10), mostPause))
		c.failures++
		if c.since.IsZero() {
			c.since = c.now()
		}
		// Credentials that never worked will not begin to; those that did may again.
		c.refused = !c.had && refusal(err)
		if !c.had && !c.refused {
			c.never.failed(c, err)
		}
		if c.log != nil {
			c.log.Warn("no token could be had for requests", "error", c.failed, "again_in", c.pause.Sub(c.now()))
		}
		return
	}
	c.had, c.refused = true, false
	c.token = &token{header: got.Type() + " " + got.AccessToken, again: again, had: c.now()}
	if !got.Expiry.IsZero() {
		// By our clock: that of the library is not the crawl's.
		c.token.ends = c.now().Add(max(time.Until(got.Expiry), 2*early))
	}
	c.failed, c.failures, c.again = nil, 0, false
	if c.rounds == 0 && !again {
		c.since = time.Time{}
	}
}

// isTimeout reports whether a network's deadline was the end of a request.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// refusal reports whether a server said what is wrong with what it was asked by.
func refusal(err error) bool {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && known[answer.ErrorCode]
}

// plain is an error without what the server wrote, which may hold anything.
func plain(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			return wrapped.Err
		}
		if holdsNone(err) {
			return errors.New("the answer, with status 200, holds no token: is token_url its address?")
		}
		return err
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	if known[answer.ErrorCode] {
		hint := ""
		switch answer.ErrorCode {
		case "invalid_client", "unauthorized_client":
			hint = ": see that client_id and client_secret are right"
		case "invalid_scope":
			hint = ": see that scopes are right"
		}
		return fmt.Errorf("status %d, %s%s", status, answer.ErrorCode, hint)
	}
	return fmt.Errorf("status %d", status)
}

// known are the errors of RFC 6749 section 5.2.
var known = map[string]bool{
	"invalid_request": true, "invalid_client": true, "invalid_grant": true,
	"unauthorized_client": true, "unsupported_grant_type": true, "invalid_scope": true,
}

func host(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Host
	}
	return "the token's server"
}
