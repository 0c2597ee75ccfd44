package extractors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// plugin is an extractor made of a function.
type plugin struct {
	extract func(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error
	noTree  bool
	fields  []string
}

func (x plugin) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	return x.extract(ctx, p, e)
}
func (x plugin) NeedsTree() bool      { return !x.noTree }
func (x plugin) FieldNames() []string { return x.fields }

// emits emits n records.
func emits(n int) plugin {
	return plugin{noTree: true, extract: func(_ context.Context, _ *crawler.Page, e *crawler.Emitter) error {
		for i := range n {
			e.Record(crawler.Field{Name: "n", Value: int64(i)})
		}
		return nil
	}}
}

func readsTree(t *testing.T) plugin {
	return plugin{extract: func(_ context.Context, p *crawler.Page, e *crawler.Emitter) error {
		if _, err := p.Document(); err != nil {
			return err
		}
		e.Record(crawler.Field{Name: "tree", Value: true})
		return nil
	}}
}

func run(t testing.TB, pl *Pipeline, p *crawler.Page) (*crawler.Result, error) {
	t.Helper()
	r := &crawler.Result{}
	return r, pl.Run(context.Background(), p, r)
}

func TestParsesOnlyWhenNeeded(t *testing.T) {
	only := func(path string) func(urls.URL) bool { return func(u urls.URL) bool { return u.Path() == path } }
	for _, tt := range []struct {
		name   string
		opt    Options
		parsed bool
	}{
		{"links only", Options{}, false},
		{"a rule that does not match", Options{Rules: []Rule{{Type: "a", Match: only("/other"), Extractor: readsTree(t)}}}, false},
		{"a rule without a tree", Options{Rules: []Rule{{Type: "a", Extractor: emits(1)}}}, false},
		{"a rule that matches", Options{Rules: []Rule{{Type: "a", Match: only("/p"), Extractor: readsTree(t)}}}, true},
		{"links of another kind", Options{Links: []LinkRule{{CSS: "link[rel=next]"}}}, true},
		{"the default links, spelled out", Options{Links: []LinkRule{{CSS: "a[href], area[href]", Attr: "href"}}}, false},
		{"nothing to do", Options{NoLinks: true}, false},
	} {
		p := page(t, "http://h.example/p", "<a href=/x>x</a><link rel=next href=/x>")
		r, err := run(t, pipeline(t, tt.opt), p)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if p.Parsed() != tt.parsed {
			t.Errorf("%s: parsed %v, want %v", tt.name, p.Parsed(), tt.parsed)
		}
		if want := min(1, 1-len(r.Links)); !tt.opt.NoLinks && want != 0 {
			t.Errorf("%s: links %v", tt.name, shown(r.Links))
		}
	}
}

