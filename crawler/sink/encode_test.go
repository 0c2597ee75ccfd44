package sink

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// reference encodes as encoding/json does, without HTML escaping.
func reference(t interface{ Fatalf(string, ...any) }, v any) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
	return strings.TrimSuffix(buf.String(), "\n")
}

// hardString draws strings of every sort, broken UTF-8 among them.
func hardString() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[<>&"\\/\x00-\x1f\x7f\x{2028}\x{2029}\x{fffd}é€😀]{0,12}`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
}

// value draws a value of a field with its counterpart for encoding/json.
func value(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Map(hardString(), func(s string) any { return s }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.SampledFrom([]string{`{"a": [1, 2 ]}`, "[ ]", " 1e3", `"\u0041<"`}), func(s string) any { return json.RawMessage(s) }),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	lists := rapid.Map(rapid.SliceOfN(value(depth-1), 0, 4), func(l []any) any { return l })
	objects := rapid.Map(rapid.SliceOfNDistinct(fieldOf(depth-1), 0, 4, func(f crawler.Field) string { return cleanUTF8(f.Name) }),
		func(f []crawler.Field) any { return f })
	return rapid.OneOf(append(scalars, lists, objects)...)
}

func fieldOf(depth int) *rapid.Generator[crawler.Field] {
	return rapid.Custom(func(t *rapid.T) crawler.Field {
		return crawler.Field{Name: hardString().Draw(t, "name"), Value: value(depth).Draw(t, "value")}
	})
}

// expected is the encoding by encoding/json of each scalar, put together by
// hand since it keeps no order of members.
func expected(t interface{ Fatalf(string, ...any) }, v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = expected(t, v[i])
		}
		return "[" + strings.Join(parts, ",") + "]"
	case []crawler.Field:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = reference(t, cleanUTF8(v[i].Name)) + ":" + expected(t, v[i].Value)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "null"
		}
	}
	return reference(t, v)
}

func TestValuesEncodeLikeEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := value(3).Draw(t, "value")
		if got, want := string(appendValue(nil, v, 0)), expected(t, v); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	})
}

func TestNumbers(t *testing.T) {
	for value, want := range map[any]string{
		int64(math.MaxInt64): "9223372036854775807",
		float64(3):           "3",
		12.50:                "12.5",
		1e20:                 "100000000000000000000",
		1e21:                 "1e+21",
		1e-7:                 "1e-7",
		math.Inf(-1):         "null",
		7:                    "7",
	} {
		if got := string(appendValue(nil, value, 0)); got != want {
			t.Errorf("%v: %s, want %s", value, got, want)
		}
	}
}

func TestRecordLine(t *testing.T) {
	r := crawler.Record{
		Type: "book",
		Fields: []crawler.Field{
			{Name: "title", Value: "A <b>&amp; \u2028\xff"},
			{Name: "_url", Value: "mine"},
			{Name: "title", Value: "again"},
			{Name: "extra", Value: json.RawMessage("{\n \"a\": \"\u2029\"}")},
			{Name: "broken", Value: json.RawMessage("{\n")},
			{Name: "nested", Value: []crawler.Field{{Name: "_url", Value: nil}, {Name: "_url", Value: []any{int64(1), "x"}}}},
			{Name: "odd", Value: struct{}{}},
		},
		URL: "https://a.example/?a=1&b=2", Requested: "https://a.example/",
		FetchedAt: time.Date(2024, 5, 6, 9, 8, 9, 123_456_789, time.FixedZone("", 7200)),
		Run:       "r1", Key: "k1",
	}
	want := `{"title":"A <b>&amp; \u2028\ufffd","_url_2":"mine","title_2":"again","extra":{"a":"\u2029"},"broken":"{\n",` +
		`"nested":{"_url":null,"_url_2":[1,"x"]},"odd":"unsupported value of type struct {}",` +
		`"_type":"book","_url":"https://a.example/?a=1&b=2","_requested":"https://a.example/",` +
		`"_fetched_at":"2024-05-06T07:08:09.123Z","_run":"r1","_key":"k1"}`
	if got := string(appendRecord(nil, &r)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	r.Fields, r.Usage = nil, "train-ai=n"
	if got := string(appendRecord(nil, &r)); !strings.HasPrefix(got, `{"_type":"book",`) || !strings.HasSuffix(got, `,"_usage":"train-ai=n"}`) {
		t.Errorf("a record of provenance alone: %s", got)
	}
}

func TestDeepValuesEnd(t *testing.T) {
	var v any = "bottom"
	for range 100_000 {
		v = []any{v}
	}
	got := appendValue(nil, v, 0)
	if !json.Valid(got) || bytes.Contains(got, []byte("bottom")) {
		t.Errorf("a deep value is not cut: %d bytes", len(got))
	}
}

// Names are distinct, free of provenance, and values keep their place.
func TestNamesAreDistinct(t *testing.T) {
	names := rapid.OneOf(rapid.SampledFrom([]string{"a", "a_2", "a_2_2", "_url", "_url_2", "_extra", "", "\xff", "\ufffd"}), hardString())
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SliceOfN(rapid.Map(names, func(s string) crawler.Field { return crawler.Field{Name: s} }), 0, 40).Draw(t, "fields")
		got := recordNames(fields)
		seen := map[string]bool{}
		for i := range fields {
			name := fields[i].Name
			if got != nil {
				name = got[i]
			}
			if seen[name] || isReserved(name) || !utf8.ValidString(name) {
				t.Fatalf("name %d is %q, taken, reserved or broken", i, name)
			}
			if !strings.HasPrefix(name, cleanUTF8(fields[i].Name)) {
				t.Fatalf("%q became %q", fields[i].Name, name)
			}
			seen[name] = true
		}
	})
}

