package drift

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

var rule = Rule{Threshold: 0.2, MinRecords: 20}

// books are n pages with one record each, made by make; nil makes a page without.
func books(n int, make func(i int) []crawler.Field) Run {
	p := &Profile{}
	for i := range n {
		note := typeNote{}
		if fields := make(i); fields != nil {
			note.records = [][]crawler.Field{fields}
		}
		p.count(fmt.Sprintf("http://books.example/%d", i), &note, []string{"title", "price"})
	}
	return Run{Pages: int64(n), Types: map[string]*Profile{"book": p}}
}

func book(title, price any) []crawler.Field {
	return []crawler.Field{{Name: "title", Value: title}, {Name: "price", Value: price}}
}

func usual(i int) []crawler.Field {
	return book(fmt.Sprintf("The %d lives of a cat", i), 10+float64(i%80))
}

// every gives other records for one page of n.
func every(n int, other, otherwise func(i int) []crawler.Field) func(i int) []crawler.Field {
	return func(i int) []crawler.Field {
		if i%n == 0 {
			return other(i)
		}
		return otherwise(i)
	}
}

func TestCompare(t *testing.T) {
	none := func(int) []crawler.Field { return nil }
	noPrice := func(i int) []crawler.Field { return book("A title of 1 book", nil) }
	text := func(i int) []crawler.Field { return book("A title of 1 book", "12.50") }
	cents := func(i int) []crawler.Field { return book("A title of 1 book", 1000*(10+float64(i%80))) }
	menu := func(i int) []crawler.Field {
		return book("Accept all cookies, please? (see § 5, ¶ 3: "+strings.Repeat("long ", 80)+")", 12.5)
	}
	dates := func(i int) []crawler.Field { return book("2026-11-30", 12.5) }
	for _, tt := range []struct {
		name      string
		good, now Run
		want      string // type.field kind of each finding
		message   string // of the first
	}{
		{name: "the same", good: books(100, usual), now: books(100, usual)},
		{name: "fewer pages", good: books(1000, usual), now: books(40, usual)},
		{name: "too few to judge", good: books(100, usual), now: books(19, noPrice)},
		{name: "too few before", good: books(19, usual), now: books(100, noPrice)},
		{name: "nothing before", now: books(100, noPrice)},
		{name: "a field vanished", good: books(100, usual), now: books(100, noPrice), want: "book.price fill", message: "in 100% of records, now in 0%"},
		{name: "a field thinned", good: books(100, usual), now: books(100, every(3, noPrice, usual)), want: "book.price fill", message: "in 100% of records, now in 66%"},
		{name: "within the threshold", good: books(100, usual), now: books(100, every(6, noPrice, usual))},
		{name: "by chance", good: books(25, every(2, noPrice, usual)), now: books(25, every(3, usual, noPrice))},
		{name: "a rare field vanished", good: books(400, every(10, usual, noPrice)), now: books(400, noPrice), want: "book.price fill"},
		{name: "more than before", good: books(100, every(2, noPrice, usual)), now: books(100, usual)},
		{name: "no record any more", good: books(100, usual), now: books(100, none), want: "book records", message: "1.00 records a page, now 0.00"},
		{name: "half of the records", good: books(100, usual), now: books(100, every(2, none, usual)), want: "book records"},
		{name: "no page any more", good: books(100, usual), now: Run{Pages: 50, Types: map[string]*Profile{}}, want: "book pages", message: "was looked for on 100 pages, now on none of 50"},
		{name: "no page at all", good: books(100, usual), now: Run{}},
		{name: "another type", good: books(100, usual), now: books(100, text), want: "book.price type", message: "100% number, now 0%, and string"},
		{name: "another type for some", good: books(100, usual), now: books(100, every(2, text, usual)), want: "book.price type"},
		{name: "cents for euros", good: books(100, usual), now: books(100, cents), want: "book.price shape"},
		{name: "another element", good: books(100, usual), now: books(100, dates), want: "book.title shape", message: "0% of values look as they did (digits, letters, spaces), others are digits, symbols"},
		{name: "a text too long", good: books(100, usual), now: books(100, menu), want: "book.title shape"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := Compare(tt.good, tt.now, rule, nil)
			var got []string
			for _, f := range found {
				got = append(got, f.Name()+" "+string(f.Kind))
				if f.BeforePage == nil || f.AfterPage == nil && f.Kind != Pages {
					t.Errorf("%s names no pages: %+v", f.Name(), f)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Fatalf("found %+v, want %q", found, tt.want)
			}
			if len(found) > 0 && !strings.HasPrefix(found[0].Message, tt.message) {
				t.Errorf("it says %q, want %q", found[0].Message, tt.message)
			}
		})
	}
}

// The page before and the page after are the same one where that can be.
func TestCompareShowsOnePageTwice(t *testing.T) {
	found := Compare(books(200, usual), books(200, func(i int) []crawler.Field { return book("Title 1 of it", nil) }), rule, nil)
	if len(found) == 0 || found[0].BeforePage.URL != found[0].AfterPage.URL {
		t.Errorf("found %+v", found)
	}
}

func TestCompareSkips(t *testing.T) {
	skip := func(recordType, field string) bool { return recordType == "book" && field == "price" }
	if found := Compare(books(100, usual), books(100, func(int) []crawler.Field { return book("A title of 1 book", nil) }), rule, skip); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
}

// Whatever the profiles: a run is no fall from itself, nor from a part of itself
// taken by chance when it has as much of everything; and no finding is without its
// name and message, or claims a rise.
func TestCompareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) Run {
			pages := rapid.SliceOfN(rapid.Custom(drawPage), 0, 60).Draw(t, label)
			return Run{Pages: int64(len(pages)), Types: map[string]*Profile{"book": profileOf(pages)}}
		}
		a, b := draw("a"), draw("b")
		r := Rule{Threshold: rapid.Float64Range(0.01, 1).Draw(t, "threshold"), MinRecords: rapid.Int64Range(1, 30).Draw(t, "min")}
		if found := Compare(a, a, r, nil); len(found) > 0 {
			t.Fatalf("a run has fallen from itself: %+v", found)
		}
		for _, f := range Compare(a, b, r, nil) {
			if f.Before <= f.After || f.Message == "" || f.RecordType == "" || (f.Field == "") != (f.Kind == Records || f.Kind == Pages) {
				t.Fatalf("finding %+v", f)
			}
		}
		strict, lax := r, r
		lax.Threshold, lax.MinRecords = min(1, r.Threshold*2), r.MinRecords+5
		if s, l := Compare(a, b, strict, nil), Compare(a, b, lax, nil); len(l) > len(s) {
			t.Fatalf("a laxer rule finds more: %+v, not %+v", l, s)
		}
	})
}
