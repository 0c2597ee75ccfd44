package selectors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/cascadia"

	"github.com/amblecrawl/amble/crawler"
)

// shelf is a page of a shop with n products.
func shelf(n int) string {
	var b strings.Builder
	b.WriteString("<!doctype html><html><head><title>Shelf</title></head><body><main><h1>Shelf</h1>")
	for i := range n {
		fmt.Fprintf(&b, `<div class="product"><h3><a href="/p/%d">Product %d</a></h3><p class="price"><span>%d,50 €</span></p><p class="text">%s</p></div>`,
			i, i, i, strings.Repeat("some words of text ", 10))
	}
	return b.String() + "</main></body></html>"
}

// BenchmarkAgainstCascadia compares an extraction from a page that is parsed with the
// same selectors by cascadia alone. The promise is that a page costs no more than one
// parse and 1.2 times cascadia. The selectors ask for what stands around an element,
// so that none does without the tree, which is cheaper. Both are measured in turns, and
// the medians compared.
func BenchmarkAgainstCascadia(b *testing.B) {
	body := shelf(60)
	x := &Extractor{}
	var bare []cascadia.Selector
	for i, css := range []string{"main > h1", ".product h3 a", ".product .price span", ".product p.text", "body .missing"} {
		x.Fields = append(x.Fields, Field{Name: fmt.Sprint("f", i), Selector: byCSS(css), All: true, As: "raw"})
		bare = append(bare, cascadia.MustCompile(css))
	}
	if err := x.Validate(); err != nil {
		b.Fatal(err)
	}
	if !x.NeedsTree() {
		b.Fatal("the tree is not needed: this compares nothing")
	}
	p := page(b, body)
	doc, err := p.Document()
	if err != nil {
		b.Fatal(err)
	}
	var query, extract []time.Duration
	for b.Loop() {
		start := time.Now()
		found := 0
		for _, s := range bare {
			found += len(s.MatchAll(doc.Nodes[0]))
		}
		middle := time.Now()
		r := &crawler.Result{}
		if err := x.Extract(context.Background(), p, crawler.NewEmitter("t", p, r)); err != nil {
			b.Fatal(err)
		}
		query, extract = append(query, middle.Sub(start)), append(extract, time.Since(middle))
		if got := r.Records[0].Fields[1].Value.([]any); len(got) != 60 || found != 181 {
			b.Fatalf("%d values, %d elements", len(got), found)
		}
	}
	slices.Sort(query)
	slices.Sort(extract)
	q, e := query[len(query)/2], extract[len(extract)/2]
	b.ReportMetric(float64(e)/float64(q), "x-cascadia")
	b.ReportMetric(float64(q)/1e3, "cascadia-µs")
}
