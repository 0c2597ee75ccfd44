package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func document(t testing.TB, text string) any {
	t.Helper()
	for v, err := range Documents([]byte(text)) {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return nil
}

func results(t testing.TB, q *Query, text string) []string {
	t.Helper()
	var out []string
	err := q.Each(context.Background(), document(t, text), 100, func(v any) bool {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compiled(t testing.TB, compile func(string) (*Query, error), source string) *Query {
	t.Helper()
	q, err := compile(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return q
}

func TestQueries(t *testing.T) {
	const doc = `{"items": [{"id": 12345678901234567890, "n": 1.50}, {"id": 2, "x": null}], "total": 2}`
	for source, want := range map[string]string{
		"$.items[*].id":          "12345678901234567890 2",
		"$.items[?@.n > 1].id":   "12345678901234567890",
		"$..n":                   "1.50",
		"$.none":                 "",
		"$['items'][1]['x']":     "null",
		"$.items[?length(@)==2]": `{"id":12345678901234567890,"n":1.50} {"id":2,"x":null}`,
	} {
		if got := strings.Join(results(t, compiled(t, JSONPath, source), doc), " "); got != want {
			t.Errorf("%s gives %s, want %s", source, got, want)
		}
	}
	for source, want := range map[string]string{
		".items[].id":             "12345678901234567890 2",
		".items | length":         "2",
		".items[] | {n: .n}":      `{"n":1.50} {"n":null}`,
		"env":                     "{}",
		`.items[0].id | tostring`: `"12345678901234567890"`,
	} {
		if got := strings.Join(results(t, compiled(t, JQ, source), doc), " "); got != want {
			t.Errorf("%s gives %s, want %s", source, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, source := range []string{"", "items", "$.a..b..c..d", "$[?", "$.a["} {
		if _, err := JSONPath(source); err == nil {
			t.Errorf("JSONPath took %q", source)
		}
	}
	for _, source := range []string{".a |", "nosuch", `import "a" as a; .`} {
		if _, err := JQ(source); err == nil {
			t.Errorf("JQ took %q", source)
		}
	}
}

func TestBounds(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, errors.New("time is up"))
	defer cancel()
	endless := compiled(t, JQ, "def f: f; f")
	if err := endless.Each(ctx, nil, 10, func(any) bool { return true }); err == nil || err.Error() != "time is up" {
		t.Errorf("an endless program ends with %v", err)
	}
	n := 0
	many := compiled(t, JQ, "range(1e9)")
	if err := many.Each(context.Background(), nil, 10, func(any) bool { n++; return true }); !errors.Is(err, ErrResults) || n != 10 {
		t.Errorf("%d results, %v", n, err)
	}
	for v, err := range Documents([]byte(strings.Repeat("[", MaxDepth+2) + strings.Repeat("]", MaxDepth+2))) {
		if err != errDepth {
			t.Errorf("deep nesting: %v %v", v != nil, err)
		}
	}
	for _, err := range Documents([]byte(strings.Repeat("[", 5_000_000))) {
		if err == nil {
			t.Error("hostile nesting was read")
		}
	}
}

func TestDocuments(t *testing.T) {
	var got []string
	for v, err := range Documents([]byte("1\n{\"a\":2} [3]\n\n{\"b\":")) {
		got = append(got, fmt.Sprint(v, err))
	}
	want := "1<nil>|map[a:2] <nil>|[3] <nil>|<nil> unexpected EOF"
	if strings.Join(got, "|") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "|"), want)
	}
}

func TestElements(t *testing.T) {
	for source, want := range map[string]string{
		"$[*]": "", "$.a[*]": "a", "$.a['b c'][*]": "a,b c", "$": "no", "$.a": "no", "$[0][*]": "no", "$..a[*]": "no", "$.a[*][*]": "no", "$[*,*]": "no",
	} {
		names, ok := compiled(t, JSONPath, source).Elements()
		if got := strings.Join(names, ","); ok != (want != "no") || ok && got != want {
			t.Errorf("%s: %q %v", source, got, ok)
		}
	}
	for doc, want := range map[string]string{
		`{"x": [9, {"a": 1}], "a": {"b": [1, 2, 3]}}`: "1 2 3 <nil>",
		`{"a": {"b": {"k": 1, "l": [2]}}}`:            "1 [2] <nil>",
		`{"a": {"b": 1}}`:                             errNoList.Error(),
		`{"a": []}`:                                   "<nil>",
		`{"c": 1}`:                                    "<nil>",
		`{"a": {"b": [1, 2`:                           "1 2 unexpected EOF",
		`{"a": {"b": [1, }`:                           "1 invalid",
		``:                                            "unexpected EOF",
	} {
		var got []string
		err := Elements([]byte(doc), []string{"a", "b"}, func(v any) bool { got = append(got, fmt.Sprint(v)); return true })
		got = append(got, fmt.Sprint(err))
		if !strings.HasPrefix(strings.Join(got, " "), want) {
			t.Errorf("%s gives %s, want %s", doc, strings.Join(got, " "), want)
		}
	}
}

func FuzzDocuments(f *testing.F) {
	f.Add(`{"a": {"b": [1, 2, 3]}} 4`)
	f.Add(`[[[[1e999]]]]`)
	path := compiled(f, JSONPath, "$..b[?@ > 1]")
	program := compiled(f, JQ, "[.. | numbers] | add")
	f.Fuzz(func(t *testing.T, text string) {
		_ = Elements([]byte(text), []string{"a", "b"}, func(any) bool { return true })
		for v, err := range Documents([]byte(text)) {
			if err == nil {
				_ = path.Each(context.Background(), v, 1000, func(any) bool { return true })
				_ = program.Each(context.Background(), v, 1000, func(any) bool { return true })
			}
		}
	})
}
