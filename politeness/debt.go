package politeness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// observe books what an answer asks for. now is the instant of its header, and
// latency how long that took. 429 is about our rate and so concerns all that
// share the server; anything else is about this host.
func (gr *Grant) observe(status int, header http.Header, latency time.Duration, now time.Time) {
	g, o := gr.gate, outcome{latency: latency}
	asks, struck := &gr.host.lane, gr.struck
	switch {
	case status == http.StatusTooManyRequests:
		o.kind, asks, struck = busy, gr.server(), gr.serverStruck
	case status == http.StatusServiceUnavailable:
		o.kind = busy
	case status >= 200 && status < 400:
		o.kind = answered
	}
	// Of requests that were under way together the first one struck says it all: how many
	// they were is our doing, and none of them began after the server had said so.
	known := o.kind == busy && struck != asks.struck
	gr.both(func(l *lane) {
		own := o
		if o.kind == busy && (l != asks || known) {
			own = outcome{kind: failed}
		}
		l.throttle = next(l.throttle, own, g.policy.pace(l.delay))
	})
	if o.kind == busy && !known {
		asks.struck++
	}
	if server := gr.server(); status < 400 || mentionsRate(header) {
		server.room = roomOf(status, header)
	}
	if wait, by, _ := demanded(status, header, g.clock.outside(now)); wait > 0 {
		if by == byRateLimit {
			asks = gr.server() // it is about our rate
		}
		asks.put(now.Add(min(wait, g.policy.MaxRetryAfter)), by)
	} else if o.kind == busy {
		asks.put(now.Add(backoff(asks.throttle.strikes, g.random())), byBackoff)
	}
}

// server is the lane of what answered: the group's, if there is one.
func (gr *Grant) server() *lane {
	if gr.group != nil {
		return &gr.group.lane
	}
	return &gr.host.lane
}

// tell books in the end whether the host worked, and reports whether it failed.
// What says nothing of it counts as neither: an answer that was cut short by us,
// and errors that will not go away or by which nothing was sent.
func (h *host) tell(status int, r *Result, p *Policy, now time.Time) (failed bool) {
	cause := ""
	switch {
	case status == http.StatusInternalServerError || status == http.StatusNotImplemented:
		return false // one page is broken, which says little of its host
	case status >= 500:
		cause = fmt.Sprintf("status %d", status)
	case r.Err == nil:
		h.circuit = nil
		return false
	case r.Permanent || r.Excused || errors.Is(r.Err, context.Canceled) ||
		errors.Is(r.Err, ErrPrivateAddress) || errors.Is(r.Err, ErrNotGranted):
		return false
	default:
		cause = describe(r.Err)
	}
	if p.CircuitAfter < 0 {
		return true
	}
	if h.circuit == nil {
		h.circuit = &circuit{}
	}
	*h.circuit = h.circuit.tripped(p.CircuitAfter, p.longestPause(h.origin), cause, now)
	return true
}

// maxRetryAfter bounds what RetryAfter returns, far above any cap.
const maxRetryAfter = 365 * 24 * time.Hour

// RetryAfter reads how long an answer asks to be left alone (RFC 9110 section
// 10.2.3): seconds, also with a fraction, or a date. A date is measured from
// now and from the answer's own Date, and the longer wait counts, since either
// clock may be wrong; so does the longest of several values. It returns 0 when
// nothing readable lies in the future, and at most a year.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	var longest time.Duration
	for _, value := range header.Values("Retry-After") {
		longest = max(longest, retryAfter(strings.TrimSpace(value), header.Get("Date"), now))
	}
	return min(longest, maxRetryAfter)
}

// unreadable tells of the first Retry-After that is neither seconds nor a date.
func unreadable(header http.Header) string {
	for _, value := range header.Values("Retry-After") {
		value = strings.TrimSpace(value)
		if _, ok := seconds(value); ok {
			continue
		}
		if _, err := http.ParseTime(value); err != nil {
			return fmt.Sprintf("Retry-After %.40q cannot be read", value)
		}
	}
	return ""
}

func retryAfter(value, date string, now time.Time) time.Duration {
	if wait, ok := seconds(value); ok {
		return wait
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	wait := at.Sub(now)
	if sent, err := http.ParseTime(date); err == nil {
		wait = max(wait, at.Sub(sent))
	}
	return max(wait, 0)
}

// seconds reads digits with an optional fraction, rounded up.
func seconds(value string) (time.Duration, bool) {
	whole, fraction, _ := strings.Cut(value, ".")
	if whole == "" {
		return 0, false
	}
	var n time.Duration
	for _, c := range []byte(whole) {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n <= maxRetryAfter/time.Second {
			n = n*10 + time.Duration(c-'0')
		}
	}
	up := false
	for _, c := range []byte(fraction) {
		if c < '0' || c > '9' {
			return 0, false
		}
		up = up || c != '0'
	}
	if up {
		n++
	}
	return min(n, maxRetryAfter/time.Second) * time.Second, true
}
