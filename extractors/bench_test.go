package extractors_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
	"github.com/amblecrawl/amble/extractors/selectors"
)

// benchBody is a page of about 12 KB with 33 links.
func benchBody() []byte {
	var b strings.Builder
	b.WriteString(`<!doctype html><html><head><title>Bench</title></head><body><h1>A  title</h1><p class="price">£12.50</p>
<p class="stock">In stock (19 available)</p><img class="cover" src="/i.png"><span class="sku">A-1</span><time datetime="2026-03-01">x</time>`)
	for i := range 33 {
		fmt.Fprintf(&b, `<div class="item"><a href="/catalogue/item_%d.html?page=%d">Item %d</a><p>%s</p></div>`, i, i, i, strings.Repeat("some words of text ", 15))
	}
	return []byte(b.String())
}

var benchFields = []selectors.Field{
	{Name: "title", Selector: selectors.Selector{CSS: "h1"}},
	{Name: "price", Selector: selectors.Selector{CSS: ".price"}, As: "number"},
	{Name: "stock", Selector: selectors.Selector{CSS: ".stock"}, Regex: `\((\d+) available`, As: "integer"},
	{Name: "cover", Selector: selectors.Selector{CSS: "img.cover"}, Attr: "src", As: "url"},
	{Name: "sku", Selector: selectors.Selector{CSS: ".sku"}},
	{Name: "date", Selector: selectors.Selector{CSS: "time"}, As: "date"},
}

func benchRun(b *testing.B, opt extractors.Options) {
	pl, err := extractors.New(opt)
	if err != nil {
		b.Fatal(err)
	}
	u, err := urls.Parse("http://shop.example/catalogue/")
	if err != nil {
		b.Fatal(err)
	}
	resp := &crawler.Response{MediaType: "text/html", Body: benchBody()}
	b.SetBytes(int64(len(resp.Body)))
	b.ReportAllocs()
	for b.Loop() {
		var r crawler.Result
		if err := pl.Run(context.Background(), crawler.NewPage(&crawler.Request{URL: u}, resp), &r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLinksByTokens(b *testing.B) { benchRun(b, extractors.Options{}) }

func BenchmarkLinksByTree(b *testing.B) {
	benchRun(b, extractors.Options{Links: []extractors.LinkRule{{CSS: "body a[href]"}}})
}

func BenchmarkSixFieldsAndLinks(b *testing.B) {
	benchRun(b, extractors.Options{Rules: []extractors.Rule{{Type: "a", Extractor: &selectors.Extractor{Fields: benchFields}}}})
}

func BenchmarkSixFields(b *testing.B) {
	benchRun(b, extractors.Options{NoLinks: true, Rules: []extractors.Rule{{Type: "a", Extractor: &selectors.Extractor{Fields: benchFields}}}})
}

// What the same six selectors cost without this package.
func BenchmarkBareCascadia(b *testing.B) {
	body := benchBody()
	var compiled []cascadia.Selector
	for _, f := range benchFields {
		compiled = append(compiled, cascadia.MustCompile(f.CSS))
	}
	b.ReportAllocs()
	for b.Loop() {
		root, err := html.Parse(bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range compiled {
			if cascadia.Query(root, c) == nil {
				b.Fatal("nothing found")
			}
		}
	}
}

// What links cost with goquery, unresolved.
func BenchmarkBareGoqueryLinks(b *testing.B) {
	body := benchBody()
	b.ReportAllocs()
	for b.Loop() {
		doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		doc.Find("a[href]").Each(func(_ int, s *goquery.Selection) { n += len(s.AttrOr("href", "")) })
		if n == 0 {
			b.Fatal("nothing found")
		}
	}
}
