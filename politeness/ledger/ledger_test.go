package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/politeness/robots"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testRun() RunInfo {
	return RunInfo{
		Run: "r1", Crawl: "bookshop", Agent: "bookbot", Contact: "https://me.example/bot", Started: noon,
		Policy: Policy{Delay: time.Second, Concurrency: 1, MaxCrawlDelay: time.Minute, MaxRetryAfter: time.Hour},
	}
}

// quickly stands for fsync: tests lose no power.
func quickly(*os.File) error { return nil }

func openTest(t testing.TB, dir string, run RunInfo) *Ledger {
	t.Helper()
	l, err := open(dir, run, segmentSize, quickly)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func appendTest(t testing.TB, l *Ledger, entries []Entry, versions ...RobotsVersion) {
	t.Helper()
	if err := l.Append(entries, versions); err != nil {
		t.Fatal(err)
	}
}

func closeTest(t testing.TB, l *Ledger) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func readAll(dir string) (out []Entry, err error) {
	for e, err := range Read(dir) {
		if err != nil {
			return out, err
		}
		out = append(out, e)
	}
	return out, nil
}

// sample is an entry like those of a crawl of 50 hosts.
func sample(i int) Entry {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	micros := func(from, to int) time.Duration { return time.Duration(from+r.IntN(to-from)) * time.Microsecond }
	start := noon.Add(time.Duration(i)*20*time.Millisecond + micros(0, 20_000))
	answered := start.Add(micros(15_000, 250_000))
	end := answered.Add(micros(50, 9_000))
	host := fmt.Sprintf("https://shop%d.example", r.IntN(50))
	words := []string{"a-light-in-the-attic", "soumission", "tipping-the-velvet", "sharp-objects", "the-requiem-red", "olio", "rip-it-up"}
	return Entry{
		Start: start, Answered: answered, End: end, Booked: end.Add(micros(20, 900)), Decided: start.Add(-micros(10, 200)),
		Host: host, URL: fmt.Sprintf("%s/catalogue/%s_%d/index.html", host, words[r.IntN(len(words))], r.IntN(10_000)),
		RobotsHash: hashOf([]byte(host)), Line: len(host) % 5, Owed: time.Second, By: "config delay",
		Paid: time.Second + micros(0, 400_000), Status: 200, Class: "ok", Bytes: int64(4000 + r.IntN(40_000)), Concurrency: 1, Attempt: 1,
	}
}

func drawTime(t *rapid.T, label string) time.Time {
	if rapid.IntRange(0, 9).Draw(t, label+" zero") == 0 {
		return time.Time{}
	}
	return noon.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, label)) * time.Microsecond)
}

func drawEntry(t *rapid.T) Entry {
	word := rapid.SampledFrom([]string{"", "x", "config delay", "robots.txt line 3: Disallow: /", "\x00\xff<b>"})
	host := rapid.SampledFrom([]string{"https://a.example", "http://b.example:81", "", "odd"}).Draw(t, "host")
	url := rapid.SampledFrom([]string{"", host, "http://else.example/"}).Draw(t, "prefix") + rapid.StringN(0, 40, 60).Draw(t, "path")
	e := Entry{
		Start: noon.Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "start")) * time.Microsecond),
		End:   drawTime(t, "end"), Decided: drawTime(t, "decided"),
		Host: host, Group: word.Draw(t, "group"), URL: withoutCredentials(url), Kind: Kind(rapid.IntRange(0, 3).Draw(t, "kind")),
		Withheld: rapid.Bool().Draw(t, "withheld"), Reason: word.Draw(t, "reason"), By: word.Draw(t, "by"), Class: word.Draw(t, "class"),
		Line:   rapid.IntRange(-1, 70_000).Draw(t, "line"),
		Owed:   time.Duration(rapid.Int64Range(-1e9, 1e12).Draw(t, "owed")) * time.Microsecond,
		Method: rapid.SampledFrom([]string{"", "POST", "QUERY"}).Draw(t, "method"), Call: rapid.Uint64().Draw(t, "call"),
		Concurrency: rapid.IntRange(0, 99).Draw(t, "concurrency"), Attempt: rapid.IntRange(0, 9).Draw(t, "attempt"),
	}
	if rapid.Bool().Draw(t, "robots") {
		e.RobotsHash[rapid.IntRange(0, 15).Draw(t, "at")] = 7
	}
	if !e.Withheld {
		e.Paid = time.Duration(rapid.Int64Range(-1e9, 1e12).Draw(t, "paid")) * time.Microsecond
		e.RetryAfter = time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "retry")) * time.Microsecond
		e.Status = rapid.IntRange(0, 999).Draw(t, "status")
		e.Bytes = rapid.Int64().Draw(t, "bytes")
		e.Answered, e.Booked = drawTime(t, "answered"), drawTime(t, "booked")
		e.Failed = rapid.Bool().Draw(t, "failed")
	}
	e.tidy()
	return e
}

