package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/urls"
)

const pluginsPage = "../docs/plugins.md"

// between cuts text into what stands before, between and behind the marks.
func between(t *testing.T, text, from, to string) (before, middle, after string) {
	t.Helper()
	before, rest, ok := strings.Cut(text, from)
	middle, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("the page lacks %q or %q", from, to)
	}
	return before + from, middle, to + after
}

// The page of the plugins' keys holds what the code says of them, and its
// example gives what it says.
func TestPluginsPage(t *testing.T) {
	page, err := os.ReadFile(pluginsPage)
	if err != nil {
		t.Fatal(err)
	}
	const by = ": made by UPDATE_DOCS=1 go test ./cmd -run PluginsPage -->\n\n"
	before, _, after := between(t, string(page), "<!-- records"+by, "\n<!-- end of records -->")
	text := before + exampleRecords(t, string(page)) + after
	before, _, after = between(t, text, "<!-- keys"+by, "\n<!-- end of keys -->")
	text = before + config.PluginReference() + after
	if text == string(page) {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Fatalf("%s is not current: UPDATE_DOCS=1 go test ./cmd -run PluginsPage", pluginsPage)
	}
	if err := os.WriteFile(pluginsPage, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// exampleRecords runs the page's example.
func exampleRecords(t *testing.T, page string) string {
	t.Helper()
	_, body, _ := between(t, page, "<!-- page -->\n```html\n", "```\n")
	_, text, _ := between(t, page, "<!-- crawl -->\n```yaml\n", "```\n")
	cfg, found := config.Parse("books.yaml", []byte(text), config.Options{})
	if len(found) != 0 {
		t.Fatal(found)
	}
	u, err := urls.Parse("https://books.example/books")
	if err != nil {
		t.Fatal(err)
	}
	var r crawler.Result
	p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{Body: []byte(body), MediaType: "text/html"})
	rule := cfg.Extract[0]
	if err := rule.Extractor.Extract(context.Background(), p, crawler.NewEmitter(rule.Type, p, &r)); err != nil {
		t.Fatal(err)
	}
	if len(r.Records) != 2 || len(r.Errors) != 1 || !r.Errors[0].Dropped {
		t.Fatalf("%d records, %v", len(r.Records), r.Errors)
	}
	return "```json\n" + inOrder(t, r.Records[0].Fields) + "```\n"
}

// inOrder is fields as JSON, one a line.
func inOrder(t *testing.T, fields []crawler.Field) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("{\n")
	for i, f := range fields {
		var value bytes.Buffer
		enc := json.NewEncoder(&value)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(f.Value); err != nil {
			t.Fatal(err)
		}
		b.WriteString("  \"" + f.Name + "\": " + strings.TrimSpace(value.String()))
		if i < len(fields)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n")
	return b.String()
}

// Every mistake in the selectors' keys shows at once, and a plain text is a
// CSS selector.
func TestSelectorMistakesAllShow(t *testing.T) {
	load := func(rule string) config.Diagnostics {
		_, found := config.Parse("books.yaml", []byte("seeds: https://books.example/\npoliteness: {contact: https://me.example/bot}\nextract:\n  quote: "+rule+"\n"), config.Options{})
		return found
	}
	found := load(`{fields: {x: {css: "a[["}, y: {xpath: "//["}, w: {regex: "("}, v: {as: nubmer, css: a}, z: "b[["}, each: "p[["}`)
	var all strings.Builder
	for _, d := range found {
		all.WriteString(d.String() + "\n")
	}
	for _, place := range []string{"fields.x.css", "fields.y.xpath", "fields.w.regex", "fields.v.as", "fields.z.css", "each.css"} {
		if strings.Count(all.String(), "extract.quote."+place) != 1 {
			t.Errorf("%s is not told once", place)
		}
	}
	if len(found) != 6 || t.Failed() {
		t.Errorf("got:\n%s", all.String())
	}
	if found := load("{each: .quote, fields: {text: .text, author: small}}"); len(found) != 0 {
		t.Errorf("plain texts: %v", found)
	}
}