func TestLinkRules(t *testing.T) {
	pl := pipeline(t, Options{Links: []LinkRule{{CSS: "a.next"}, {CSS: "img", Attr: "src"}}})
	r, err := run(t, pl, page(t, "http://h.example/p", `<a href=/no><a class=next href=/yes rel=ugc><img src=/i.png><template><img src=/t.png></template>`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := shown(r.Links), []string{"http://h.example/yes nofollow", "http://h.example/i.png"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = New(Options{Links: []LinkRule{{CSS: "a"}, {CSS: "a["}}})
	var c *crawler.ConfigError
	if !errors.As(err, &c) || strings.Join(c.Path, ".") != "links.1.css" {
		t.Errorf("a bad selector gave %v", err)
	}
}

func TestPagesThatAreNotHTML(t *testing.T) {
	p := page(t, "http://h.example/p", "<a href=/x>")
	p.Response.MediaType = "application/json"
	pl := pipeline(t, Options{Rules: []Rule{{Type: "tree", Extractor: readsTree(t)}, {Type: "bytes", Extractor: emits(1)}}})
	r, err := run(t, pl, p)
	if err != nil || len(r.Records) != 1 || r.Records[0].Type != "bytes" || len(r.Links) != 0 || p.Parsed() {
		t.Errorf("got %v, %v, %v, parsed %v", r.Records, r.Links, err, p.Parsed())
	}
}

func TestNestedTooDeep(t *testing.T) {
	p := page(t, "http://h.example/p", strings.Repeat("<div>", 100_000)+"<a href=/x>")
	pl := pipeline(t, Options{Rules: []Rule{{Type: "tree", Extractor: readsTree(t)}}})
	r, err := run(t, pl, p)
	if err != nil || len(r.Links) != 1 || len(r.Records) != 0 || len(r.Errors) != 1 || r.Errors[0].Type != "tree" {
		t.Errorf("got %v, %v, %v, %v", r.Records, shown(r.Links), r.Errors, err)
	}
}

func TestErrorCostsItsOwnRecords(t *testing.T) {
	broken := errors.New("broken")
	fails := plugin{extract: func(_ context.Context, _ *crawler.Page, e *crawler.Emitter) error {
		e.Record(crawler.Field{Name: "half", Value: true})
		e.Link(crawler.Link{URL: mustURL(t, "http://h.example/half")})
		return broken
	}}
	pl := pipeline(t, Options{Rules: []Rule{{Type: "a", Extractor: emits(1)}, {Type: "b", Extractor: fails}, {Type: "c", Extractor: emits(1)}}})
	r, err := run(t, pl, page(t, "http://h.example/p", ""))
	if err != nil || len(r.Records) != 2 || r.Records[0].Type != "a" || r.Records[1].Type != "c" || len(r.Links) != 0 {
		t.Errorf("got %v, %v, %v", r.Records, r.Links, err)
	}
	if len(r.Errors) != 1 || r.Errors[0].Type != "b" || r.Errors[0].Field != "" || !errors.Is(r.Errors[0].Err, broken) {
		t.Errorf("reported as %v", r.Errors)
	}
}

func TestPanicCostsThePage(t *testing.T) {
	var log bytes.Buffer
	panics := plugin{extract: func(context.Context, *crawler.Page, *crawler.Emitter) error { panic("oh no") }}
	pl := pipeline(t, Options{
		Log: slog.New(slog.NewTextHandler(&log, nil)),
		Rules: []Rule{
			{Type: "a", Extractor: emits(1)},
			{Type: "b", Match: func(u urls.URL) bool { return u.Path() == "/bad" }, Extractor: panics},
		},
	})
	r, err := run(t, pl, page(t, "http://u:secret@h.example/bad", "<a href=/x>"))
	if err == nil || !strings.Contains(err.Error(), `extractor of "b" panicked: oh no`) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got the error %v", err)
	}
	if len(r.Records) != 0 || len(r.Links) != 1 {
		t.Errorf("the page left %v, %v", r.Records, r.Links)
	}
	if !strings.Contains(log.String(), "pipeline_test.go") || strings.Contains(log.String(), "secret") {
		t.Errorf("no stack, or a secret, in the log: %s", log.String())
	}
	if r, err := run(t, pl, page(t, "http://h.example/good", "")); err != nil || len(r.Records) != 1 {
		t.Errorf("the next page gave %v, %v", r.Records, err)
	}
	match := pipeline(t, Options{Rules: []Rule{{Type: "a", Match: func(urls.URL) bool { panic("no match") }, Extractor: emits(1)}}})
	if _, err := run(t, match, page(t, "http://h.example/", "")); err == nil {
		t.Error("a panic of a match was lost")
	}
}

func TestTimeBound(t *testing.T) {
	waits := plugin{noTree: true, extract: func(ctx context.Context, _ *crawler.Page, _ *crawler.Emitter) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	after := 0
	counts := plugin{noTree: true, extract: func(context.Context, *crawler.Page, *crawler.Emitter) error { after++; return nil }}
	pl := pipeline(t, Options{Timeout: time.Millisecond, Rules: []Rule{{Type: "a", Extractor: waits}, {Type: "b", Extractor: counts}}})
	if _, err := run(t, pl, page(t, "http://h.example/p", "")); err == nil || !strings.Contains(err.Error(), "took longer than 1ms") || after != 0 {
		t.Errorf("got %v, and %d extractors ran after the deadline", err, after)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := pl.Run(ctx, page(t, "http://h.example/p", ""), &crawler.Result{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped run gave %v", err)
	}
}

func TestBoundsOfAPage(t *testing.T) {
	var body strings.Builder
	for i := range 6 {
		fmt.Fprintf(&body, "<a href=/%d>", i)
	}
	pl := pipeline(t, Options{MaxRecords: 3, MaxLinks: 5, Rules: []Rule{{Type: "a", Extractor: emits(4)}}})
	r, err := run(t, pl, page(t, "http://h.example/p", body.String()))
	if err != nil || len(r.Records) != 3 || len(r.Links) != 5 || len(r.Errors) != 2 {
		t.Fatalf("got %d records, %d links, %v, %v", len(r.Records), len(r.Links), r.Errors, err)
	}
	if a, b := r.Errors[0].Place(), r.Errors[1].Place(); a != "links" && b != "links" || a != "a" && b != "a" {
		t.Errorf("the cuts are said to be in %q and %q", a, b)
	}
}

func TestProvenance(t *testing.T) {
	opt := Options{Rules: []Rule{{Type: "a", Extractor: emits(2)}, {Type: "b", Extractor: emits(1)}}}
	result := func() []crawler.Record {
		p := page(t, "http://h.example/p", "")
		p.Request.Requested = "http://h.example/old"
		r, err := run(t, pipeline(t, opt), p)
		if err != nil {
			t.Fatal(err)
		}
		return r.Records
	}
	records, again := result(), result()
	keys := map[string]bool{}
	for i, rec := range records {
		keys[rec.Key] = true
		if rec.URL != "http://h.example/p" || rec.Requested != "http://h.example/old" || rec.FetchedAt.IsZero() || rec.Run != "" {
			t.Errorf("record %d: %+v", i, rec)
		}
		if rec.Key != again[i].Key {
			t.Errorf("record %d has another key in another run", i)
		}
	}
	p := page(t, "http://h.example/p", "")
	if want := crawler.RecordKey("a", p.Request.Key, 1); len(keys) != 3 || records[1].Key != want {
		t.Errorf("keys %v, the second should be %s", keys, want)
	}
}

func TestSitemapRequests(t *testing.T) {
	reads := plugin{noTree: true, extract: func(_ context.Context, p *crawler.Page, e *crawler.Emitter) error {
		for range 3 {
			e.Link(crawler.Link{URL: p.URL})
		}
		return errors.New("cut off")
	}}
	opt := Options{MaxLinks: 2, Sitemap: reads, Rules: []Rule{{Type: "a", Extractor: emits(1)}}}
	p := page(t, "http://h.example/s.xml", "<a href=/x>")
	p.Request.Kind = crawler.KindSitemap
	r, err := run(t, pipeline(t, opt), p)
	if err != nil || len(r.Records) != 0 || len(r.Links) != 3 || len(r.Errors) != 1 {
		t.Errorf("got %v, %v, %v, %v", r.Records, shown(r.Links), r.Errors, err)
	}
	opt.Sitemap = nil
	if r, err := run(t, pipeline(t, opt), p); err != nil || len(r.Records)+len(r.Links) != 0 {
		t.Errorf("without a reader: got %v, %v, %v", r.Records, r.Links, err)
	}
}

func TestTypes(t *testing.T) {
	known := func(fields ...string) plugin { return plugin{fields: fields} }
	pl := pipeline(t, Options{Rules: []Rule{
		{Type: "a", Extractor: known("x", "y")}, {Type: "b", Extractor: known()}, {Type: "a", Extractor: known("y", "z")},
	}})
	if got, want := fmt.Sprint(pl.Types()), "[{a [x y z]} {b []}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, r := range []Rule{{Extractor: emits(1)}, {Type: "a"}} {
		if _, err := New(Options{Rules: []Rule{r}}); err == nil {
			t.Errorf("the rule %+v was accepted", r)
		}
	}
}

func TestConcurrentPages(t *testing.T) {
	pl := pipeline(t, Options{Rules: []Rule{{Type: "a", Extractor: readsTree(t)}}})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 25 {
				body := strings.Repeat(fmt.Sprintf("<a href=/%d/%d>", g, i), 3)
				r, err := run(t, pl, page(t, "http://h.example/p", body))
				if want := fmt.Sprintf("http://h.example/%d/%d", g, i); err != nil || len(r.Links) != 1 || r.Links[0].URL.String() != want {
					t.Errorf("got %v, %v, want %s", shown(r.Links), err, want)
				}
			}
		})
	}
	wg.Wait()
}
