package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// daily is a crawl of two hosts that runs once a day for a minute. It relies on the
// robots.txt that an earlier run has read, unless it begins anew.
type daily struct {
	t      interface{ Fatal(args ...any) }
	dir    string
	runs   int
	limit  int64
	sent   int
	starts []time.Time // of the requests
	known  map[string][16]byte
}

func (d *daily) run(anew bool) {
	info := testRun()
	info.Run, info.Anew = fmt.Sprint("r", d.runs), anew
	info.Started = noon.AddDate(0, 0, d.runs)
	info.Policy.RobotsLifetime = 30 * 24 * time.Hour // so that they do rely on it
	d.runs++
	l, err := open(d.dir, info, d.limit, quickly)
	if err != nil {
		d.t.Fatal(err)
	}
	if anew || d.known == nil {
		d.known = map[string][16]byte{}
	}
	for i := range 20 {
		host := fmt.Sprintf("https://%c.example", 'a'+i%2)
		at := info.Started.Add(time.Duration(i+1) * 3 * time.Second)
		e := Entry{Start: at, End: at.Add(time.Millisecond), Host: host, URL: fmt.Sprint(host, "/", d.sent), Status: 200, Concurrency: 1, Owed: time.Second, By: "config delay", Attempt: 1}
		var versions []RobotsVersion
		if _, read := d.known[host]; !read || i < 2 && d.runs%2 == 0 { // now and then it is found unchanged
			v := RobotsVersion{Origin: host, FetchedAt: e.End, Status: 200}
			if v.Body = []byte("User-agent: *\nDisallow: /private\n"); read {
				v.Status, v.Hash, v.Body = 304, d.known[host], nil
			}
			e.Kind, e.URL, e.Status = Robots, host+"/robots.txt", v.Status
			versions = append(versions, v)
			d.known[host] = hashOf([]byte("User-agent: *\nDisallow: /private\n"))
		} else {
			e.RobotsHash = d.known[host]
		}
		if err := l.Append([]Entry{e}, versions); err != nil {
			d.t.Fatal(err)
		}
		d.sent++
		d.starts = append(d.starts, at)
	}
	if err := l.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// week is seven runs, of which the fourth and the sixth begin anew.
func (d *daily) week(t *testing.T) {
	t.Helper()
	d.t, d.dir = t, t.TempDir()
	for i := range 7 {
		d.run(i == 3 || i == 5)
	}
}

// quiet is a pruner of a machine that loses no power.
func quiet(dir string) pruner {
	return pruner{dir: dir, rename: os.Rename, remove: os.Remove, fsync: quickly}
}

// Whatever is put away when, nothing young goes, what remains is audited as before, and
// all is accounted for.
func TestPrune(t *testing.T) {
	root, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		d := daily{t: rt, dir: filepath.Join(root, fmt.Sprint(n)), limit: rapid.Int64Range(1500, 20_000).Draw(rt, "limit")}
		latest := time.Time{}
		for range rapid.IntRange(1, 5).Draw(rt, "runs") {
			d.run(rapid.Bool().Draw(rt, "anew"))
			if !rapid.Bool().Draw(rt, "prune") {
				continue
			}
			before := auditTest(rt, d.dir, Rules{})
			from := noon.Add(time.Duration(rapid.IntRange(-1, 24*d.runs).Draw(rt, "hours")) * time.Hour)
			if from.After(latest) {
				latest = from
			}
			p := quiet(d.dir)
			done, err := p.prune(context.Background(), from)
			if err != nil {
				rt.Fatal(err)
			}
			after := auditTest(rt, d.dir, Rules{})
			if after.Found != before.Found {
				rt.Fatalf("violations: %d before, %v after", before.Found, after.Violations)
			}
			gone, processes := int64(0), 0
			if after.Before != nil {
				gone, processes = after.Before.Requests, after.Before.Processes
			}
			if after.Requests+gone != int64(d.sent) || after.Processes+processes != d.runs {
				rt.Fatalf("%d of %d runs and %d of %d requests are accounted for", after.Processes+processes, d.runs, after.Requests+gone, d.sent)
			}
			if gone > 0 && (!d.starts[gone-1].Before(latest) || !after.First.After(d.starts[gone-1]) || !after.Before.Last.Before(after.First)) {
				rt.Fatalf("%d went, the last of %v, though all from %v on are to stay", gone, d.starts[gone-1], latest)
			}
			if l, err := list(d.dir); err != nil || len(l.gone) > 0 || done.Put > 0 && l.numbers[0] != done.Before.Through+1 {
				rt.Fatalf("%+v after %+v, %v", l, done, err)
			}
		}
	})
}

