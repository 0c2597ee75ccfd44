package politeness

import (
	"net/http"
	"testing"
	"time"
)

// The closest exception holds: host and port, host, then the longest suffix.
func TestExceptions(t *testing.T) {
	after := func(seconds int) HostPolicy {
		d := time.Duration(seconds) * time.Second
		return HostPolicy{Delay: &d}
	}
	p := Policy{Delay: time.Second, Hosts: map[string]HostPolicy{
		"a.example:8080": after(2), "a.example": after(3), "*.a.example": after(4), "*.x.a.example": after(5), "::1": after(6),
	}}
	for origin, want := range map[string]int{
		"http://a.example:8080": 2, "http://a.example": 3, "https://a.example:81": 3, "http://b.a.example": 4,
		"http://y.x.a.example:8080": 5, "http://[::1]:80": 6, "http://b.example": 1,
	} {
		if got, _, _ := p.of(origin); got != time.Duration(want)*time.Second {
			t.Errorf("%s owes %v, want %ds", origin, got, want)
		}
	}
}

// A slow body uses up part of the wait that its header asked for.
func TestAccountOfRetryAfterCountsFromTheEnd(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	g := New(Policy{Agent: "bot", IgnoreRobots: true}, Options{Now: func() time.Time { return now }})
	d := g.Decide("http://a.example", "http://a.example/")
	if _, err := d.Grant.Begin(); err != nil {
		t.Fatal(err)
	}
	d.Grant.Answered(429, http.Header{"Retry-After": {"10"}})
	now = now.Add(4 * time.Second)
	state := d.Grant.Done(Result{Status: 429})
	if a := d.Grant.Account(); a.RetryAfter != 6*time.Second || !state.NotBefore.Equal(a.End.Add(a.RetryAfter)) {
		t.Errorf("%v are owed from %v, the gate waits until %v", a.RetryAfter, a.End, state.NotBefore)
	}
}
