package ledger_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// keeper drives a gate as a crawler would and keeps its ledger.
type keeper struct {
	gate     *politeness.Gate
	now      time.Time
	entries  []ledger.Entry
	versions []ledger.RobotsVersion
}

type sent struct {
	grant *politeness.Grant
	entry ledger.Entry
	body  []byte
}

func (k *keeper) begin(origin, url string) *sent {
	d := k.gate.Decide(origin, url)
	e := ledger.Entry{
		Start: k.now, Decided: k.now, Host: origin, URL: url, RobotsHash: d.RobotsHash, Line: d.Line, Reason: d.Reason, Attempt: 1,
	}
	switch d.Action {
	case politeness.Wait:
		k.now = d.Until
		return nil
	case politeness.Skip:
		e.Withheld = true
		k.entries = append(k.entries, e)
		return nil
	case politeness.FetchRobots:
		e.Kind, e.URL = ledger.Robots, d.Robots
	}
	if _, err := d.Grant.Begin(); err != nil {
		return nil
	}
	return &sent{grant: d.Grant, entry: e}
}

func (k *keeper) end(s *sent, status, retryAfter int) {
	r := politeness.Result{Status: status, Header: http.Header{}}
	if retryAfter > 0 {
		r.Header.Set("Retry-After", fmt.Sprint(retryAfter))
	}
	if status == 0 {
		r.Err = context.DeadlineExceeded
		s.entry.Class = "timeout"
	} else {
		s.grant.Answered(status, r.Header)
		k.now = k.now.Add(3 * time.Millisecond)
	}
	s.grant.End()
	k.now = k.now.Add(time.Millisecond)
	if status == 200 && s.entry.Kind == ledger.Robots {
		r.Body = s.body
	}
	s.grant.Done(r)
	e, a := &s.entry, s.grant.Account()
	e.Status, e.Start, e.End, e.Decided, e.Answered, e.Booked, e.Failed = status, a.Start, a.End, a.Decided, a.Answered, a.Booked, a.Failed
	e.Owed, e.By, e.Paid, e.Concurrency, e.RetryAfter, e.Group = a.Owed, a.By, a.Paid, a.Concurrency, a.RetryAfter, a.Group
	if e.Kind == ledger.Robots && status > 0 && status < 500 && status != 429 {
		k.versions = append(k.versions, ledger.RobotsVersion{Origin: e.Host, FetchedAt: a.End, Status: status, Body: r.Body})
	}
	k.entries = append(k.entries, *e)
	k.now = k.now.Add(time.Microsecond)
}

// What the gate permits has no violation in the audit: two accounts of
// politeness, written apart, agree.
func TestGateKeepsWhatAuditAsks(t *testing.T) {
	root, worlds := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		worlds++
		start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		k := &keeper{now: start}
		p := politeness.Policy{
			Agent: "bookbot", Delay: time.Duration(rapid.SampledFrom([]int{0, 100, 2000}).Draw(t, "delay")) * time.Millisecond,
			Concurrency: rapid.IntRange(1, 3).Draw(t, "concurrency"), MaxCrawlDelay: 5 * time.Second, MaxRetryAfter: time.Minute,
			CircuitAfter: rapid.IntRange(1, 3).Draw(t, "circuit after"), Group: politeness.Group(rapid.SampledFrom([]int{0, 2}).Draw(t, "group")),
		}
		if rapid.Bool().Draw(t, "hours") {
			p.Hours, _ = politeness.ParseHours("13:05-12:01", "Europe/Berlin")
		}
		k.gate = politeness.New(p, politeness.Options{Now: func() time.Time { return k.now }, Rand: func() float64 { return 0 }})
		var flying []*sent
		for i := range 60 {
			k.now = k.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "pass")) * time.Millisecond)
			if len(flying) > 0 && rapid.Bool().Draw(t, "end") {
				status := rapid.SampledFrom([]int{200, 200, 200, 404, 429, 429, 503, 502, 500, 0}).Draw(t, "status")
				retry := rapid.SampledFrom([]int{0, 0, 3, 500}).Draw(t, "retry")
				flying[0].body = fmt.Appendf(nil, "User-agent: *\nDisallow: /private\nCrawl-delay: %d\n", rapid.IntRange(0, 9).Draw(t, "crawl"))
				k.end(flying[0], status, retry)
				flying = flying[1:]
				continue
			}
			origin := rapid.SampledFrom([]string{"https://a.example", "https://b.a.example"}).Draw(t, "origin")
			path := rapid.SampledFrom([]string{"/", "/private"}).Draw(t, "path")
			if s := k.begin(origin, fmt.Sprint(origin, path, i)); s != nil {
				flying = append(flying, s)
			}
		}
		for _, s := range flying {
			k.end(s, 200, 0)
		}
		report := audit(t, k, p, start, filepath.Join(root, fmt.Sprint(worlds)))
		for _, v := range report.Violations {
			t.Error(v)
		}
		if int(report.Requests+report.Withheld) != len(k.entries) {
			t.Errorf("%d requests and %d withheld of %d entries", report.Requests, report.Withheld, len(k.entries))
		}
	})
}

func audit(t *rapid.T, k *keeper, p politeness.Policy, start time.Time, dir string) *ledger.Report {
	t.Helper()
	hours, zone, _ := strings.Cut(p.Hours.String(), " ")
	l, err := ledger.OpenQuickly(dir, ledger.RunInfo{Agent: p.Agent, Started: start, Policy: ledger.Policy{
		Delay: p.Delay, Concurrency: p.Concurrency, MaxCrawlDelay: p.MaxCrawlDelay, MaxRetryAfter: p.MaxRetryAfter,
		Backoff: politeness.BackoffFirst, BackoffMost: politeness.BackoffMost, CircuitAfter: p.CircuitAfter,
		CircuitPause: politeness.CircuitFirst, CircuitMost: politeness.CircuitMost, Hours: hours, Zone: zone,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append(k.entries, k.versions); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	report, err := ledger.Audit(context.Background(), dir, ledger.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}
