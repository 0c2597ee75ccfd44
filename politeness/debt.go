package politeness

import (
	"net/http"
	"strings"
	"time"
)

// Backoff after 429 and 503 without a usable Retry-After: five seconds,
// doubled with each further one up to ten minutes, plus up to a quarter of
// jitter so that many hosts behind one server do not come back at once. Each
// success forgives one.
const (
	backoffBase = 5 * time.Second
	backoffMax  = 10 * time.Minute
	maxStrikes  = 8
)

// observe books what an answer asks for. now is the instant of its header.
func (h *host) observe(status int, header http.Header, g *Gate, now time.Time) {
	busy := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	switch {
	case busy:
		h.strikes = min(h.strikes+1, maxStrikes)
	case status >= 200 && status < 400 && h.strikes > 0:
		h.strikes--
	}
	if wait := RetryAfter(header, g.clock.outside(now)); wait > 0 {
		h.put(now.Add(min(wait, g.policy.MaxRetryAfter)), ByRetryAfter)
	} else if busy {
		h.put(now.Add(backoff(h.strikes, g.random())), ByBackoff)
	}
}

func backoff(strikes int, random float64) time.Duration {
	wait := backoffBase
	for i := 1; i < strikes && wait < backoffMax; i++ {
		wait *= 2
	}
	wait = min(wait, backoffMax)
	return wait + time.Duration(min(max(random, 0), 1)*float64(wait/4))
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