// What a ledger promises to hold it does hold: the beginning moves to where it can.
func TestPruneCutsWhereTheAccountCanBegin(t *testing.T) {
	var d daily
	d.limit = segmentSize
	d.week(t)
	p := quiet(d.dir)
	for day, want := range []int64{0, 0, 0, 60, 60, 100, 100, 100} {
		if _, err := p.prune(t.Context(), noon.AddDate(0, 0, day)); err != nil {
			t.Fatal(err)
		}
		r := auditTest(t, d.dir, Rules{})
		if gone := int64(d.sent) - r.Requests; gone != want || (want == 0) != (r.Before == nil) {
			t.Errorf("day %d: %d went, want %d", day, gone, want)
		}
	}
	r := auditTest(t, d.dir, Rules{})
	if b := r.Before; b.Violations != 0 || !b.First.Equal(d.starts[0]) || b.Last.Before(d.starts[99]) || len(b.Digest) != 64 || r.Run.Run != "r6" {
		t.Errorf("%+v", r.Before)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "the account is held from 2026-03-06T12:00:03.000000Z on") ||
		!strings.Contains(text.String(), "100 requests sent, 0 withheld, 0 violations, 5 processes") {
		t.Errorf("%s %v", &text, err)
	}
	recent, err := ReadRecent(t.Context(), d.dir, "https://a.example", 1000, 1<<30)
	if err != nil || recent.Whole || len(recent.Entries) != 20 {
		t.Errorf("%+v, %v", recent, err)
	}
}

// A violation that is put away is told of.
func TestPruneTellsOfViolations(t *testing.T) {
	var d daily
	d.limit = segmentSize
	d.t, d.dir = t, t.TempDir()
	d.run(false)
	info := testRun()
	info.Started = noon.AddDate(0, 0, 1)
	l := openTest(t, d.dir, info)
	appendTest(t, l, []Entry{{Start: info.Started.Add(time.Second), End: info.Started.Add(time.Second), Host: "https://b.example", URL: "https://b.example/", Status: 200, Concurrency: 1, Owed: time.Second}})
	closeTest(t, l)
	d.runs = 2
	d.run(true)
	found := auditTest(t, d.dir, Rules{}).Found
	if _, err := Prune(t.Context(), d.dir, noon.AddDate(0, 0, 9)); err != nil {
		t.Fatal(err)
	}
	if r := auditTest(t, d.dir, Rules{}); found == 0 || r.Found != 0 || r.Before.Violations != found {
		t.Errorf("%d violations were found, %d now, and it says %+v", found, r.Found, r.Before)
	}
}

// crash is a process that dies at one of its calls to the system, before it or after.
type crash struct {
	at, calls int
	after     bool
}

var errCrash = errors.New("the process dies here")

func (c *crash) call(do func() error) error {
	c.calls++
	if c.calls > c.at || c.calls == c.at && !c.after {
		return errCrash
	}
	if err := do(); err != nil {
		return err
	}
	if c.calls == c.at {
		return errCrash
	}
	return nil
}

