package draft

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/format"
	_ "github.com/amblecrawl/amble/cmd/standard"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/extractors/survey"
)

// draftOf is the config for a page that is not fetched, "" when there is none.
func draftOf(t testing.TB, body string, mediaType string) string {
	t.Helper()
	u, err := cli.ParseURL("https://h.example/shop/thing.html?id=4")
	if err != nil {
		t.Fatal(err)
	}
	cmd := &cobra.Command{}
	flags := &initFlags{agent: "amble", html: "page"}
	d := newDraft(u, flags.agent, flags.contact)
	l, err := newLook(cmd, d, flags)
	if err != nil {
		t.Fatal(err)
	}
	defer l.crawl.Close()
	l.pages = []*crawler.Page{crawler.NewPage(l.crawl.Single(nil).Request(u), &crawler.Response{Status: 200, MediaType: mediaType, Body: []byte(body)})}
	if err := l.propose(context.Background(), d); err != nil {
		if strings.Contains(err.Error(), "does not lint") {
			t.Fatalf("%v\n%s", err, d.String())
		}
		return ""
	}
	return d.String()
}

// FuzzInit writes configs for arbitrary pages: each lints.
func FuzzInit(f *testing.F) {
	for _, s := range []string{
		"", "<ul><li><a href=/null>${HOME}</a> '<li><a href='/#{}'>B</a> \"<li><a href=/c>C</a> z</ul>",
		"<div class=true><p class=null>a</p><b class=yes>1\x00</b></div><div class=true><p class=null>b</p><b class=yes>2</b></div>",
		"<h1>x</h1><dl><dt>a: b #c<dd>\u2028y<dt>on<dd>${X}</dl>", `{"a b": [{"null": 1, "_x": 2}, {"null": 2}], "on": [{"y": 1}]}`,
		"<link rel=alternate type=application/rss+xml href='/f?{x}*'><table><caption>no</caption><tr><th>a<th>b<tr><td>1<td>2<tr><td>1<td>2</table>",
		"<?xml version=1.0?><rss><channel><item><title>x</title></item></channel></rss>",
		`{"b": [{"true": 1, "": 2}, {"null": 2}], "false": [{"": 1}]}`,
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, page string, isHTML bool) {
		if len(page) > 8<<10 {
			return
		}
		mediaType := "application/json"
		if isHTML {
			mediaType = "text/html"
		}
		text := draftOf(t, page, mediaType)
		if text == "" {
			return
		}
		if _, found := config.Parse("crawl.yaml", []byte(text), config.Options{}); found.Failed() {
			t.Errorf("%q gives a config that does not lint: %v\n%s", page, found, text)
		}
	})
}

// A text stays itself in the YAML that is written.
func TestDraftKeepsTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[ -~]{1,20}`), rapid.StringMatching(`["'\\#:{}\[\]&*!|>%@,?$~ a-z0-9-]{1,12}`), rapid.String()).Draw(t, "text")
		text = strings.TrimSpace(format.OneLine(text, 100))
		if text == "" {
			return
		}
		d := draft{name: "x", agent: "amble", pages: 1, seeds: []draftSeed{{url: "https://h.example/"}}}
		d.rules = []draftRule{{kind: "a", fields: []survey.Field{{Name: "f", CSS: "p", Attr: text, Sample: text}}, note: text}}
		cfg, found := config.Parse("x.yaml", []byte(d.String()), config.Options{})
		if found.Failed() {
			t.Fatalf("%q: %v\n%s", text, found, d.String())
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "%+v", cfg.Extract[0].Extractor)
		if !strings.Contains(b.String(), " Attr:"+text+" ") {
			t.Fatalf("%q became %s", text, b.String())
		}
	})
}
