package politeness

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestRateLimitForms(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		status int
		header http.Header
		want   time.Duration
		field  string
	}{
		{"draft 8", 200, http.Header{"Ratelimit": {`"default";r=0;t=30`}}, 30 * time.Second, "RateLimit"},
		{"something left", 200, http.Header{"Ratelimit": {`"default";r=3;t=30`}}, 0, ""},
		{"429 says that nothing is left", 429, http.Header{"Ratelimit": {`"default";t=30`}}, 30 * time.Second, "RateLimit"},
		{"nothing is said of what is left", 200, http.Header{"Ratelimit": {`"default";t=30`}}, 0, ""},
		{"several quotas", 200, http.Header{"Ratelimit": {`"hour";r=0;t=600, "day";r=0;t=90`, `"minute";r=7;t=9000`}}, 10 * time.Minute, "RateLimit"},
		{"by the policy's window", 200, http.Header{"Ratelimit": {`"default";r=0`}, "Ratelimit-Policy": {`"other";q=1;w=5, "default";q=100;w=60`}}, time.Minute, "RateLimit"},
		{"draft 7", 200, http.Header{"Ratelimit": {"limit=100, remaining=0, reset=15"}}, 15 * time.Second, "RateLimit"},
		{"draft 7, something left", 200, http.Header{"Ratelimit": {"limit=100, remaining=1, reset=15"}}, 0, ""},
		{"draft 6", 200, http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"9"}}, 9 * time.Second, "RateLimit-Reset"},
		{"seconds", 200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1.5"}}, 1500 * time.Millisecond, "X-RateLimit-Reset"},
		{"Unix time", 200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1772366460"}}, time.Minute, "X-RateLimit-Reset"},
		{"Unix time in milliseconds", 200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1772366430500"}}, 30500 * time.Millisecond, "X-RateLimit-Reset"},
		{"by the server's clock", 200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1772366400"}, "Date": {"Sun, 01 Mar 2026 11:59:00 GMT"}}, time.Minute, "X-RateLimit-Reset"},
		{"a date", 200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"2026-03-01T12:00:20Z"}}, 20 * time.Second, "X-RateLimit-Reset"},
		{"in the past", 200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1772366300"}}, 0, ""},
		{"only when", 200, http.Header{"X-Ratelimit-Reset": {"60"}}, 0, ""},
		{"429 and only when", 429, http.Header{"X-Ratelimit-Reset": {"60"}}, time.Minute, "X-RateLimit-Reset"},
		{"something left and 429", 429, http.Header{"X-Ratelimit-Remaining": {"5"}, "X-Ratelimit-Reset": {"60"}}, 0, ""},
		{"garbage", 429, http.Header{"X-Ratelimit-Remaining": {"none"}, "X-Ratelimit-Reset": {"soon"}, "Ratelimit": {`;;,=,"`}}, 0, ""},
		{"beyond all bounds", 429, http.Header{"X-Ratelimit-Reset": {"999999999"}}, maxRetryAfter, "X-RateLimit-Reset"},
	} {
		if got, field := RateLimit(c.status, c.header, now); got != c.want || field != c.field {
			t.Errorf("%s: %v by %q, want %v by %q", c.name, got, field, c.want, c.field)
		}
	}
}

// A server with a quota of five for each second, and who may have eight in flight: after
// the first burst, of which nobody could know, none is refused.
func TestNoMoreInFlightThanAreLeft(t *testing.T) {
	for name, says := range map[string]func(left int) http.Header{
		"draft 8": func(left int) http.Header {
			return http.Header{"Ratelimit": {fmt.Sprintf(`"day";r=9000;t=9, "second";r=%d;t=1`, left)}}
		},
		"draft 7": func(left int) http.Header {
			return http.Header{"Ratelimit": {fmt.Sprintf("limit=5, remaining=%d, reset=1", left)}}
		},
		"draft 6": func(left int) http.Header {
			return http.Header{"X-Ratelimit-Remaining": {strconv.Itoa(left)}, "X-Ratelimit-Reset": {"1"}}
		},
	} {
		g, c := newTestGate(Policy{IgnoreRobots: true, Concurrency: 8}, Options{})
		refused, answered := 0, 0
		for range 10 {
			left := 5
			for waits := 0; waits == 0; { // a second of the server
				var grants []*Grant
				d := g.Decide(site, site+"/")
				for ; d.Action == Go; d = g.Decide(site, site+"/") {
					if _, err := d.Grant.Begin(); err != nil {
						t.Fatal(err)
					}
					grants = append(grants, d.Grant)
				}
				for _, grant := range grants {
					if left--; left < 0 {
						refused++
						grant.Done(Result{Status: 429, Header: says(0)})
						continue
					}
					answered++
					grant.Done(Result{Status: 200, Header: says(left)})
				}
				if len(grants) == 0 {
					waits++
				}
			}
			c.add(time.Second)
		}
		if refused != 3 || answered != 50 {
			t.Errorf("%s: %d refused, %d answered, want 3 and 50", name, refused, answered)
		}
		// One that says no more of it is not held to what it said.
		expect(t, g.Decide(site, site+"/"), Go).Grant.Done(Result{Status: 200})
		for range 8 {
			expect(t, g.Decide(site, site+"/"), Go).Grant.Begin()
		}
	}
}

func FuzzRateLimit(f *testing.F) {
	f.Add(200, `"a";r=0;t=30, "b"`, `"a";q=1;w=60`, "0", "1772366460")
	f.Add(429, "limit=1, remaining=0, reset=1e300", "", "-1", "NaN")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, status int, limit, policy, remaining, reset string) {
		h := http.Header{"Ratelimit": {limit}, "Ratelimit-Policy": {policy}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}}
		got, field := RateLimit(status, h, now)
		if got < 0 || got > maxRetryAfter || got > 0 != (field != "") {
			t.Errorf("%v by %q", got, field)
		}
	})
}

