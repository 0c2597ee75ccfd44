package ledger

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func auditTest(t rapid.TB, dir string, rules Rules) *Report {
	t.Helper()
	r, err := Audit(context.Background(), dir, rules)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// drawn builds a polite world of one or two processes in a folder, and leaves
// the last process's part to be written by the caller.
func drawn(t *rapid.T, dir string) (w *world, started time.Time) {
	w, started = newWorld(t), noon
	w.live(t)
	if rapid.Bool().Draw(t, "two processes") {
		w.write(t, dir, started)
		w.restart()
		started = w.end
		w.live(t)
	}
	return w, started
}

// inWorlds gives each world a folder. Worlds take their time, and there is a test
// for each breach: a fourth of the usual number will do, unless told otherwise.
func inWorlds(t *testing.T, check func(t *rapid.T, dir string)) {
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("25")
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
	}
	root, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		dir := filepath.Join(root, fmt.Sprint(n))
		check(rt, dir)
		_ = os.RemoveAll(dir) // to save room
	})
}

func TestPoliteWorldsHaveNoViolation(t *testing.T) {
	inWorlds(t, func(t *rapid.T, dir string) {
		w, started := drawn(t, dir)
		w.write(t, dir, started)
		r := auditTest(t, dir, Rules{})
		for _, v := range r.Violations {
			t.Error(v)
		}
		for _, h := range w.hosts {
			row := r.Host(h.origin)
			if row == nil || row.Requests != int64(len(h.starts)) || row.AtOnce > h.concurrency || row.Allowed != h.concurrency ||
				row.Gaps != row.Requests-1 || row.Gaps > 0 && row.LeastGap < h.delay-Precision {
				t.Errorf("%s: %+v", h.origin, row)
			}
		}
	})
}

// last is a request that the world's last host may send an hour after all
// others, alone.
func (w *world) last(path string) Entry { return w.next(time.Hour, path) }

// next is the same as last after another time.
func (w *world) next(after time.Duration, path string) Entry {
	h := w.hosts[len(w.hosts)-1]
	owed := max(h.delay, h.crawl)
	w.end = w.end.Add(after)
	return Entry{
		Start: w.end, End: w.end.Add(time.Millisecond), Host: h.origin, URL: h.origin + path, Owed: owed, By: "policy",
		RobotsHash: hashOf(h.body), Line: 3 + h.shift, Status: 200, Concurrency: 1,
	}
}

// after is a second request, d after the end of the first.
func (w *world) after(e Entry, d time.Duration) Entry {
	next := w.last("/planted")
	next.Start = e.End.Add(d)
	next.End = next.Start.Add(time.Millisecond)
	return next
}

// calm has the host answer well until nothing of the past counts.
func (w *world) calm() {
	for range maxStrikes {
		w.entries = append(w.entries, w.last("/"))
	}
}

// failing has the host fail as often as sets it aside.
func (w *world) failing() (last Entry) {
	w.calm()
	for i := range w.run.Policy.CircuitAfter {
		last = w.last("/")
		last.Status, last.Class, last.Failed = 0, "timeout", true
		if i%2 == 0 {
			last.Status, last.Class, last.Failed = 502, "", false
		}
		w.entries = append(w.entries, last)
	}
	return last
}

