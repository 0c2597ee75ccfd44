package politeness

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The fields by which a server says what is left of a quota. None is a standard yet:
//
//   - RateLimit and RateLimit-Policy as in draft-ietf-httpapi-ratelimit-headers-08
//     and later (`"default";r=0;t=30`, the policy `"default";q=100;w=60`), and as in
//     its version 07 (`limit=100, remaining=0, reset=30`);
//   - RateLimit-Remaining and RateLimit-Reset, of its versions up to 06, in seconds;
//   - X-RateLimit-Remaining and X-RateLimit-Reset, in seconds or as an instant: Unix
//     time in seconds or milliseconds, or a date.

// RateLimit reads for how long an answer says that nothing is left of a quota, and in
// which field; 0 where something is left or nothing readable is said. A 429 says that
// nothing is left, so that the time of a new quota counts without it. Of several
// quotas the longest wait counts. It returns at most a year.
func RateLimit(status int, header http.Header, now time.Time) (wait time.Duration, field string) {
	spent := status == http.StatusTooManyRequests
	consider := func(d time.Duration, name string) {
		if d = min(d, maxRetryAfter); d > wait {
			wait, field = d, name
		}
	}
	if !mentionsRate(header) && !spent {
		return 0, ""
	}
	if values := header.Values("RateLimit"); len(values) > 0 {
		consider(quotas(strings.Join(values, ","), strings.Join(header.Values("RateLimit-Policy"), ","), spent), "RateLimit")
	}
	for _, name := range []string{"RateLimit", "X-RateLimit"} {
		remaining, told := left(header.Get(name + "-Remaining"))
		if told && remaining > 0 || !told && !spent {
			continue
		}
		consider(reset(header.Get(name+"-Reset"), header.Get("Date"), now), name+"-Reset")
	}
	return wait, field
}

// mentionsRate looks for the fields under the names that net/http gives them, which
// nearly no answer has.
func mentionsRate(header http.Header) bool {
	for _, name := range [...]string{"Ratelimit", "Ratelimit-Remaining", "X-Ratelimit-Remaining"} {
		if len(header[name]) > 0 {
			return true
		}
	}
	return false
}

// left reads a number of requests that are left. Of "0, 0;w=60" the first counts.
func left(text string) (n int64, told bool) {
	text, _, _ = strings.Cut(text, ",")
	text, _, _ = strings.Cut(text, ";")
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil || f != f:
		return 0, false
	case f < 1:
		return 0, true
	}
	return int64(min(f, 1<<30)), true
}

// remaining is how many requests are left of the smallest quota that an answer tells of.
func remaining(header http.Header) (least int64, told bool) {
	if !mentionsRate(header) {
		return 0, false
	}
	consider := func(text string) {
		if n, ok := left(text); ok && (!told || n < least) {
			least, told = n, true
		}
	}
	for name, params := range items(strings.Join(header.Values("RateLimit"), ",")) {
		consider(params["r"])
		if key, value, ok := strings.Cut(name, "="); ok && strings.TrimSpace(key) == "remaining" { // version 07
			consider(value)
		}
	}
	consider(header.Get("RateLimit-Remaining"))
	consider(header.Get("X-RateLimit-Remaining"))
	return least, told
}

// roomOf is how many requests may be in flight by what an answer says is left: one where
// nothing is, which asks for what there is when the quota is new; 0 for any number.
func roomOf(status int, header http.Header) uint8 {
	n, told := remaining(header)
	switch {
	case status == http.StatusTooManyRequests && mentionsRate(header):
		return 1
	case !told || n > math.MaxUint8:
		return 0
	}
	return uint8(max(n, 1))
}

// maxQuotas bounds what is read of one field.
const maxQuotas = 32

// quotas reads a RateLimit field: the longest wait of the quotas that are spent. One
// that does not say when there is more is as long as its policy's window.
func quotas(limit, policy string, spent bool) (wait time.Duration) {
	windows := map[string]time.Duration{}
	for name, params := range items(policy) {
		if w, ok := seconds(params["w"]); ok {
			windows[name] = w
		}
	}
	old := map[string]string{}
	for name, params := range items(limit) {
		if key, value, ok := strings.Cut(name, "="); ok { // version 07
			old[strings.TrimSpace(key)] = strings.TrimSpace(value)
			continue
		}
		r, told := left(params["r"])
		if told && r > 0 || !told && !spent {
			continue
		}
		d, ok := seconds(params["t"])
		if !ok {
			d = windows[name]
		}
		wait = max(wait, d)
	}
	if r, told := left(old["remaining"]); told && r == 0 || !told && spent {
		if d, ok := seconds(old["reset"]); ok {
			wait = max(wait, d)
		}
	}
	return wait
}

// items are those of a structured field list (RFC 9651 section 3.1) with their
// parameters, as far as quotas need them: texts in quotes hold no , ; or =.
func items(list string) func(func(string, map[string]string) bool) {
	return func(yield func(string, map[string]string) bool) {
		for n, item := range strings.SplitN(list, ",", maxQuotas+1) {
			name, rest, _ := strings.Cut(item, ";")
			if name = strings.TrimSpace(name); n == maxQuotas || name == "" {
				continue
			}
			params := map[string]string{}
			for _, p := range strings.SplitN(rest, ";", maxQuotas) {
				key, value, _ := strings.Cut(p, "=")
				params[strings.TrimSpace(key)] = strings.Trim(strings.TrimSpace(value), `"`)
			}
			if !yield(strings.Trim(name, `"`), params) {
				return
			}
		}
	}
}

// The least numbers that are taken for an instant: no quota lasts for 30 years.
const (
	leastUnix      = 1_000_000_000
	leastUnixMilli = 1_000_000_000_000
)

// reset reads when there is a new quota.
func reset(text, date string, now time.Time) time.Duration {
	text, _, _ = strings.Cut(strings.TrimSpace(text), ";")
	var at time.Time
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err == nil && f >= 1e17, err == nil && !(f > 0):
		return 0
	case err == nil && f < leastUnix:
		return time.Duration(min(f, maxRetryAfter.Seconds()) * float64(time.Second)).Round(time.Millisecond)
	case err == nil && f < leastUnixMilli:
		at = time.UnixMilli(int64(f * 1000))
	case err == nil:
		at = time.UnixMilli(int64(f))
	default:
		if at, err = http.ParseTime(text); err != nil {
			if at, err = time.Parse(time.RFC3339, text); err != nil {
				return 0
			}
		}
	}
	wait := at.Sub(now)
	if sent, err := http.ParseTime(date); err == nil {
		wait = max(wait, at.Sub(sent))
	}
	return max(wait, 0)
}

// demanded is the wait that an answer asks for, who asks, and what the ledger is to
// say of it.
func demanded(status int, header http.Header, now time.Time) (wait time.Duration, by demander, said string) {
	by, wait = byRetryAfter, RetryAfter(header, now)
	said = unreadable(header)
	if limit, field := RateLimit(status, header, now); limit > wait {
		wait, by = limit, byRateLimit
		said = fmt.Sprintf("%s: nothing is left for %v", field, limit.Round(time.Second))
	}
	return wait, by, said
}
