package feeds

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// pageOf is a page with this body at https://s.example/blog/feed.xml.
func pageOf(t testing.TB, body, charset string) *crawler.Page {
	t.Helper()
	u, err := urls.Parse("https://s.example/blog/feed.xml")
	if err != nil {
		t.Fatal(err)
	}
	return crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{Body: []byte(body), Charset: charset})
}

func extractWith(t testing.TB, x crawler.Extractor, body string) *crawler.Result {
	t.Helper()
	p := pageOf(t, body, "utf-8")
	r := &crawler.Result{}
	if err := x.Extract(context.Background(), p, crawler.NewEmitter("entry", p, r)); err != nil {
		t.Fatal(err)
	}
	return r
}

// object is a record's fields as JSON would show them.
func object(fields []crawler.Field) map[string]any {
	out := make(map[string]any, len(fields))
	for _, f := range fields {
		out[f.Name] = plain(f.Value)
	}
	return out
}

func plain(v any) any {
	switch v := v.(type) {
	case []crawler.Field:
		return object(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	}
	return v
}

// The files of testdata give the records beside them; UPDATE_GOLDEN=1 writes
// these anew.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*ml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	more, _ := filepath.Glob("testdata/*feed.json")
	for _, file := range append(files, more...) {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var x crawler.Extractor = &Feed{Content: "html", Follow: true}
		if strings.HasPrefix(filepath.Base(file), "sitemap") {
			x = &SitemapRecords{}
		}
		r := extractWith(t, x, string(body))
		var out strings.Builder
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		for _, rec := range r.Records {
			if err := enc.Encode(object(rec.Fields)); err != nil {
				t.Fatal(err)
			}
		}
		for _, l := range r.Links {
			fmt.Fprintf(&out, "link %s\n", l.URL)
		}
		for _, e := range r.Errors {
			fmt.Fprintf(&out, "error %v\n", &e)
		}
		golden := file + ".golden"
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if out.String() != string(want) {
			t.Errorf("%s gives\n%s\nwant\n%s", file, out.String(), want)
		}
	}
}

// Pages that are no feed give nothing; no page gives an error that costs others.
func TestNoFeed(t *testing.T) {
	for _, body := range []string{"", "hello", "<html><body><p>x", `{"a": 1}`, "[]", strings.Repeat("<!-- -->", 4000)} {
		for _, x := range []crawler.Extractor{&Feed{}, &SitemapRecords{}} {
			if r := extractWith(t, x, body); len(r.Records)+len(r.Errors) != 0 {
				t.Errorf("%T of %.20q: %d records, %v", x, body, len(r.Records), r.Errors)
			}
		}
	}
}

// A feed in the middle of which something is broken keeps its other entries.
func TestSalvage(t *testing.T) {
	const feed = `<rss version="2.0"><channel><title>T</title>
<item><title>one</title></item>
<item><title>two</titel></chan></item>
<item><title>three</title></item>
<item><title>cut`
	r := extractWith(t, &Feed{}, feed)
	if len(r.Records) != 3 || r.Records[0].Fields[0].Value != "one" || r.Records[2].Fields[0].Value != "three" {
		t.Errorf("records: %+v", r.Records)
	}
	if len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Err.Error(), "1 of its entries could not be read") {
		t.Errorf("errors: %v", r.Errors)
	}
}

func TestMaxEntries(t *testing.T) {
	body := "<rss version='2.0'><channel>" + strings.Repeat("<item><title>x</title></item>", 5) + "</channel></rss>"
	r := extractWith(t, &Feed{MaxEntries: 3}, body)
	if len(r.Records) != 3 || len(r.Errors) != 1 {
		t.Errorf("%d records, %v", len(r.Records), r.Errors)
	}
}

// A declaration tells of bytes that have been decoded already.
func TestDeclaredEncoding(t *testing.T) {
	r := extractWith(t, &Feed{}, `<?xml version="1.0" encoding="windows-1251"?><rss version="2.0"><channel><item><title>Дуб</title></item></channel></rss>`)
	if len(r.Records) != 1 || r.Records[0].Fields[0].Value != "Дуб" {
		t.Errorf("%+v %v", r.Records, r.Errors)
	}
}

func FuzzFeed(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.*")
	for _, file := range files {
		if body, err := os.ReadFile(file); err == nil {
			f.Add(string(body))
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := pageOf(t, body, "utf-8")
		for _, x := range []crawler.Extractor{&Feed{Content: "markdown", Follow: true}, &SitemapRecords{Follow: true}} {
			r := &crawler.Result{}
			_ = x.Extract(context.Background(), p, crawler.NewEmitter("entry", p, r))
		}
	})
}
