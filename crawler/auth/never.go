package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"golang.org/x/oauth2"

	"github.com/amblecrawl/amble/crawler"
)

// The failures in a row after which a run stops that never had a token: 75 seconds where
// they are told at once, and 15 where somebody answers who knows nothing of tokens.
const (
	patience  = 5
	elsewhere = 3
)

// givingUp decides when a run stops that never had a token: most likely the address or the
// network is wrong, and waiting helps nobody. While other hosts answer it goes on.
type givingUp struct {
	answers *atomic.Int64 // of other hosts, so far
	seen    int64         // of them, when the last failure was
	err     error         // why the run stops
}

// failed is told of a failure. c.mu is held.
func (g *givingUp) failed(c *client, err error) {
	now := g.answers.Load()
	idle := now == g.seen
	g.seen = now
	after, hint := patience, ""
	switch _, unanswered := errors.AsType[*url.Error](err); {
	case noTokens(err):
		after, hint = elsewhere, ": is token_url its address?"
	case unanswered:
		hint = ": is token_url its address?"
	}
	if c.failures < after || !idle {
		return
	}
	if strings.Contains(c.failed.Error(), "token_url") {
		hint = ""
	}
	g.err = stopped{fmt.Errorf("fetch.auth: after %d attempts %w%s", c.failures, c.failed, hint)}
}

// noTokens reports whether the answer is that of somebody who knows nothing of tokens: no
// error of a server in trouble, and none of OAuth.
func noTokens(err error) bool {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || answer.Response == nil {
		return holdsNone(err)
	}
	status := answer.Response.StatusCode
	return status < http.StatusInternalServerError && status != http.StatusTooManyRequests && !known[answer.ErrorCode]
}

// holdsNone reports whether an answer of 200 held no token, of which the library has no
// error of its own.
func holdsNone(err error) bool {
	text := err.Error()
	return strings.Contains(text, "cannot parse") || strings.Contains(text, "missing access_token")
}

// stopped says that nothing was sent, since no token can be had.
type stopped struct{ error }

// Unwrap tells the engine to stop.
func (s stopped) Unwrap() []error { return []error{crawler.ErrNotSent, crawler.ErrStop, s.error} }