// A host of whose quota nothing is left waits for the next one, within the cap, and
// also where its answer was good.
func TestSpentQuotaPutsTheHostOff(t *testing.T) {
	for limit, want := range map[string]time.Duration{`"a";r=0;t=30`: 30 * time.Second, `"a";r=0;t=7200`: time.Hour, `"a";r=1;t=30`: 0} {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		g := New(Policy{Agent: "bot", IgnoreRobots: true, MaxRetryAfter: time.Hour}, Options{Now: func() time.Time { return now }})
		const origin = "https://api.example"
		d := g.Decide(origin, origin+"/1")
		if d.Action != Go {
			t.Fatalf("%v", d.Action)
		}
		d.Grant.Begin()
		state := d.Grant.Done(Result{Status: 200, Header: http.Header{"Ratelimit": {limit}}})
		if got := state.NotBefore.Sub(now); max(got, 0) != want {
			t.Errorf("%s: not before %v, want %v", limit, got, want)
		}
		if want == 0 {
			continue
		}
		if d := g.Decide(origin, origin+"/2"); d.Action != Wait || d.By != ByRateLimit {
			t.Errorf("%s: %v by %s", limit, d.Action, d.By)
		}
		if a := d.Grant.Account(); a.RetryAfter < want || a.Problem == "" {
			t.Errorf("%s: account %+v", limit, a)
		}
	}
}

// An API is asked without its robots.txt, and owed all else.
func TestAPIs(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	g := New(Policy{Agent: "bot", Delay: time.Second, Hosts: map[string]HostPolicy{"api.example": {API: true}}}, Options{
		Now: func() time.Time { return now }, Recall: func(string) []byte { t.Error("robots.txt was recalled"); return nil },
	})
	const api, site = "https://api.example", "https://www.example"
	d := g.Decide(api, api+"/v1")
	if d.Action != Go || d.Line != 0 || !g.API(api) || g.API(site) {
		t.Fatalf("%+v", d)
	}
	if state := d.Grant.Done(Result{Status: 429, Header: http.Header{"Retry-After": {"9"}}}); state.NotBefore.Sub(now) != 9*time.Second {
		t.Errorf("%+v", state)
	}
	if x := g.Explain(api, api+"/v1"); x.Robots != "not for an API" {
		t.Error(x.Robots)
	}
}
