package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/sink"
)

const (
	pluginsPage    = "../docs/plugins.md"
	extractorPages = "../docs/extractors"
)

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

// isCurrent expects a page to hold what the code says of it, or makes it so.
func isCurrent(t *testing.T, path, text string) {
	t.Helper()
	page, err := os.ReadFile(path)
	if err == nil && string(page) == text {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Fatalf("%s is not current: UPDATE_DOCS=1 go test ./cmd -run 'PluginsPage|ExtractorPages'", path)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The page of the plugins lists the extractors that have pages, and the keys of
// the outputs.
func TestPluginsPage(t *testing.T) {
	page, err := os.ReadFile(pluginsPage)
	if err != nil {
		t.Fatal(err)
	}
	const by = ": made by UPDATE_DOCS=1 go test ./cmd -run PluginsPage -->\n\n"
	before, _, after := between(t, string(page), "<!-- extractors"+by, "\n<!-- end of extractors -->")
	text := before + extractorList(t) + after
	before, _, after = between(t, text, "<!-- links"+by, "\n<!-- end of links -->")
	text = before + config.LinkReference() + after
	before, _, after = between(t, text, "<!-- outputs"+by, "\n<!-- end of outputs -->")
	isCurrent(t, pluginsPage, before+config.OutputReference()+after)
}

// extractorList is a table of the extractors that have an example.
func extractorList(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| extractor | what it does |\n|---|---|\n")
	for _, id := range crawler.Extractors.IDs() {
		about, err := os.ReadFile(filepath.Join(extractorPages, "examples", id, "about.md"))
		if err != nil {
			continue // TestExtractorPages says so
		}
		first, _, _ := strings.Cut(strings.Join(strings.Fields(string(about)), " "), ". ")
		fmt.Fprintf(&b, "| [%s](extractors/%s.md) | %s |\n", id, id, strings.TrimSuffix(first, ".")+".")
	}
	return b.String()
}

// Every extractor has a page of its own, made of its struct and of an example
// that runs: docs/extractors/examples/ID holds about.md, config.yaml and the page
// that it reads, page.html, page.xml, page.json or another ending.
func TestExtractorPages(t *testing.T) {
	ids := crawler.Extractors.IDs()
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			if id == "pdf" {
				unraced(t)
			}
			isCurrent(t, filepath.Join(extractorPages, id+".md"), extractorPage(t, id))
		})
	}
	pages, err := filepath.Glob(filepath.Join(extractorPages, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if id := strings.TrimSuffix(filepath.Base(page), ".md"); !slices.Contains(ids, id) {
			t.Errorf("%s is about an extractor that there is not", page)
		}
	}
}

func extractorPage(t *testing.T, id string) string {
	t.Helper()
	dir := filepath.Join(extractorPages, "examples", id)
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatalf("the extractor %s has no example: %v", id, err)
		}
		return strings.TrimRight(string(data), "\n") + "\n"
	}
	reference, _ := config.ExtractorReference(id)
	_, keys, _ := strings.Cut(reference, "\n\n")
	text := read("config.yaml")
	page, url, file, shows := example(t, dir, text)
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- made by UPDATE_DOCS=1 go test ./cmd -run ExtractorPages, of examples/%s and the extractor's struct -->\n\n# %s\n\n%s\n", id, id, read("about.md"))
	fmt.Fprintf(&b, "## An example\n\nSay that this is %s:\n\n", url)
	if kind := strings.TrimPrefix(filepath.Ext(file), "."); kind == "pdf" {
		fmt.Fprintf(&b, "[%s](examples/%s/%s)\n\n", file, id, file)
	} else {
		fmt.Fprintf(&b, "```%s\n%s```\n\n", kind, page)
	}
	fmt.Fprintf(&b, "This crawl reads it:\n\n```yaml\n%s```\n\n%s## Keys\n\n%s", text, shows, keys)
	return b.String()
}

// example runs an example: its page, its address and file, and what comes of it.
func example(t *testing.T, dir, text string) (page, url, file, shows string) {
	t.Helper()
	cfg, found := config.Parse("example.yaml", []byte(text), config.Options{})
	if len(found) != 0 {
		t.Fatal(found)
	}
	files, err := filepath.Glob(filepath.Join(dir, "page.*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s holds %d pages, want one: %v", dir, len(files), err)
	}
	u := cfg.Seeds[0].URL
	c, err := crawl.New(cfg, slog.New(slog.DiscardHandler), crawl.Past{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	parsed, err := cli.ParseURL(u)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Page(t.Context(), parsed, files[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	var r crawler.Result
	if err := c.Pipeline.Run(t.Context(), p, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Records) == 0 {
		t.Fatalf("%s gives no record: %v", dir, r.Errors)
	}
	return string(p.Response.Body), u, filepath.Base(files[0]), results(t, cfg, &r)
}

// results are the records of an example, what it follows and what it reports.
func results(t *testing.T, cfg *config.Config, r *crawler.Result) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "It gives %s", format.Plural(int64(len(r.Records)), "record"))
	if len(r.Records) > 1 && len(cfg.Extract) > 1 {
		b.WriteString(" of the types below")
	}
	b.WriteString(":\n\n```json\n")
	for i := range r.Records {
		b.WriteString(inOrder(t, r.Records[i].Fields))
	}
	b.WriteString("```\n\n")
	if len(r.Links) > 0 {
		b.WriteString("It follows these links:\n\n```\n")
		for _, l := range r.Links {
			b.WriteString(l.URL.String() + "\n")
		}
		b.WriteString("```\n\n")
	}
	if len(r.Errors) > 0 {
		b.WriteString("And it reports:\n\n```\n")
		for i := range r.Errors {
			b.WriteString(r.Errors[i].Error() + "\n")
		}
		b.WriteString("```\n\n")
	}
	return b.String()
}

// inOrder is fields as JSON, one a line.
func inOrder(t *testing.T, fields []crawler.Field) string {
	t.Helper()
	lines := make([]string, len(fields))
	for i, f := range fields {
		var record map[string]json.RawMessage
		if err := json.Unmarshal(sink.AppendJSON(nil, &crawler.Record{Fields: []crawler.Field{f}}), &record); err != nil {
			t.Fatal(err)
		}
		var value bytes.Buffer
		if err := json.Indent(&value, record[f.Name], "  ", "  "); err != nil {
			t.Fatal(err)
		}
		text := value.String()
		if short := string(record[f.Name]); len(short) < 100 {
			text = short
		}
		lines[i] = "  \"" + f.Name + "\": " + text
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n}\n"
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