// plants adds to a world what breaks one rule by the least that can be told.
// The request at fault is for /planted.
var plants = map[Breach]func(w *world){
	TooSoon: func(w *world) {
		first := w.last("/")
		owed := max(first.Owed, 2*Precision)
		next := w.after(first, owed-Precision)
		next.Owed = owed
		w.entries = append(w.entries, first, next)
	},
	TooMany: func(w *world) {
		first := w.last("/")
		next := w.after(first, 0)
		first.End = next.Start.Add(time.Minute)
		next.Start, next.End = first.Start.Add(time.Minute-Precision), first.End
		first.End = next.Start.Add(Precision)
		w.entries = append(w.entries, first, next)
	},
	DebtUnpaid: func(w *world) {
		first := w.last("/")
		first.RetryAfter = time.Hour // capped at 30 seconds
		w.entries = append(w.entries, first, w.after(first, 30*time.Second-Precision))
	},
	BackoffUnpaid: func(w *world) {
		w.calm()
		busy := w.last("/")
		busy.Status = 503
		again := w.next(testBackoff+time.Millisecond, "/")
		again.Status = 429
		planted := w.after(again, 2*testBackoff-Precision)
		w.entries = append(w.entries, busy, again, planted)
	},
	RestBroken: func(w *world) {
		w.entries = append(w.entries, w.after(w.failing(), w.run.Policy.CircuitPause-Precision))
	},
	OutOfHours: func(w *world) {
		e := w.last("/planted")
		e.Decided = e.Start.Add(-Precision)
		closed, _ := time.LoadLocation("Asia/Kolkata")
		at := e.Start.In(closed).Truncate(time.Minute)
		w.run.Policy.Hours = at.Add(2*time.Minute).Format("15:04") + "-" + at.Add(-2*time.Minute).Format("15:04")
		w.run.Policy.Zone = closed.String()
		for host, x := range w.run.Policy.Hosts { // as they did before this one
			x.Hours, x.Zone = w.run.Policy.Hours, w.run.Policy.Zone
			w.run.Policy.Hosts[host] = x
		}
		w.run.Policy.Hours = "00:00-24:00"
		if x := w.run.Policy.exception(e.Host); x.Hours == "" {
			w.run.Policy.Hours, w.run.Policy.Zone = at.Add(2*time.Minute).Format("15:04")+"-"+at.Add(-2*time.Minute).Format("15:04"), closed.String()
		}
		w.entries = append(w.entries, e)
	},
	Disallowed: func(w *world) {
		e := w.last("/private/planted")
		e.Line--
		w.entries = append(w.entries, e)
	},
	NoRobots: func(w *world) {
		e := w.last("/planted")
		e.RobotsHash = [16]byte{}
		w.entries = append(w.entries, e)
	},
	UnknownRobots: func(w *world) {
		e := w.last("/planted")
		e.RobotsHash[0] ^= 1
		w.versions = append(w.versions, RobotsVersion{Origin: e.Host, FetchedAt: e.Start, Hash: e.RobotsHash})
		w.entries = append(w.entries, e)
	},
	StaleRobots: func(w *world) {
		e := w.last("/planted")
		e.Decided = e.Start.Add(-time.Second)
		w.versions = append(w.versions, RobotsVersion{Origin: e.Host, FetchedAt: e.Decided.Add(-Precision), Body: []byte("# new")})
		w.entries = append(w.entries, e)
	},
	WrongLine: func(w *world) {
		e := w.last("/planted")
		e.Line++
		w.entries = append(w.entries, e)
	},
	WrongOwed: func(w *world) {
		e := w.last("/planted")
		e.Owed -= 2 * Precision
		w.entries = append(w.entries, e)
	},
	WrongConcurrency: func(w *world) {
		e := w.last("/planted")
		e.Concurrency = w.hosts[len(w.hosts)-1].concurrency + 1
		w.entries = append(w.entries, e)
	},
	WrongHost: func(w *world) {
		e := w.last("")
		e.URL = e.Host + ".evil.example/planted"
		w.entries = append(w.entries, e)
	},
	WrongTimes: func(w *world) {
		e := w.last("/planted")
		e.End = e.Start.Add(-Precision)
		w.entries = append(w.entries, e)
	},
}

func TestPlantedViolationsAreFound(t *testing.T) {
	for breach, plant := range plants {
		t.Run(breach.String(), func(t *testing.T) {
			inWorlds(t, func(t *rapid.T, dir string) {
				w, started := drawn(t, dir)
				plant(w)
				w.write(t, dir, started)
				r := auditTest(t, dir, Rules{})
				found := false
				for _, v := range r.Violations {
					if !strings.HasSuffix(v.URL, "/planted") {
						t.Errorf("not planted: %v", v)
					}
					line := v.String()
					found = found || v.Breach == breach && strings.Contains(line, v.URL) && strings.Contains(line, breach.String())
					if strings.ContainsAny(line, "\n\r\t\x00") {
						t.Errorf("not one line: %q", line)
					}
				}
				if want := int64(1); !found || breach != UnknownRobots && r.Found != want {
					t.Errorf("found %v", r.Violations)
				}
				if row := r.Host(w.hosts[len(w.hosts)-1].origin); row.Violations != r.Found {
					t.Errorf("the host's row says %d of %d", row.Violations, r.Found)
				}
			})
		})
	}
}