// What is appended is read again, over frames, segments and processes.
func TestRoundTrip(t *testing.T) {
	root := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		dir := filepath.Join(root, fmt.Sprint(n))
		var want []Entry
		limit := rapid.Int64Range(200, 4000).Draw(rt, "limit")
		for range rapid.IntRange(1, 4).Draw(rt, "processes") {
			l, err := open(dir, testRun(), limit, quickly)
			if err != nil {
				rt.Fatal(err)
			}
			for range rapid.IntRange(0, 5).Draw(rt, "batches") {
				batch := rapid.SliceOfN(rapid.Custom(drawEntry), 0, 20).Draw(rt, "batch")
				if err := l.Append(batch, []RobotsVersion{{Origin: "https://a.example", FetchedAt: noon, Body: []byte("x")}}); err != nil {
					rt.Fatal(err)
				}
				want = append(want, batch...)
			}
			if err := l.Close(); err != nil {
				rt.Fatal(err)
			}
		}
		got, err := readAll(dir)
		if err != nil {
			rt.Fatal(err)
		}
		if len(got) != len(want) {
			rt.Fatalf("%d entries, want %d", len(got), len(want))
		}
		for i := range want {
			if !reflect.DeepEqual(got[i], want[i]) {
				rt.Fatalf("entry %d:\n%+v\nwant\n%+v", i, got[i], want[i])
			}
		}
		_ = os.RemoveAll(dir)
	})
}

func TestLargeBatchesAreSplit(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	var want []Entry
	for i := range 2*maxEntries + 5 {
		e := sample(i)
		e.Reason = fmt.Sprint("reason ", i) // fills the table of strings
		want = append(want, e)
	}
	for i := range 40 {
		e := sample(i)
		e.URL += "?" + strings.Repeat("x", 60_000)
		want = append(want, e)
	}
	var versions []RobotsVersion
	for i := range 5 {
		versions = append(versions, RobotsVersion{Origin: "https://a.example", FetchedAt: noon, Body: bytes.Repeat([]byte{byte(i)}, robots.MaxSize+9)})
	}
	for range 5 {
		appendTest(t, l, want, versions...)
	}
	closeTest(t, l)
	got, err := readAll(dir)
	if err != nil || len(got) != 5*len(want) {
		t.Fatalf("%d entries, want %d: %v", len(got), 5*len(want), err)
	}
	for i := range got {
		if got[i].URL != want[i%len(want)].URL || got[i].Reason != want[i%len(want)].Reason {
			t.Fatalf("entry %d is %v", i, got[i])
		}
	}
	bodies := 0
	for f := range scan(dir) {
		for _, v := range f.versions {
			if v.held {
				bodies++
				if v.Hash != robots.Parse(v.Body, robots.RFC).Hash() {
					t.Error("the hash is not that of the robots package")
				}
			}
		}
	}
	if bodies != 5 {
		t.Errorf("%d bodies stored, want each once", bodies)
	}
}

