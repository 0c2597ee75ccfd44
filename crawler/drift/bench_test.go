package drift

import (
	"fmt"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// BenchmarkTally is what a page costs: the note of a record with eight fields, and
// its part of a batch of 256 pages.
func BenchmarkTally(b *testing.B) {
	tally := New(Options{Types: []crawler.RecordType{{Name: "book", Fields: []string{"title", "price", "stock", "cover", "tags", "upc", "lead", "none"}}}})
	if err := tally.Open(memory{}); err != nil {
		b.Fatal(err)
	}
	var pages []*crawler.Page
	for i := range 256 {
		u, err := urls.Parse(fmt.Sprintf("https://books.example/catalogue/a-light-in-the-attic_%d/index.html", i))
		if err != nil {
			b.Fatal(err)
		}
		pages = append(pages, &crawler.Page{URL: u})
	}
	r := crawler.Result{Matched: []string{"book"}, Records: []crawler.Record{{Type: "book", Fields: []crawler.Field{
		{Name: "title", Value: "A Light in the Attic"}, {Name: "price", Value: 51.77}, {Name: "stock", Value: int64(22)},
		{Name: "cover", Value: "https://books.example/media/cache/fe/72/fe72.jpg"}, {Name: "tags", Value: []any{"Books", "Poetry"}},
		{Name: "upc", Value: "a897fe39b1053632"}, {Name: "lead", Value: strings.Repeat("It is hard to imagine a world. ", 40)}, {Name: "none", Value: nil},
	}}}}
	b.ReportAllocs()
	for b.Loop() {
		notes := make([]any, len(pages))
		for i := range pages {
			notes[i] = tally.Note(pages[i], &r)
		}
		committed, err := tally.Add(notes, map[string][]byte{})
		if err != nil {
			b.Fatal(err)
		}
		committed()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/page")
}
