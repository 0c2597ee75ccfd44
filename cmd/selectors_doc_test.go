package cmd

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/urls"
)

const selectorsPage = "../docs/selectors.md"

// The example of the page on selectors gives what the page says.
func TestSelectorsPage(t *testing.T) {
	page, err := os.ReadFile(selectorsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, _, after := between(t, string(page), "<!-- record: made by UPDATE_DOCS=1 go test ./cmd -run SelectorsPage -->\n\n", "\n<!-- end of record -->")
	text := before + selectorsRecord(t, string(page)) + after
	if text == string(page) {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Fatalf("%s is not current: UPDATE_DOCS=1 go test ./cmd -run SelectorsPage", selectorsPage)
	}
	if err := os.WriteFile(selectorsPage, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func selectorsRecord(t *testing.T, page string) string {
	t.Helper()
	_, body, _ := between(t, page, "<!-- page -->\n```html\n", "```\n")
	_, text, _ := between(t, page, "<!-- crawl -->\n```yaml\n", "```\n")
	cfg, found := config.Parse("shop.yaml", []byte(text), config.Options{})
	if len(found) != 0 {
		t.Fatal(found)
	}
	u, err := urls.Parse("https://shop.example/lampen/17")
	if err != nil {
		t.Fatal(err)
	}
	var r crawler.Result
	p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{Body: []byte(body), MediaType: "text/html"})
	rule := cfg.Extract[0]
	if err := rule.Extractor.Extract(context.Background(), p, crawler.NewEmitter(rule.Type, p, &r)); err != nil {
		t.Fatal(err)
	}
	if len(r.Records) != 1 || len(r.Errors) != 0 {
		t.Fatalf("%d records, %v", len(r.Records), r.Errors)
	}
	lines := make([]string, len(r.Records[0].Fields))
	for i, f := range r.Records[0].Fields {
		var record map[string]json.RawMessage
		if err := json.Unmarshal(sink.AppendJSON(nil, &crawler.Record{Fields: []crawler.Field{f}}), &record); err != nil {
			t.Fatal(err)
		}
		lines[i] = "  \"" + f.Name + "\": " + string(record[f.Name])
	}
	return "```json\n{\n" + strings.Join(lines, ",\n") + "\n}\n```\n"
}
