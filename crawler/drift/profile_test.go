package drift

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// page is a page of a property test: its URL and what it gives.
type page struct {
	url  string
	note typeNote
}

var expected = []string{"always", "named", "offer.price"}

func known(field string) bool {
	return strings.HasPrefix(field, "known") || slices.Contains(expected, field)
}

// drawPage makes pages whose fields are many, so that the bound is met, and whose
// URLs are few, so that samples meet.
func drawPage(t *rapid.T) page {
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Just[any](""), rapid.Just[any](true),
		rapid.Map(rapid.StringN(0, 30, 60), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.SliceOfN(rapid.String(), 0, 3), func(list []string) any {
			items := make([]any, len(list))
			for i := range list {
				items[i] = list[i]
			}
			return items
		}),
		rapid.SampledFrom([]any{
			json.RawMessage(`{"a": 1}`), json.RawMessage("null"), json.RawMessage("[]"), json.RawMessage(" 1"), json.RawMessage(`"x"`), json.RawMessage("true"),
			[]crawler.Field{{Name: "price", Value: 1.5}}, []crawler.Field{},
		}),
	)
	name := rapid.OneOf(
		rapid.SampledFrom([]string{"always", "named", "offer", "known 1", "known 2"}),
		rapid.Map(rapid.IntRange(0, 600), func(n int) string { return fmt.Sprintf("field %d", n) }),
	)
	records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) []crawler.Field {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) crawler.Field {
			return crawler.Field{Name: name.Draw(t, "name"), Value: value.Draw(t, "value")}
		}), 0, 40).Draw(t, "fields")
	}), 0, 4)
	return page{
		url:  fmt.Sprintf("http://books.example/%d", rapid.IntRange(0, 12).Draw(t, "page")),
		note: typeNote{records: records.Draw(t, "records"), rejects: records.Draw(t, "rejects"), rejected: rapid.IntRange(0, 5).Draw(t, "rejected")},
	}
}

func profileOf(pages []page) *Profile {
	p := &Profile{}
	for i := range pages {
		p.count(pages[i].url, &pages[i].note, expected)
		p.bound(known)
	}
	return p
}

// sameProfile compares what is kept in a state.
func sameProfile(t *rapid.T, got, want *Profile, what string) {
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Fatalf("%s:\n%s\nwant\n%s", what, g, w)
	}
}

// The profiles of parts, merged in any order, are the profile of the whole.
func TestMergeOfPartsIsTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pages := rapid.SliceOfN(rapid.Custom(drawPage), 0, 24).Draw(t, "pages")
		whole := profileOf(pages)
		shuffled := rapid.Permutation(pages).Draw(t, "order")
		merged := &Profile{}
		for len(shuffled) > 0 {
			n := rapid.IntRange(1, len(shuffled)).Draw(t, "part")
			part := profileOf(shuffled[:n])
			shuffled = shuffled[n:]
			if rapid.Bool().Draw(t, "stored") { // as between two processes of a run
				data, err := json.Marshal(part)
				if err != nil {
					t.Fatal(err)
				}
				part = &Profile{}
				if err := json.Unmarshal(data, part); err != nil {
					t.Fatal(err)
				}
			}
			if rapid.Bool().Draw(t, "other way round") {
				part, merged = merged, part
			}
			before := merged.clone()
			copied := merged.clone()
			copied.merge(part, known)
			sameProfile(t, merged, before, "a merge changed what its copy was made of")
			merged = copied
		}
		sameProfile(t, merged, whole, "merged")
	})
}

// So they are when there are more fields than are kept.
func TestMergeBeyondTheBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		pages := make([]page, 20)
		for i := range pages {
			fields := []crawler.Field{{Name: "known 1", Value: int64(i)}}
			for range 40 {
				fields = append(fields, crawler.Field{Name: fmt.Sprintf("field %d", random.IntN(1500)), Value: "x"})
			}
			pages[i] = page{fmt.Sprintf("http://books.example/%d", random.IntN(9)), typeNote{records: [][]crawler.Field{fields}}}
		}
		whole := profileOf(pages)
		if n := len(whole.Fields); n != maxFields+1+len(expected) {
			t.Fatalf("%d fields are kept", n)
		}
		cut := rapid.IntRange(1, len(pages)-1).Draw(t, "cut")
		merged := profileOf(pages[cut:])
		merged.merge(profileOf(pages[:cut]), known)
		sameProfile(t, merged, whole, "merged")
	})
}

// A profile stays within its bounds whatever pages say.
func TestProfileIsBounded(t *testing.T) {
	p := &Profile{}
	for i := range 3000 {
		long := strings.Repeat(fmt.Sprintf("%d ä!", i), 2000)
		fields := []crawler.Field{{Name: "known 1", Value: long}, {Name: fmt.Sprintf("field %d", i), Value: long}, {Name: long, Value: long}}
		for depth := range 10 {
			fields = []crawler.Field{{Name: fmt.Sprintf("depth %d", depth), Value: fields}}
		}
		n := typeNote{records: [][]crawler.Field{
			{{Name: "known 1", Value: long}, {Name: fmt.Sprintf("field %d", i), Value: long}, {Name: long, Value: long}}, fields,
		}}
		p.count("http://books.example/"+strings.Repeat("x", i), &n, expected)
		p.bound(known)
	}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Fields) > maxFields+4 || len(data) > 4<<20 {
		t.Errorf("%d fields, %d bytes", len(p.Fields), len(data))
	}
	if p.Fields["known 1"].Filled != 3000 {
		t.Errorf("a field of the config has %d values", p.Fields["known 1"].Filled)
	}
}

func TestLook(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  seen
	}{
		{"£51.77", seen{"string", "5-16", "digits, symbols", "£51.77"}},
		{"In stock", seen{"string", "5-16", "letters, spaces", "In stock"}},
		{"naïve", seen{"string", "5-16", "letters, letters beyond ASCII", "naïve"}},
		{strings.Repeat("ä", 300), seen{"string", "257-1024", "letters beyond ASCII", strings.Repeat("ä", 300)}},
		{int64(-42), seen{"integer", "from 10", "", "-42"}}, {0.5, seen{"number", "below 1", "", "0.5"}}, {1e12, seen{"number", "from a billion", "", "1e+12"}},
		{true, seen{"boolean", "", "", ""}}, {[]any{"a1", int64(2), "b"}, seen{"list", "1-4", "digits, letters", "a1"}},
		{[]crawler.Field{{Name: "a"}}, seen{"object", "", "", ""}},
		{json.RawMessage("\n {}"), seen{"object", "", "", ""}}, {json.RawMessage("-1"), seen{"number", "", "", ""}},
		{nil, seen{}}, {" \n", seen{}}, {[]any{}, seen{}}, {[]crawler.Field{}, seen{}}, {json.RawMessage("null"), seen{}}, {json.RawMessage(""), seen{}},
	} {
		if got, ok := look(tt.value); !reflect.DeepEqual(got, tt.want) || ok != (tt.want.kind != "") {
			t.Errorf("%v looks like %+v, %t", tt.value, got, ok)
		}
	}
}
