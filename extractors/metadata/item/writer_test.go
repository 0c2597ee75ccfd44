package item

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// Whichever way things refer to each other, each is written, nothing stands
// within itself, and the whole is no larger than the bound.
func TestWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "things")
		all := make([]*Item, n)
		for i := range all {
			all[i] = &Item{Types: []string{"T"}, ID: string(rune('a' + i))}
		}
		for _, it := range all {
			for _, to := range rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 6).Draw(t, "to") {
				it.Add("to", all[to])
			}
			it.Add("text", "some text of a thing")
		}
		w := NewWriter(100)
		w.values = 2_000 // a small bound, to meet it
		seen := map[any]bool{}
		total := 0
		for _, it := range Top(all) {
			fields := w.Fields(it)
			total += count(t, fields, nil, seen)
		}
		for _, it := range all {
			if !seen[it.ID] {
				t.Fatalf("%s is not written", it.ID)
			}
		}
		// Once there is no room, each thing is still written once.
		if total > 2_000+n*(MaxDepth+10) {
			t.Fatalf("%d things were written", total)
		}
	})
}

// count is the number of things in fields; path are those around them.
func count(t *rapid.T, fields []crawler.Field, path []any, seen map[any]bool) int {
	var id any
	for _, f := range fields {
		if f.Name == "@id" {
			id = f.Value
		}
	}
	for _, p := range path {
		if p == id {
			t.Fatalf("%v within itself", id)
		}
	}
	if len(path) >= MaxDepth {
		t.Fatalf("%d deep", len(path))
	}
	seen[id] = true
	path = append(path[:len(path):len(path)], id)
	n := 1
	for _, f := range fields {
		values, ok := f.Value.([]any)
		if !ok {
			values = []any{f.Value}
		}
		for _, v := range values {
			if inner, ok := v.([]crawler.Field); ok {
				n += count(t, inner, path, seen)
			}
		}
	}
	return n
}

func TestPlain(t *testing.T) {
	for name, want := range map[string]string{
		"https://schema.org/Product": "Product", "http://schema.org/Product": "Product", "http://www.schema.org/Product": "Product",
		"HTTPS://Schema.org/name": "name", "https://schema.org//Offer": "Offer", "https://schema.org#Offer": "Offer",
		"https://schema.org/": "https://schema.org/", "https://schema.org": "https://schema.org", "https://schema.org/a/b": "https://schema.org/a/b",
		"https://schema.organic/x": "https://schema.organic/x", "Product": "Product", "": "", "x://schema.org/y": "x://schema.org/y",
		"https://pending.schema.org/Thing": "https://pending.schema.org/Thing",
	} {
		if got := Plain(name); got != want {
			t.Errorf("%q is plainly %q, want %q", name, got, want)
		}
	}
}

// Names are found however many there are.
func TestAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := &Item{}
		want := map[string][]any{}
		for _, name := range rapid.SliceOf(rapid.StringMatching(`[a-e]{1,3}`)).Draw(t, "names") {
			it.Add(name, len(want[name]))
			want[name] = append(want[name], len(want[name]))
		}
		if len(it.Props) != len(want) || it.Get("none") != nil {
			t.Fatal(it.Props)
		}
		for name, values := range want {
			if got := it.Get(name); len(got) != len(values) || got[len(got)-1] != values[len(values)-1] {
				t.Fatalf("%s has %v, want %v", name, got, values)
			}
		}
	})
}
