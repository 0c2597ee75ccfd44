package metadata

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

const where = "https://pages.example/a/b.html"

// extract runs one extractor on a page.
func extract(t testing.TB, x crawler.Extractor, body []byte) *crawler.Result {
	t.Helper()
	if v, ok := x.(crawler.Validator); ok {
		if err := v.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	p := testPage(t, body)
	r := &crawler.Result{}
	if err := x.Extract(context.Background(), p, crawler.NewEmitter("thing", p, r)); err != nil {
		r.Errors = append(r.Errors, crawler.RecordError{Err: err, Dropped: true})
	}
	return r
}

func testPage(t testing.TB, body []byte) *crawler.Page {
	t.Helper()
	u, err := urls.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	return crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{Body: body, MediaType: "text/html"})
}

func try(t testing.TB, x crawler.Extractor, html string) *crawler.Result {
	t.Helper()
	return extract(t, x, []byte(html))
}

// shown is a value of a record as JSON on one line, in the record's order.
func shown(v any) string {
	switch v := v.(type) {
	case []crawler.Field:
		parts := make([]string, len(v))
		for i, f := range v {
			parts[i] = shown(f.Name) + ":" + shown(f.Value)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = shown(v[i])
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// lines are a result's records and errors, one a line.
func lines(r *crawler.Result) string {
	var out []string
	for _, rec := range r.Records {
		out = append(out, shown(rec.Fields))
	}
	for _, e := range r.Errors {
		out = append(out, fmt.Sprintf("! %s %v", e.Field, e.Err))
	}
	return strings.Join(out, "\n")
}

var extractors = []string{"jsonld", "microdata", "rdfa", "opengraph", "microformats2", "product", "article-meta", "event"}

func plugin(t testing.TB, id string) crawler.Extractor {
	t.Helper()
	x, ok := crawler.Extractors.New(id)
	if !ok {
		t.Fatalf("no extractor %s", id)
	}
	return x
}

func pages(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/pages/*.html")
	if err != nil || len(all) < 60 {
		t.Fatal(len(all), err)
	}
	return all
}

// Beside each page stands what every extractor makes of it.
func TestGoldens(t *testing.T) {
	for _, page := range pages(t) {
		body, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, id := range extractors {
			if text := lines(extract(t, plugin(t, id), body)); text != "" {
				fmt.Fprintf(&b, "%s\n%s\n\n", id, indented(text))
			}
		}
		golden := strings.TrimSuffix(page, ".html") + ".golden"
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", page, got, want)
		}
	}
}

// indented is JSON on several lines, for people who compare goldens.
func indented(text string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		var b bytes.Buffer
		if json.Indent(&b, []byte(line), "", "  ") == nil {
			line = b.String()
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// One thing is the same record whichever way it is written down.
func TestSyntaxesAgree(t *testing.T) {
	for _, page := range pages(t) {
		stem, ok := strings.CutSuffix(page, ".jsonld.html")
		if !ok {
			continue
		}
		var first string
		for _, id := range []string{"jsonld", "microdata", "rdfa"} {
			body, err := os.ReadFile(stem + "." + id + ".html")
			if err != nil {
				t.Fatal(err)
			}
			r := extract(t, plugin(t, id), body)
			if len(r.Records) != 1 || len(r.Errors) != 0 {
				t.Errorf("%s as %s: %s", stem, id, lines(r))
				continue
			}
			got := shown(asText(r.Records[0].Fields))
			if first == "" {
				first = got
			} else if got != first {
				t.Errorf("%s as %s\n%s\nas JSON-LD\n%s", stem, id, got, first)
			}
		}
	}
}

// asText is a value with numbers as texts of one form: only JSON-LD knows them.
func asText(v any) any {
	switch v := v.(type) {
	case []crawler.Field:
		out := make([]crawler.Field, len(v))
		for i, f := range v {
			out[i] = crawler.Field{Name: f.Name, Value: asText(f.Value)}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = asText(v[i])
		}
		return out
	case int64, float64:
		return fmt.Sprint(v)
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return fmt.Sprint(f)
		}
	}
	return v
}