// Who dies as it puts away leaves the ledger as it was or as it is to be, and is made up
// for. Whoever appends first does no harm.
func TestPruneKilledAnywhere(t *testing.T) {
	var d daily
	d.limit = 900 // many files
	d.week(t)
	whole := auditTest(t, d.dir, Rules{})
	from := noon.AddDate(0, 0, 9)
	original := t.TempDir()
	if err := os.CopyFS(original, os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	p := quiet(d.dir)
	if _, err := p.prune(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	want := auditTest(t, d.dir, Rules{})
	if want.Before == nil || want.Before.Through < 3 {
		t.Fatalf("too little went to try: %+v", want.Before)
	}
	for n, done := 1, false; !done; n++ {
		for _, after := range []bool{false, true} {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			c := crash{at: n, after: after}
			p := pruner{
				dir:    dir,
				rename: func(from, to string) error { return c.call(func() error { return os.Rename(from, to) }) },
				remove: func(file string) error { return c.call(func() error { return os.Remove(file) }) },
				fsync:  func(*os.File) error { return c.call(func() error { return nil }) },
			}
			_, err := p.prune(t.Context(), from)
			if done = err == nil; done {
				continue
			}
			if !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			r := auditTest(t, dir, Rules{})
			if r.Found > 0 || r.Requests != whole.Requests && (r.Requests != want.Requests || *r.Before != *want.Before) {
				t.Errorf("call %d, after it %v: %d requests, %d violations, %+v", n, after, r.Requests, r.Found, r.Before)
			}
			again := daily{t: t, dir: dir, limit: 900, runs: 7, known: d.known}
			again.run(n%2 == 0)
			q := quiet(dir)
			if _, err := q.prune(t.Context(), noon.AddDate(0, 0, 6)); err != nil {
				t.Fatal(err)
			}
			if r := auditTest(t, dir, Rules{}); r.Found > 0 || r.Before == nil || *r.Before != *want.Before || r.Requests != want.Requests+20 {
				t.Errorf("call %d, made up for: %d requests, %v, %+v, want %+v", n, r.Requests, r.Violations, r.Before, want.Before)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.head*")); len(left) != 1 {
				t.Errorf("call %d: %v", n, left)
			}
		}
	}
}

// midway is a context at whose nth look something happens.
type midway struct {
	context.Context
	n  int
	do func()
}

func (m *midway) Err() error {
	if m.n--; m.n == 0 {
		m.do()
	}
	return m.Context.Err()
}

// Who reads while the beginning is put away gets an account as a whole.
func TestPruneBesideReaders(t *testing.T) {
	for _, at := range []int{1, 3, 20, 70, 130} {
		var d daily
		d.limit = 900
		d.week(t)
		prune := func() {
			p := quiet(d.dir)
			if _, err := p.prune(t.Context(), noon.AddDate(0, 0, 9)); err != nil {
				t.Error(err)
			}
		}
		r, err := Audit(&midway{t.Context(), at, prune}, d.dir, Rules{})
		gone := int64(0)
		if err == nil && r.Before != nil {
			gone = r.Before.Requests
		}
		if err != nil || r.Found > 0 || r.Requests+gone != int64(d.sent) {
			t.Errorf("at %d: %+v, %v", at, r, err)
		}
	}
	var d daily
	d.limit = 900
	d.week(t)
	var got []string
	for e, err := range Read(d.dir) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, e.URL); len(got) == 10 {
			if _, err := Prune(t.Context(), d.dir, noon.AddDate(0, 0, 9)); err != nil {
				t.Fatal(err)
			}
		}
	}
	rest, err := readAll(d.dir)
	if err != nil || len(rest) != 40 || len(got) < 50 || got[len(got)-40] != rest[0].URL || got[len(got)-1] != rest[39].URL {
		t.Errorf("%d were read, %d are there, %v", len(got), len(rest), err)
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(got))); len(sorted) < len(got)-14 { // robots.txt is one URL
		t.Errorf("%d of %d were read once", len(sorted), len(got))
	}
}