func TestManyEqualNames(t *testing.T) {
	fields := make([]crawler.Field, 20_000)
	for i := range fields {
		fields[i].Name = "n"
	}
	names := recordNames(fields)
	if names[0] != "n" || names[len(names)-1] != "n_"+strconv.Itoa(len(names)) {
		t.Errorf("first %q, last %q", names[0], names[len(names)-1])
	}
}

func FuzzString(f *testing.F) {
	for _, s := range []string{"", "plain", "<&>\u2028\u2029", "\xff\xc3", "\x00\x1f\x7f\"\\\b\f\n\r\t", "a\xe2\x80", "😀é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := string(appendString(nil, s)), reference(t, s); got != want {
			t.Errorf("JSON: got %s, want %s", got, want)
		}
		if got := string(appendString(nil, []byte(s))); got != reference(t, s) {
			t.Errorf("JSON of bytes: got %s", got)
		}
		row, err := csv.NewReader(bytes.NewReader(append(appendQuoted(nil, s), "\r\n"...))).Read()
		want := strings.ReplaceAll(s, "\r\n", "\n") // the reader's doing
		if err != nil || len(row) != 1 || row[0] != want {
			t.Errorf("CSV: %q became %q (%v)", s, row, err)
		}
	})
}

// FuzzRaw holds that JSON from a page ends up as one line of valid UTF-8 JSON.
func FuzzRaw(f *testing.F) {
	for _, s := range []string{"", " ", `{"a": [1,2]}`, "{\n", "\"\u2028\"", "\"\xff\"", "[[[[", "nul"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := appendRaw(nil, raw, 1)
		if !json.Valid(got) || !utf8.Valid(got) || bytes.ContainsAny(got, "\n\r\u2028\u2029") {
			t.Errorf("%q became %q", raw, got)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	r := crawler.Record{
		Type: "book",
		Fields: []crawler.Field{
			{Name: "title", Value: "A Light in the Attic"}, {Name: "price", Value: 51.77}, {Name: "stock", Value: int64(22)},
			{Name: "tags", Value: []any{"Books", "Poetry"}}, {Name: "text", Value: strings.Repeat("It's hard to imagine a world without it. ", 20)},
		},
		URL: "https://books.example/catalogue/1/index.html", Requested: "https://books.example/catalogue/1/index.html",
		FetchedAt: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), Run: "20240506T070809", Key: "0123456789abcdef0123456789abcdef",
	}
	b.Run("jsonl", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf = appendRecord(buf[:0], &r)
		}
		b.SetBytes(int64(len(buf)))
	})
	b.Run("csv", func(b *testing.B) {
		b.ReportAllocs()
		var c CSV
		h := newHeader(r.Fields, false)
		var buf []byte
		for b.Loop() {
			buf = c.appendRow(buf[:0], h, &r)
		}
		b.SetBytes(int64(len(buf)))
	})
}

// JSON of a page is cut as other values are where it is nested too deep.
func TestDeepJSON(t *testing.T) {
	for _, c := range []struct{ open, shut string }{{"[", "]"}, {`{"a]\"}":`, "}"}} {
		for _, levels := range []int{maxDepth, maxDepth + 1, 3 * maxDepth} {
			raw := json.RawMessage(strings.Repeat(c.open, levels) + `"[\\"` + strings.Repeat(c.shut, levels))
			line := AppendJSON(nil, &crawler.Record{Fields: []crawler.Field{{Name: "x", Value: raw}, {Name: "y", Value: json.RawMessage(`["[\"]",{}]`)}}})
			if !json.Valid(line) || !strings.Contains(string(line), `,"y":["[\"]",{}],"_type"`) {
				t.Fatalf("%d levels give %s", levels, line)
			}
			want := min(levels, maxDepth)
			if got := strings.Count(string(line), c.open) - map[bool]int{true: 2}[c.open == "["] - map[bool]int{true: 1}[c.open == "[" && levels <= maxDepth]; got != want {
				t.Errorf("%d levels of %s give %d", levels, c.open, got)
			}
			if cut := strings.Contains(string(line), "null"); cut != (levels > maxDepth) {
				t.Errorf("%d levels: %s", levels, line)
			}
		}
	}
}
