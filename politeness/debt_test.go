package politeness

import (
	"net/http"
	"testing"
	"time"
)

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"120", "1.5", "-1", "Sun, 01 Mar 2026 12:01:00 GMT", "99999999999999999999", "0", "soon", " 7 ", "1e9", ".5", "١"} {
		f.Add(seed, "Sun, 01 Mar 2026 12:00:00 GMT")
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value, date string) {
		h := http.Header{"Retry-After": {value}, "Date": {date}}
		if got := RetryAfter(h, now); got < 0 || got > maxRetryAfter {
			t.Errorf("%q: %v", value, got)
		}
	})
}

// RFC 9110 section 10.2.3.
func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		values []string
		date   string
		want   time.Duration
	}{
		{[]string{"120"}, "", 2 * time.Minute},
		{[]string{" 7 "}, "", 7 * time.Second},
		{[]string{"1.2"}, "", 2 * time.Second},
		{[]string{"0"}, "", 0},
		{[]string{"3", "x", "9", "5"}, "", 9 * time.Second},
		{[]string{"99999999999999999999"}, "", maxRetryAfter},
		{[]string{"-5"}, "", 0}, {[]string{"soon"}, "", 0}, {[]string{""}, "", 0}, {[]string{"1e9"}, "", 0}, {nil, "", 0},
		{[]string{"Sun, 01 Mar 2026 12:01:00 GMT"}, "", time.Minute},
		{[]string{"Sunday, 01-Mar-26 12:01:00 GMT"}, "", time.Minute},
		{[]string{"Sun Mar  1 12:01:00 2026"}, "", time.Minute},
		{[]string{"Sun, 01 Mar 2026 11:00:00 GMT"}, "", 0},
		{[]string{"Sun, 01 Mar 2026 11:00:00 GMT"}, "Sun, 01 Mar 2026 10:50:00 GMT", 10 * time.Minute},
	} {
		if got := RetryAfter(http.Header{"Retry-After": c.values, "Date": {c.date}}, now); got != c.want {
			t.Errorf("%q, date %q: %v, want %v", c.values, c.date, got, c.want)
		}
	}
}