// Damage is not put away, and a head that is damaged or says too much is found.
func TestPruneLeavesDamage(t *testing.T) {
	var d daily
	d.limit = segmentSize
	d.week(t)
	first := segmentFile(d.dir, 1)
	whole, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	broken := slices.Clone(whole)
	broken[len(broken)/2] ^= 1
	var corrupt *CorruptError
	for _, data := range [][]byte{broken, whole[:len(whole)-5]} {
		if err := os.WriteFile(first, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Prune(t.Context(), d.dir, noon.AddDate(0, 0, 9)); !errors.As(err, &corrupt) {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(d.dir, "*.head*")); len(left) > 0 {
			t.Error(left)
		}
	}
	if err := os.WriteFile(first, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Prune(ctx, d.dir, noon.AddDate(0, 0, 9)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	done, err := Prune(t.Context(), d.dir, noon.AddDate(0, 0, 9))
	if err != nil || done.Put != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	head := headFile(d.dir, 2)
	text, err := os.ReadFile(head)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what string) {
		t.Helper()
		for name, f := range map[string]func() error{
			"read":   func() error { _, err := readAll(d.dir); return err },
			"audit":  func() error { _, err := Audit(t.Context(), d.dir, Rules{}); return err },
			"open":   func() error { _, err := Open(d.dir, testRun()); return err },
			"sound":  func() error { return Sound(d.dir) },
			"prune":  func() error { _, err := Prune(t.Context(), d.dir, noon); return err },
			"recent": func() error { _, err := ReadRecent(t.Context(), d.dir, "", 1, 1); return err },
		} {
			if err := f(); !errors.As(err, &corrupt) {
				t.Errorf("%s, %s: %v", what, name, err)
			}
		}
	}
	for _, bad := range []string{"", "{}", strings.Replace(string(text), `"requests":1`, `"requests":2`, 1), "\x00\xff"} {
		if err := os.WriteFile(head, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		refuse(fmt.Sprintf("a head of %q", bad))
	}
	if err := errors.Join(os.WriteFile(head, text, 0o600), os.Remove(segmentFile(d.dir, 3))); err != nil {
		t.Fatal(err)
	}
	refuse("the first file is missing")
}

// A process that died as it began its file leaves one that the next goes on with.
func TestPruneAfterABeginningThatWasCut(t *testing.T) {
	var d daily
	d.limit = segmentSize
	d.t, d.dir = t, t.TempDir()
	d.run(false)
	d.run(true)
	data, err := os.ReadFile(segmentFile(d.dir, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 3, 8, 15, 60} {
		if err := os.WriteFile(segmentFile(d.dir, 2), data[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		crashed(t, d.dir)
		if done, err := Prune(t.Context(), d.dir, noon.AddDate(0, 0, 9)); err != nil || done.Put > 0 {
			t.Fatalf("%d octets: %+v, %v", size, done, err)
		}
		again := daily{t: t, dir: d.dir, limit: segmentSize, runs: 2}
		again.run(true)
		if r := auditTest(t, d.dir, Rules{}); r.Found > 0 || r.Requests != 40 || r.Processes != 2 {
			t.Fatalf("%d octets: %+v", size, r)
		}
	}
	if done, err := Prune(t.Context(), d.dir, noon.AddDate(0, 0, 9)); err != nil || done.Put != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
}

// What says what went before is read without trusting it.
func FuzzHeadFile(f *testing.F) {
	b := Before{Through: 7, Requests: 3, First: noon, Last: noon.Add(time.Hour), Digest: strings.Repeat("ab", 32)}
	text, err := json.Marshal(head{Before: b, Sum: b.sum()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"through":7,"sum":"00000000"}`))
	f.Add([]byte(`{"through":-1}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		file := headFile(dir, 7)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readHead(file)
		if err == nil && (got.Through != 7 || got.sum() == "") || err != nil && !errors.As(err, new(*CorruptError)) {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}