// What breaks a rule by less than the ledger can tell is not reported, and
// keeping it to the letter is not either.
func TestNoViolationAtTheLimit(t *testing.T) {
	for name, plant := range map[string]func(w *world){
		"delay": func(w *world) { first := w.last("/"); w.entries = append(w.entries, first, w.after(first, first.Owed)) },
		"debt": func(w *world) {
			first := w.last("/")
			first.RetryAfter = time.Hour
			w.entries = append(w.entries, first, w.after(first, 30*time.Second))
		},
		"decided before a new robots.txt": func(w *world) {
			e := w.last("/")
			e.Decided = e.Start.Add(-time.Second)
			w.versions = append(w.versions, RobotsVersion{Origin: e.Host, FetchedAt: e.Decided, Body: []byte("# new")})
			w.entries = append(w.entries, e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorlds(t, func(t *rapid.T, dir string) {
				w, started := drawn(t, dir)
				plant(w)
				w.write(t, dir, started)
				for _, v := range auditTest(t, dir, Rules{}).Violations {
					t.Error(v)
				}
			})
		})
	}
}

// simple writes entries of one host that knows an empty robots.txt.
func simple(t testing.TB, dir string, run RunInfo, entries ...Entry) {
	t.Helper()
	l := openTest(t, dir, run)
	appendTest(t, l, entries, RobotsVersion{Origin: "https://a.example", FetchedAt: run.Started})
	closeTest(t, l)
}

func plain(at time.Duration, path string) Entry {
	start := noon.Add(at)
	return Entry{
		Start: start, End: start.Add(time.Millisecond), Host: "https://a.example", URL: "https://a.example" + path,
		RobotsHash: hashOf(nil), Owed: time.Second, Status: 200,
	}
}

func expectBreaches(t *testing.T, r *Report, want ...Breach) {
	t.Helper()
	if r.Found != int64(len(want)) {
		t.Fatalf("found %v, want %v", r.Violations, want)
	}
	for i, v := range r.Violations {
		if v.Breach != want[i] {
			t.Errorf("found %v, want %v", v, want[i])
		}
	}
}

func TestDebtsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	busy := plain(time.Second, "/busy")
	busy.RetryAfter = 10 * time.Minute
	simple(t, dir, testRun(), busy)
	run := testRun()
	run.Started = noon.Add(time.Minute)
	simple(t, dir, run, plain(2*time.Minute, "/early"), plain(11*time.Minute, "/late"))
	expectBreaches(t, auditTest(t, dir, Rules{}), DebtUnpaid)
}

// A copy of robots.txt serves for its lifetime and no longer.
func TestRobotsAreOutlived(t *testing.T) {
	run := testRun()
	run.Policy.RobotsLifetime = time.Hour
	for _, c := range []struct {
		run  RunInfo
		at   time.Duration
		want []Breach
	}{
		{testRun(), 24 * time.Hour, nil},
		{testRun(), 24*time.Hour + 2*Precision, []Breach{StaleRobots}},
		{run, time.Hour, nil},
		{run, time.Hour + 2*Precision, []Breach{StaleRobots}},
	} {
		dir := t.TempDir()
		simple(t, dir, c.run, plain(c.at, "/"))
		expectBreaches(t, auditTest(t, dir, Rules{}), c.want...)
	}
}

func TestClockThatWasSetBack(t *testing.T) {
	dir := t.TempDir()
	simple(t, dir, testRun(), plain(time.Hour, "/"))
	run := testRun()
	run.Started = noon.Add(time.Hour)
	simple(t, dir, run, plain(time.Hour+time.Second, "/x"), plain(time.Hour-time.Second, "/y"))
	expectBreaches(t, auditTest(t, dir, Rules{}), ClockJump, ClockJump)
}

func TestEntryOutOfOrder(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	var batch []Entry
	for i := range 2*window + 1 {
		batch = append(batch, plain(time.Duration(i+10)*2*time.Second, "/"))
	}
	l.run.Policy.RobotsLifetime = 1000 * time.Hour
	if err := l.introduce(false); err != nil {
		t.Fatal(err)
	}
	appendTest(t, l, nil, RobotsVersion{Origin: "https://a.example", FetchedAt: noon})
	appendTest(t, l, batch)
	appendTest(t, l, []Entry{plain(time.Second, "/late")})
	closeTest(t, l)
	expectBreaches(t, auditTest(t, dir, Rules{}), OutOfOrder)
}

