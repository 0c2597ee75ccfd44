package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/monitor"
	"github.com/amblecrawl/amble/crawler/urls"
)

// hostile is what a site may put anywhere.
const hostile = `</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1"> '"{{.}}`

// world is a daemon with crawls, some of which have run and one of which runs.
type world struct {
	*Server
	daemon *daemon.Daemon
	board  *monitor.Board
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// newWorld makes three crawls: books, which runs until it is stopped, daily, whose
// runs fail, and quiet, which has never run.
func newWorld(t *testing.T, change func(*Options)) *world {
	t.Helper()
	file := filepath.Join(t.TempDir(), "history.db")
	h, err := history.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	w := &world{board: monitor.NewBoard(time.Now)}
	w.daemon = daemon.New(daemon.Options{History: h, Clock: realClock{}})
	if err := w.daemon.Set(t.Context(), []daemon.Crawl{
		{Name: "books", Run: w.runBooks},
		{Name: "daily", Run: func(context.Context, daemon.Occasion) daemon.Result {
			return daemon.Result{Status: history.Failed, Reason: "the disk said " + hostile, Summary: summaryWith(hostile), Detail: detailWith(hostile)}
		}},
		{Name: "quiet", Run: func(context.Context, daemon.Occasion) daemon.Result { return daemon.Result{Status: history.Finished} }},
	}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = w.daemon.Run(ctx) }()
	t.Cleanup(func() { stop(); <-over })
	opt := Options{
		Daemon: w.daemon, History: h, Board: w.board, Version: "test",
		Configs: func() []Config {
			return []Config{
				{Crawl: "books", File: "books.yaml", Alerts: 2}, {Crawl: "daily", File: "daily.yaml", Mistakes: "daily.yaml:1:1: " + hostile},
				{Crawl: "quiet", File: "quiet.yaml"}, {File: "broken.yaml", Mistakes: hostile},
			}
		},
		TryAlerts: func(_ context.Context, crawl string) ([]Sent, error) {
			if crawl == "quiet" {
				return nil, nil
			}
			return []Sent{{Alert: 0, To: "the webhook at hooks.example"}, {Alert: 1, To: hostile, Error: hostile}}, nil
		},
		Host: func(_ context.Context, crawl, host string) (*HostAccount, error) {
			if host != shop {
				return nil, ErrNoHost
			}
			return shopAccount(), nil
		},
		Lint: func(string) (Lint, error) {
			return Lint{Text: "seeds:\n  - " + hostile + "\n", Findings: []Finding{{Line: 2, Column: 5, Message: hostile}}}, nil
		},
	}
	if change != nil {
		change(&opt)
	}
	w.Server = New(opt)
	for _, name := range []string{"daily", "books"} {
		if err := w.daemon.Start(name); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "a run that goes on and one that ended", func() bool {
		l := w.live("books")
		return l != nil && l.Pages > 0 && stageOf(w.status("daily")).ended == 1
	})
	return w
}

func (w *world) status(name string) *daemon.Status {
	for _, s := range w.daemon.Status() {
		if s.Name == name {
			return &s
		}
	}
	return &daemon.Status{}
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after a minute still not: %s", what)
		}
	}
}

// onePage is a pipeline that finds what a site put there.
type onePage struct{}

func (onePage) Types() []crawler.RecordType { return nil }

func (onePage) Run(_ context.Context, p *crawler.Page, r *crawler.Result) error {
	r.Records = append(r.Records, crawler.Record{Type: "book", Fields: []crawler.Field{
		{Name: "title", Value: hostile}, {Name: hostile, Value: []any{"a", 2.5, nil}}, {Name: "long", Value: strings.Repeat("x", 1<<20)},
	}})
	return nil
}

