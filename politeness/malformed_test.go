package politeness

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is wrong with an answer gives less access than a good one, or as
// much, and is told where the ledger takes it from.
func TestMalformedAnswers(t *testing.T) {
	for _, c := range []struct {
		status  int
		value   string // of Retry-After
		least   time.Duration
		problem bool
	}{
		{429, "soon", BackoffFirst, true},
		{503, "", BackoffFirst, true},
		{503, "-5", BackoffFirst, true},
		{429, "1e3", BackoffFirst, true},
		{429, "0x10", BackoffFirst, true},
		{503, "Fri, 99 Dec 2999 00:00:00 GMT", BackoffFirst, true},
		{503, "99999999999999999999999999", DefaultMaxRetryAfter, false},
		{429, "Fri, 31 Dec 1999 23:59:59 GMT", BackoffFirst, false}, // past
		{429, "\x00\xff\u2028", BackoffFirst, true},
		{429, strings.Repeat("9", 1<<16), DefaultMaxRetryAfter, false},
		{200, "soon", time.Second, true},
		{404, "1", time.Second, false},
	} {
		g, clock := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second}, Options{})
		grant := expect(t, g.Decide(site, site+"/"), Go).Grant
		s := grant.Done(Result{Status: c.status, Header: fields("Retry-After", c.value)})
		if got := s.NotBefore.Sub(clock.now()); got != c.least {
			t.Errorf("%d with Retry-After %.30q: off for %v, want %v", c.status, c.value, got, c.least)
		}
		problem := grant.Account().Problem
		if (problem != "") != c.problem || len(problem) > 300 || strings.ContainsAny(problem, "\x00\u2028") {
			t.Errorf("%d with Retry-After %.30q: %q", c.status, c.value, problem)
		}
	}
}

// A robots.txt that is malformed lowers no delay that was configured, forbids no
// less than the lines in it that can be read, and stops nothing.
func TestMalformedRobots(t *testing.T) {
	const rule = "User-agent: *\nDisallow: /private\n"
	for _, body := range []string{
		"\x00\x01\x02\n" + rule, "#\x00\n" + rule, "<!doctype html>\n" + rule, "\ufeff" + rule, strings.ReplaceAll(rule, "\n", "\r"),
		rule + "Crawl-delay: -1\n", rule + "Crawl-delay: NaN\n", rule + "Crawl-delay: Inf\n", rule + "Crawl-delay: 1e400\n", rule + "Crawl-delay: a day\n",
		"Disallow: /before any group\nAllow: /\n" + rule, rule + "Allow\nAllow: \nAllow: %zz\n", rule + strings.Repeat("x", 600<<10),
		rule + "Content-Signal: =,=\nContent-Usage: ((\nLicense: \n", "user agent *\n" + rule,
	} {
		g, c := newTestGate(Policy{Delay: time.Second}, Options{})
		expect(t, g.Decide(site, site+"/"), FetchRobots).Grant.Done(Result{Status: 200, Body: []byte(body)})
		c.add(DefaultMaxCrawlDelay)
		if d := g.Decide(site, site+"/private"); d.Action != Skip || d.Line == 0 {
			t.Errorf("%.40q: %v", body, d.Action)
		}
		grant := expect(t, g.Decide(site, site+"/public"), Go).Grant
		if owed := grant.Done(Result{Status: 200}).NotBefore.Sub(c.now()); owed < time.Second || owed > DefaultMaxCrawlDelay {
			t.Errorf("%.40q: %v owed", body, owed)
		}
	}
}

// No Retry-After, whatever it holds, shortens what is owed without it.
func TestNoRetryAfterShortensAWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		status := rapid.SampledFrom([]int{200, 301, 404, 429, 500, 503}).Draw(t, "status")
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{0,25}(\.[0-9]{0,3})?`)).Draw(t, "value")
		wait := func(r Result) time.Duration {
			g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second}, Options{})
			return g.Decide(site, site+"/").Grant.Done(r).NotBefore.Sub(c.now())
		}
		with, floor := wait(Result{Status: status, Header: fields("Retry-After", value)}), time.Second
		if with < floor || with > DefaultMaxRetryAfter {
			t.Fatalf("%d with %q: %v", status, value, with)
		}
	})
}
