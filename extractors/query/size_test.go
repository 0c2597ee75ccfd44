package query

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// least is what values take at the least.
func least(v any) (size int64) {
	switch v := v.(type) {
	case string:
		return boxed + int64(len(v))
	case json.Number:
		return boxed + int64(len(v))
	case []any:
		size = listHeader + slot*int64(len(v))
		for _, e := range v {
			size += least(e)
		}
	case map[string]any:
		if size = mapHeader + (slot+boxed)*int64(len(v)); len(v) > 0 {
			size = max(size, mapHeader+mapSmall)
		}
		for name, e := range v {
			size += int64(len(name)) + least(e)
		}
	}
	return size
}

// value draws a document in which names do not repeat.
func value(depth int) *rapid.Generator[any] {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"`, `\`, `\"`, `{"a":[`, ``, `]}`}))
	kinds := []*rapid.Generator[any]{
		text.AsAny(), rapid.Int64().AsAny(), rapid.Float64().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
	}
	if depth > 0 {
		kinds = append(kinds, rapid.Map(rapid.SliceOfN(value(depth-1), 0, 20), func(v []any) any { return v }),
			rapid.Map(rapid.MapOfN(text, value(depth-1), 0, 20), func(v map[string]any) any { return v }))
	}
	return rapid.OneOf(kinds...)
}

// However a document is put together, it is not larger than it was estimated, whole
// and in its parts.
func TestSizesAreNotUnderestimated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := value(3).Draw(t, "value")
		text, err := json.MarshalIndent(v, "", strings.Repeat(" ", rapid.IntRange(0, 1).Draw(t, "indent")))
		if err != nil {
			t.Skip()
		}
		for document, err := range Documents(text) {
			if err != nil {
				t.Fatal(err)
			}
			if got, want := SizeOf(text, 0).Values, least(document); got < want || got > 1000+8*want {
				t.Fatalf("%s is taken for %d bytes, and takes %d", text, got, want)
			}
			parts := []any{document}
			for depth := range 3 {
				got := SizeOf(text, depth).Values
				var inner []any
				for _, part := range parts {
					if want := least(part); got < want {
						t.Fatalf("in %s the parts at %d are taken for %d bytes, and %v takes %d", text, depth, got, part, want)
					}
					switch part := part.(type) {
					case []any:
						inner = append(inner, part...)
					case map[string]any:
						for _, e := range part {
							inner = append(inner, e)
						}
					}
				}
				parts = inner
			}
		}
	})
}

func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The estimates are held against what the runtime says, for documents that take more
// than their length lets expect; so is what the signs of a text let expect before it
// is looked at.
func TestSizesAreAsMeasured(t *testing.T) {
	const room = 1 << 20
	list := func(item func(i int) string) string {
		var b strings.Builder
		b.WriteByte('[')
		for i := 0; b.Len() < room; i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(item(i))
		}
		b.WriteByte(']')
		return b.String()
	}
	always := func(s string) string { return list(func(int) string { return s }) }
	members := list(func(i int) string { return fmt.Sprintf("\"%x\":0", i) })
	for name, text := range map[string]string{
		"objects": always(`{"a":1}`), "empty objects": always(`{}`), "lists": always(`[[[[[]]]]]`), "numbers": always(`0`),
		"texts": always(`"a"`), "nested": always(strings.Repeat(`{"":`, 20) + "0" + strings.Repeat("}", 20)),
		"one object": "{" + members[1:len(members)-1] + "}", "points": always(`[12.345678,-9.876543]`),
		"nine members": always(`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0}`),
		"prose":        always(`"` + strings.Repeat(`A text, as pages have it, that goes on. `, 20) + `"`),
	} {
		t.Run(name, func(t *testing.T) {
			body := []byte(text)
			before := live()
			var document any
			for v, err := range Documents(body) {
				if err != nil {
					t.Fatal(err)
				}
				document = v
			}
			values := live() - before
			record := Native(document)
			both := live() - before
			size, signs := SizeOf(body, 0), crawler.WeightOfJSON(body)
			t.Logf("%.1f times its length as values, %.1f with the record; taken for %.1f and %.1f, by its signs for %.1f",
				float64(values)/room, float64(both)/room, float64(size.Values)/room, float64(size.Values+size.Record)/room, float64(signs)/room)
			const slack = 100 << 10
			if size.Values < values-slack || size.Values > 4*values+slack {
				t.Errorf("it takes %d bytes as values, and was taken for %d", values, size.Values)
			}
			if size.Values+size.Record < both-slack || signs < both-slack {
				t.Errorf("it takes %d bytes with its record, and was taken for %d, by its signs for %d", both, size.Values+size.Record, signs)
			}
			runtime.KeepAlive(record)
			runtime.KeepAlive(document)
			runtime.KeepAlive(body)
		})
	}
}

// FuzzSize looks at texts that are no JSON too.
func FuzzSize(f *testing.F) {
	for _, s := range []string{`{"a":[1,"\"",{}]}`, `[[`, `]`, `"\`, `nul`, `{"a":{"b":[{},{"c":-1e9}]}}`, "\"" + strings.Repeat("\xff", 50) + "\""} {
		f.Add([]byte(s), 0)
		f.Add([]byte(s), 2)
	}
	f.Fuzz(func(t *testing.T, text []byte, depth int) {
		if depth < 0 || depth > 20_000 {
			return
		}
		size := SizeOf(text, depth)
		if size.Values < 0 || size.Record < 0 || size.Text < 0 || size.Text > int64(len(text)) {
			t.Errorf("%q at %d: %+v", text, depth, size)
		}
		if depth > 0 {
			return
		}
		for document, err := range Documents(text) {
			if err == nil && size.Values < least(document) {
				t.Errorf("%q is taken for %d bytes, and takes %d", text, size.Values, least(document))
			}
		}
	})
}
