package ledger

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write testdata anew")

// story is a ledger with a bit of everything, and what a hostile site may put
// into one.
func story(t *testing.T) *Report {
	t.Helper()
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	text := []byte("User-agent: bookbot\nDisallow: /private/\nCrawl-delay: 2\n")
	fetch := plain(0, "/robots.txt")
	fetch.Kind, fetch.RobotsHash = Robots, [16]byte{}
	entries := []Entry{fetch}
	for i, at := range []time.Duration{3 * time.Second, 5250 * time.Millisecond, 70 * time.Minute} {
		e := plain(at, "/page"+strings.Repeat("x", i))
		e.RobotsHash, e.Owed, e.By, e.Bytes = hashOf(text), 2*time.Second, "robots.txt Crawl-delay, line 3", 9000
		entries = append(entries, e)
	}
	entries[2].Status, entries[2].RetryAfter = 429, 2*time.Minute
	early := entries[3]
	early.Start, early.End = entries[2].End.Add(time.Second), entries[2].End.Add(2*time.Second)
	early.URL = "https://a.example/<script>alert(1)</script>\"'\n\u202e"
	hidden := plain(3*time.Second, "/private/</td><img src=x>")
	hidden.Withheld, hidden.Reason, hidden.RobotsHash, hidden.Line = true, "robots.txt line 2: Disallow: /private/\x1b[31m", hashOf(text), 2
	odd := plain(time.Second, "")
	odd.Host, odd.URL, odd.Withheld, odd.Reason = "http://b.example", "http://b.example/x", true, "robots.txt unreachable: status 503"
	odd.RobotsHash = [16]byte{}
	appendTest(t, l, append(entries, early, hidden, odd), RobotsVersion{Origin: "https://a.example", FetchedAt: noon.Add(time.Millisecond), Status: 200, Body: text})
	closeTest(t, l)
	return auditTest(t, dir, Rules{Trace: "a.example"})
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

func TestTextReport(t *testing.T) {
	r := story(t)
	r.Torn = "ledger: torn tail: 000001.ledger at offset 99"
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", out.Bytes())
	if strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Error("the report is not printable")
	}
}

func TestPageForAWebmaster(t *testing.T) {
	r := story(t)
	var out bytes.Buffer
	if err := r.WriteHTML(&out, "a.example"); err != nil {
		t.Fatal(err)
	}
	golden(t, "page.html", out.Bytes())
	doc, err := html.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		switch n.Data {
		case "script", "img", "a", "link", "iframe":
			if n.Type == html.ElementNode {
				t.Errorf("the page holds a %s", n.Data)
			}
		}
		if strings.ContainsAny(n.Data, "\x1b\u202e") {
			t.Errorf("not printable: %q", n.Data)
		}
	}
	if err := r.WriteHTML(&out, "c.example"); !errors.Is(err, ErrNoHost) {
		t.Error(err)
	}
	var write failing
	if err := r.WriteHTML(write, "https://a.example"); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if err := r.WriteText(write); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestReportIsBounded(t *testing.T) {
	a := &auditor{report: &Report{}, hosts: map[string]*hostAudit{}, rules: Rules{Trace: "https://a.example"}}
	h := a.host("https://a.example")
	for i := range 20_000 {
		e := plain(time.Duration(i)*time.Hour, "/")
		e.Withheld, e.Reason = i%2 == 0, strings.Repeat("x", i%99)
		a.count(h, &e)
		a.found(h, &e, TooSoon, "x")
		h.note(&version{RobotsVersion: RobotsVersion{Status: i}})
	}
	r := a.report
	if len(r.Violations) > maxViolations || len(r.Trace) > maxTraced || len(h.Hours) > maxHours || len(h.Reasons) > maxReasons || len(h.Versions) > maxVersions {
		t.Error("a list grew beyond its bound")
	}
	var n int64
	for _, hour := range h.Hours {
		n += hour.Requests + hour.Withheld
	}
	for _, c := range h.Reasons {
		n += c.N
	}
	if r.Found != 20_000 || n != 30_000 || h.ReadRobots != 20_000 {
		t.Errorf("%d found, %d counted", r.Found, n)
	}
}