// runBooks tells its monitor of pages until it is stopped.
func (w *world) runBooks(ctx context.Context, o daemon.Occasion) daemon.Result {
	m, end := w.board.Begin("books", func(text string) string { return strings.ReplaceAll(text, "hunter2hunter2", "${KEY}") })
	defer end()
	o.Named(fmt.Sprint("run-", o.Number))
	m.Attach(monitor.Sources{
		Queues: func(most int, _ time.Time) []monitor.Queue {
			return []monitor.Queue{
				{Host: shop, Queued: 1000, More: true, InFlight: 1, Why: "robots.txt Crawl-delay, line 2", ForS: 1.5, OwedS: 2, OwedBy: "robots.txt Crawl-delay, line 2"},
				{Host: hostile, Queued: 1, Why: hostile},
			}
		},
		Fills: func() []monitor.Fill {
			return []monitor.Fill{{Type: hostile, Records: 12, Rejected: 1, Fields: []monitor.FieldFill{{Name: hostile, Fill: 0.5}, {Name: "title", Fill: 1}}}}
		},
	})
	tell, p := m.Observer(), m.Peek(onePage{})
	page, _ := urls.Parse("http://books.example/?key=hunter2hunter2&q=" + "<script>")
	for n := int64(1); ; n++ {
		tell.Exchanged(crawler.Exchange{Bytes: 1000})
		tell.Settled(&crawler.Request{URL: page}, crawler.Outcome{Class: crawler.ClassHTTP4xx, Status: 404, Detail: hostile}, 0)
		_ = p.Run(ctx, &crawler.Page{URL: page}, &crawler.Result{})
		tell.Committed(crawler.Totals{
			Pages: 1234 + n, Requests: 1240 + n, Bytes: 5 << 20, Failed: 1, Records: map[string]int64{"book": n, hostile: 1},
			Errors:  map[crawler.Class]int64{crawler.ClassHTTP4xx: 1},
			Revisit: crawler.RevisitTotals{New: 20, Changed: 7, Unchanged: 1200 + n, Gone: 1},
		}, crawler.FrontierStats{Queued: 77, Hosts: 3, Waiting: 2})
		select {
		case <-ctx.Done():
			return daemon.Result{Status: history.Stopped, Summary: summaryWith("book")}
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func summaryWith(name string) json.RawMessage {
	data, _ := json.Marshal(map[string]any{
		"pages": 1234, "requests": 1300, "bytes": 5 << 20, "duration_s": 61.5, "records": map[string]int{name: 99}, "outputs": []string{name},
		"errors":  map[string]int{"http_4xx": 3},
		"profile": map[string]any{name: map[string]any{"fields": map[string]any{"title" + name: map[string]any{"filled": 98, "fill": 0.99}}}},
		"revisit": crawler.Revisited{Writes: "changes", RevisitTotals: crawler.RevisitTotals{New: 12, Changed: 3, Unchanged: 1200, NotDue: 41, Gone: 2, RecordsNew: 15}},
		"drift":   map[string]any{"findings": []any{map[string]any{"type": name, "field": "price", "message": name}}},
	})
	return data
}

// shop is a host that the crawls know.
const shop = "http://books.example"

// shopAccount is of a host that says hostile things, too.
func shopAccount() *HostAccount {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := &HostAccount{Host: shop, From: at, Robots: []HostRobots{{At: at, Status: 200, Hash: "0123abcd"}}}
	for i := range 150 {
		q := HostRequest{At: at.Add(time.Duration(i) * time.Second), URL: shop + "/" + fmt.Sprint(i), Kind: "page", Status: 200, Bytes: 1000, TookS: 0.1, OwedS: 1, OwedBy: "config delay", PaidS: 1 + float64(i%9)/10}
		switch {
		case i%40 == 7:
			q.Status, q.RetryAfterS, q.Class = 429, 30, "http_4xx"
		case i%40 == 8:
			q.PaidS = 30
		case i%40 == 20:
			q = HostRequest{At: q.At, URL: shop + "/" + hostile, Kind: "page", Withheld: true, Reason: "robots.txt line 3: Disallow: /" + hostile}
		}
		a.Requests = append(a.Requests, q)
	}
	return a
}

func detailWith(name string) json.RawMessage {
	hosts := monitor.NewHosts()
	for i := range 3 {
		for range 3 - i {
			hosts.Add(&crawler.Entry{Host: shop + ":8" + fmt.Sprint(i), Kind: "page", Status: 200, Owed: time.Second, Paid: 2 * time.Second, Bytes: 500, RetryAfter: time.Duration(i) * time.Minute})
		}
	}
	hosts.Add(&crawler.Entry{Host: name, Withheld: true})
	data, _ := json.Marshal(runDetail{hosts.List(), map[string][]monitor.Preview{name: {
		{URL: name, Fields: []monitor.PreviewField{{Name: "title", Value: "The first"}, {Name: name, Value: name}}},
		{URL: shop, Fields: []monitor.PreviewField{{Name: "price", Value: "3.50"}, {Name: "title", Value: strings.Repeat("Long ", 40)}}},
	}}})
	return data
}

// ask sends a request as a program on this machine would; head is "Name: value".
func (w *world) ask(method, path string, head ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:7733"+path, nil)
	for _, h := range head {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

func expect(t *testing.T, what string, rec *httptest.ResponseRecorder, want int) {
	t.Helper()
	if rec.Code != want {
		t.Errorf("%s: status %d, want %d: %s", what, rec.Code, want, clip(rec.Body.String(), 300))
	}
}

var _ http.Handler = (*Server)(nil)