func TestCredentialsAreNotKept(t *testing.T) {
	for url, want := range map[string]string{
		"https://u:p@a.example/x":     "https://a.example/x",
		"https://u@p@a.example":       "https://a.example",
		"https://a.example/x@y":       "https://a.example/x@y",
		"https://a.example?q=u:p@b":   "https://a.example?q=u:p@b",
		"https://a.example#u@b":       "https://a.example#u@b",
		"mailto:u@a.example":          "mailto:u@a.example",
		`https://u:p@a.example\@evil`: `https://a.example\@evil`,
	} {
		if got := withoutCredentials(url); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	appendTest(t, l, []Entry{{Start: noon, Host: "https://a.example", URL: "https://u:secret@a.example/"}})
	closeTest(t, l)
	got, err := readAll(dir)
	if err != nil || got[0].URL != "https://a.example/" {
		t.Errorf("%v %v", got, err)
	}
}

// The monotonic clock counts, whatever the wall clock was set to.
func TestMonotonicTimes(t *testing.T) {
	run := testRun()
	run.Started = time.Now()
	dir := t.TempDir()
	l := openTest(t, dir, run)
	start := time.Now().Add(3 * time.Second)
	appendTest(t, l, []Entry{{Start: start, Host: "https://a.example", URL: "https://a.example/"}})
	closeTest(t, l)
	got, err := readAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	base := run.Started.Truncate(Precision)
	if gap, want := got[0].Start.Sub(base), start.Sub(run.Started); gap < want-Precision || gap > want+Precision {
		t.Errorf("%v after the start, want %v", gap, want)
	}
}

func TestFilesAreTheOwners(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	l := openTest(t, dir, testRun())
	defer closeTest(t, l)
	for path, want := range map[string]os.FileMode{dir: 0o700, l.Opened.Segment: 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
}

func TestClosed(t *testing.T) {
	l := openTest(t, t.TempDir(), testRun())
	closeTest(t, l)
	closeTest(t, l)
	if err := l.Append([]Entry{sample(1)}, nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := l.Sync(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := Open(t.TempDir(), RunInfo{}); err == nil {
		t.Error("opened without a start")
	}
}

// A write that fails leaves nothing behind, and the next one is whole.
func TestFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	appendTest(t, l, []Entry{sample(1)})
	good := l.file
	broken, err := os.Open(good.Name()) // cannot be written to
	if err != nil {
		t.Fatal(err)
	}
	l.file = broken
	if err := l.Append([]Entry{sample(2)}, []RobotsVersion{{Origin: "https://a.example", FetchedAt: noon, Body: []byte("b")}}); err == nil {
		t.Fatal("written to a file that is read only")
	}
	l.file, l.failed = good, nil
	if err := broken.Close(); err != nil {
		t.Fatal(err)
	}
	appendTest(t, l, []Entry{sample(3)}, RobotsVersion{Origin: "https://a.example", FetchedAt: noon, Body: []byte("b")})
	closeTest(t, l)
	got, err := readAll(dir)
	if err != nil || len(got) != 2 || got[1].URL != sample(3).URL || got[1].Class != "ok" {
		t.Errorf("%v %v", got, err)
	}
	for f := range scan(dir) {
		for _, v := range f.versions {
			if !v.held {
				t.Error("the body of the failed write counts as written")
			}
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 64, 512} {
		b.Run(fmt.Sprint(n, " entries a batch"), func(b *testing.B) {
			l, err := Open(b.TempDir(), testRun())
			if err != nil {
				b.Fatal(err)
			}
			batch := make([]Entry, n)
			i, written := 0, int64(0)
			before := l.size
			for b.Loop() {
				for j := range batch {
					batch[j] = sample(i)
					i++
				}
				number := l.number
				if err := l.Append(batch, nil); err != nil {
					b.Fatal(err)
				}
				if l.number != number {
					before = 0
				}
				written += l.size - before
				before = l.size
			}
			b.ReportMetric(float64(written)/float64(i), "B/entry")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(i), "ns/entry")
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