func TestGroupsShareOneTime(t *testing.T) {
	dir := t.TempDir()
	a, b, c := plain(time.Second, "/a"), plain(2*time.Second, "/b"), plain(4*time.Second, "/c")
	b.Host, b.URL = "https://b.example", "https://b.example/b"
	for _, e := range []*Entry{&a, &b, &c} {
		e.Group = "192.0.2.1"
	}
	l := openTest(t, dir, testRun())
	appendTest(t, l, []Entry{a, b, c}, RobotsVersion{Origin: a.Host, FetchedAt: noon}, RobotsVersion{Origin: b.Host, FetchedAt: noon})
	closeTest(t, l)
	r := auditTest(t, dir, Rules{})
	expectBreaches(t, r, TooSoon)
	if r.Violations[0].URL != b.URL || !strings.Contains(r.Violations[0].Detail, "group 192.0.2.1") {
		t.Error(r.Violations[0])
	}
}

// A host's own Crawl-delay is not its group's.
func TestGroupMembersAskForThemselves(t *testing.T) {
	text := []byte("User-agent: *\nCrawl-delay: 10\n")
	slow := func(at time.Duration, path string) Entry {
		e := plain(at, path)
		e.Group, e.RobotsHash = "192.0.2.1", hashOf(text)
		return e
	}
	other := plain(2*time.Second, "/")
	other.Host, other.URL, other.Group = "https://b.example", "https://b.example/", "192.0.2.1"
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	appendTest(t, l, []Entry{slow(0, "/"), other, slow(11*time.Second, "/late"), slow(20*time.Second, "/early")},
		RobotsVersion{Origin: "https://a.example", FetchedAt: noon, Body: text}, RobotsVersion{Origin: other.Host, FetchedAt: noon})
	closeTest(t, l)
	r := auditTest(t, dir, Rules{})
	expectBreaches(t, r, TooSoon)
	if v := r.Violations[0]; v.URL != "https://a.example/early" || v.Owed != 10*time.Second {
		t.Error(v)
	}
}

func TestIgnoredRobotsAreNotJudged(t *testing.T) {
	dir := t.TempDir()
	run := testRun()
	run.Policy.IgnoreRobots = true
	e := plain(time.Second, "/")
	e.RobotsHash = [16]byte{}
	simple(t, dir, run, e)
	expectBreaches(t, auditTest(t, dir, Rules{}))
}

// The auditor may hold the crawl to another reading.
func TestRulesReplaceTheLedgers(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	e := plain(time.Second, "/x")
	text := []byte("User-agent: bookbot\nAllow: /x\nUser-agent: other\nDisallow: /x\n")
	e.RobotsHash, e.Line = hashOf(text), 2
	appendTest(t, l, []Entry{e}, RobotsVersion{Origin: e.Host, FetchedAt: noon, Body: text})
	closeTest(t, l)
	expectBreaches(t, auditTest(t, dir, Rules{}))
	expectBreaches(t, auditTest(t, dir, Rules{Agent: "other"}), Disallowed, WrongLine)
	if _, err := Audit(context.Background(), dir, Rules{Mode: "bing"}); err == nil {
		t.Error("an unknown reading was taken")
	}
}

func BenchmarkAudit(b *testing.B) {
	const n = 100_000
	dir := b.TempDir()
	l := openTest(b, dir, testRun())
	var versions []RobotsVersion
	batch := make([]Entry, 0, n)
	for i := range 5000 {
		versions = append(versions, RobotsVersion{Origin: fmt.Sprintf("https://shop%d.example", i), FetchedAt: noon, Body: fmt.Appendf(nil, "# %d\nUser-agent: *\nDisallow: /x\n", i)})
	}
	for i := range n {
		e := sample(i)
		e.Host = versions[i%len(versions)].Origin
		e.URL, e.RobotsHash, e.Line = e.Host+"/catalogue/"+fmt.Sprint(i), hashOf(versions[i%len(versions)].Body), 0
		batch = append(batch, e)
	}
	appendTest(b, l, batch, versions...)
	closeTest(b, l)
	for b.Loop() {
		if r := auditTest(b, dir, Rules{}); r.Requests != n || r.Found != 0 {
			b.Fatal(r.Violations[:1])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}

// What was declared an API needs no robots.txt; what was not does.
func TestAPIsNeedNoRobots(t *testing.T) {
	for host, want := range map[string][]Breach{"a.example": nil, "*.a.example": {NoRobots}, "b.example": {NoRobots}} {
		dir := t.TempDir()
		run := testRun()
		run.Policy.Hosts = map[string]HostPolicy{host: {API: true}}
		e := plain(time.Second, "/")
		e.RobotsHash = [16]byte{}
		simple(t, dir, run, e)
		expectBreaches(t, auditTest(t, dir, Rules{}), want...)
	}
}
