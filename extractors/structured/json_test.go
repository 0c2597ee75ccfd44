package structured

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

const where = "https://api.example/v1/things?sort=up&page=2&q=a%20b"

func try(t testing.TB, x *JSON, mediaType, body string) (*crawler.Result, error) {
	t.Helper()
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	return extracted(x, page(t, mediaType, body))
}

func page(t testing.TB, mediaType, body string) *crawler.Page {
	t.Helper()
	u, err := urls.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	return crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{Body: []byte(body), MediaType: mediaType})
}

func extracted(x *JSON, p *crawler.Page) (*crawler.Result, error) {
	r := &crawler.Result{}
	err := x.Extract(context.Background(), p, crawler.NewEmitter("thing", p, r))
	return r, err
}

// shown is one line a record, link and error.
func shown(t testing.TB, x *JSON, mediaType, body string) string {
	t.Helper()
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	return shownOf(x, page(t, mediaType, body))
}

func shownOf(x *JSON, p *crawler.Page) string {
	r, err := extracted(x, p)
	var lines []string
	for _, rec := range r.Records {
		var parts []string
		for _, f := range rec.Fields {
			parts = append(parts, f.Name+"="+text(f.Value))
		}
		lines = append(lines, strings.Join(parts, " "))
	}
	for _, l := range r.Links {
		lines = append(lines, "-> "+strings.TrimPrefix(l.URL.String(), "https://api.example/v1/"))
	}
	for _, e := range r.Errors {
		lines = append(lines, fmt.Sprintf("! %s %v %q", e.Field, e.Err, e.Value))
	}
	if err != nil {
		lines = append(lines, "!! "+err.Error())
	}
	return strings.Join(lines, "\n")
}

func text(v any) string {
	switch v := v.(type) {
	case []crawler.Field:
		var parts []string
		for _, f := range v {
			parts = append(parts, f.Name+":"+text(f.Value))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, text(e))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case json.RawMessage:
		return "raw" + string(v)
	}
	return fmt.Sprintf("%T(%v)", v, v)
}

func path(s string) Query { return Query{JSONPath: s} }
func jq(s string) Query   { return Query{JQ: s} }

func TestRecords(t *testing.T) {
	each := path("$.items[*]")
	program := jq(".items[] | select(.price > 2)")
	for _, c := range []struct {
		name string
		x    *JSON
		body string
		want string
	}{
		{"types of the document", &JSON{Each: &each}, `{"items": [{"id": 12345678901234567890, "n": 1, "f": 1.5, "s": "x", "b": true, "z": null, "o": {"a": [1]}}]}`,
			"b=bool(true) f=float64(1.5) id=raw12345678901234567890 n=int64(1) o={a:[int64(1)]} s=string(x) z=<nil>(<nil>)"},
		{"fields", &JSON{Each: &each, Fields: []Field{
			{Name: "id", Query: path("$.id"), Required: true}, {Name: "price", Query: jq(".price"), As: "number"},
			{Name: "url", Query: path("$.href"), As: "url"}, {Name: "tags", Query: path("$.tags[*]"), All: true}, {Name: "o", Query: path("$.o"), As: "json"},
		}}, `{"items": [{"id": 1, "price": "1.234,50 €", "href": "../x", "tags": ["a", null, "b"], "o": {"k": "<"}}, {"price": 2}, {"id": 3, "price": "free"}, {}]}`,
			`id=int64(1) price=float64(1234.5) url=string(https://api.example/x) tags=[string(a) string(b)] o=raw{"k":"<"}
id=int64(3) price=<nil>(<nil>) url=<nil>(<nil>) tags=<nil>(<nil>) o=<nil>(<nil>)
! id required, but not found ""
! price not a number (a regex can narrow the text) "free"`},
		{"jq", &JSON{Each: &program, Fields: []Field{{Name: "n", Query: jq(".name | ascii_upcase")}}}, `{"items": [{"price": 1, "name": "a"}, {"price": 3, "name": "b"}]}`, "n=string(B)"},
		{"lines", &JSON{}, "{\"a\":1}\n{\"a\":2}\n", "a=int64(1)\na=int64(2)"},
		{"nothing at the place", &JSON{Each: &each}, `{"other": 1}`, ""},
		{"cut", &JSON{Each: &each}, `{"items": [{"a":1}, {"a"`, "a=int64(1)\n!! reading the JSON: unexpected EOF"},
		{"guard", &JSON{}, ")]}',\n{\"a\":1}", "a=int64(1)"},
		{"JSONP", &JSON{}, "/**/ cb_1({\"a\":1});\n", "a=int64(1)"},
		{"not JSON", &JSON{}, "hello", "!! reading the JSON: invalid character 'h' looking for beginning of value"},
		{"a mark in front", &JSON{}, "\ufeff{\"a\":1}", "a=int64(1)"},
		{"lenient", &JSON{Lenient: true}, "{\"a\": 1, // one\n}", "a=int64(1)"},
		{"bounded", &JSON{MaxRecords: 2}, "{\"a\":1} {\"a\":2} {\"a\":3} {", "a=int64(1)\na=int64(2)\n!  more than 2 records on one page: the rest was left out \"\""},
		{"object for a text", &JSON{Fields: []Field{{Name: "a", Query: path("$.a"), As: "string"}}}, `{"a": {"b": 1}}`,
			"a=<nil>(<nil>)\n! a not a string but an object or a list (as: json takes it) \"{\\\"b\\\":1}\""},
		{"jq fails", &JSON{Fields: []Field{{Name: "a", Query: jq(".a + 1")}}}, `{"a": {}}`, "! a cannot add: object ({}) and number (1) \"\""},
	} {
		if got := shown(t, c.x, "application/json", c.body); got != c.want && !(c.name == "jq fails" && strings.Contains(got, "cannot add")) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestIslands(t *testing.T) {
	const page = `<html><script>var a = 1; window.__STATE__ = {"n": 1, "s": "</b>"}; more();</script>
<script id="__NEXT_DATA__" type="application/json">{"props": {"n": 2}}</script>
<script type="application/json"><!-- {"n": 3} --></script>`
	for _, c := range []struct {
		x    *JSON
		want string
	}{
		{&JSON{Variable: "window.__STATE__"}, "n=int64(1) s=string(</b>)"},
		{&JSON{Variable: "__STATE__"}, ""},
		{&JSON{Script: "#__NEXT_DATA__", Fields: []Field{{Name: "n", Query: path("$..n")}}}, "n=int64(2)"},
		{&JSON{Script: "script[type='application/json']:not([id])"}, "n=int64(3)"},
		{&JSON{Script: "#none"}, ""},
		{&JSON{}, ""},
	} {
		if got := shown(t, c.x, "text/html", page); got != c.want {
			t.Errorf("%+v gives %s, want %s", c.x, got, c.want)
		}
	}
	if got := shown(t, &JSON{Variable: "x"}, "text/html", `<script>x = {a: 1}</script>`); !strings.HasPrefix(got, "!! reading the JSON: ") {
		t.Errorf("JavaScript gives %s", got)
	}
}

func TestPaging(t *testing.T) {
	each := path("$.items[*]")
	for _, c := range []struct {
		next Next
		body string
		want string
	}{
		{Next{Query: path("$.next")}, `{"items": [{"a":1}], "next": "/v1/things?after=9#x"}`, "things?after=9"},
		{Next{Query: path("$.next")}, `{"items": [], "next": null}`, ""},
		{Next{Query: path("$.next")}, `{"items": []}`, ""},
		{Next{Query: path("$.next")}, `{"next": "javascript:x"}`, "! next not an http(s) address \"javascript:x\""},
		{Next{Query: jq(".cursor"), Param: "q"}, `{"cursor": "c d&e"}`, "things?sort=up&page=2&q=c+d%26e"},
		{Next{Query: jq(".cursor"), Param: "cursor"}, `{"cursor": 77}`, "things?sort=up&page=2&q=a%20b&cursor=77"},
		{Next{Param: "page"}, `{"items": [{"a":1}]}`, "things?sort=up&page=3&q=a%20b"},
		{Next{Param: "page"}, `{"items": []}`, ""},
		{Next{Param: "p"}, `{"items": [{"a":1}]}`, "things?sort=up&page=2&q=a%20b&p=2"},
		{Next{Param: "offset", Step: 50}, `{"items": [{"a":1}]}`, "things?sort=up&page=2&q=a%20b&offset=50"},
		{Next{Param: "q"}, `{"items": [{"a":1}]}`, "! next the parameter to count up is not a number \"a b\""},
	} {
		got := shown(t, &JSON{Each: &each, Next: &c.next}, "application/json", c.body)
		got = strings.TrimPrefix(strings.TrimPrefix(got, "a=int64(1)"), "\n")
		if got = strings.TrimPrefix(got, "-> "); got != c.want {
			t.Errorf("%+v of %s leads to %s, want %s", c.next, c.body, got, c.want)
		}
	}
}

func TestPagingByHeader(t *testing.T) {
	each := path("$[*]")
	for header, want := range map[string]string{
		`<https://api.example/v1/things?page=1>; rel="prev", </v1/things?page=3#x>; rel="next"`: "a=int64(1)\n-> things?page=3",
		`<?page=9>; rel="last"`:                    "a=int64(1)",
		`<?page=9>; anchor="#x"; rel=next`:         "a=int64(1)",
		`<sql://shop/all>; rel=next`:               "a=int64(1)\n! next not an http(s) address \"sql://shop/all\"",
		`<?page=3>; rel=next, <?page=4>; rel=next`: "a=int64(1)\n-> things?page=3",
		``: "a=int64(1)",
	} {
		p := page(t, "application/json", `[{"a":1}]`)
		p.Response.Header = http.Header{"Link": {header}}
		if got := shownOf(&JSON{Each: &each, Next: &Next{Rel: "next"}}, p); got != want {
			t.Errorf("%s gives %s, want %s", header, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		x    *JSON
		want string
	}{
		{&JSON{Each: &Query{}}, "each: each asks for nothing"},
		{&JSON{Each: &Query{JSONPath: ".a"}}, "each.jsonpath: the JSONPath does not compile"},
		{&JSON{Each: &Query{JSONPath: ".a"}}, "(this looks like jq: use the key jq)"},
		{&JSON{Each: &Query{JQ: "$.a"}}, "(this looks like JSONPath: use the key jsonpath)"},
		{&JSON{Each: &Query{JQ: ".a", JSONPath: "$"}}, "each.jq: jsonpath and jq exclude each other"},
		{&JSON{Fields: []Field{{Name: "_x", Query: path("$")}}}, "fields._x: the field name"},
		{&JSON{Fields: []Field{{Name: "x"}}}, "fields.x: the field asks for nothing (such as $.x)"},
		{&JSON{Fields: []Field{{Name: "x", Query: path("$"), As: "html"}}}, "fields.x.as: \"html\" is not a type"},
		{&JSON{Script: "["}, "script: the CSS selector does not compile"},
		{&JSON{Variable: "a b"}, "variable: \"a b\" is not the name of a variable"},
		{&JSON{Next: &Next{}}, "next: next leads nowhere"},
		{&JSON{Next: &Next{Rel: "next", Param: "page"}}, "next.rel: rel reads the Link header"},
		{&JSON{Each: &Query{JSONPath: "$.content-type"}}, "(a name with a dash stands in brackets"},
		{&JSON{Next: &Next{Query: path("$"), Step: 2}}, "next.step: step counts up"},
		{&JSON{MaxRecords: -1}, "max_records: "},
	} {
		err := c.x.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.x, err, c.want)
		}
		if mistake := (*crawler.ConfigError)(nil); !errors.As(err, &mistake) {
			t.Errorf("%v is no ConfigError", err)
		}
	}
}

// A long list is read with one element in memory at a time.
func TestLongListIsStreamed(t *testing.T) {
	each := path("$.items[*]")
	x := &JSON{Each: &each, MaxRecords: 1, Fields: []Field{{Name: "a", Query: path("$.a")}}}
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	body := `{"items": [` + strings.Repeat(`{"a": [1,2,3,4,5,6,7,8]},`, 100_000) + `{}]}`
	allocated := testing.AllocsPerRun(1, func() { _, _ = try(t, x, "application/json", body) })
	if allocated > 1000 {
		t.Errorf("%v allocations for one record", allocated)
	}
}

func FuzzJSON(f *testing.F) {
	each := path("$.items[*]")
	f.Add(`{"items": [{"a": 1}], "next": "x"}`)
	f.Add(`x = {"items": []}; cb({"a": [1e99]})`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, x := range []*JSON{
			{Each: &each, Next: &Next{Query: path("$.next")}}, {Lenient: true, Next: &Next{Param: "p"}},
			{Variable: "x"}, {Script: "script", Fields: []Field{{Name: "a", Query: jq(".a"), As: "number"}}},
		} {
			_, _ = try(t, x, "application/json", body)
			_, _ = try(t, x, "text/html", body)
		}
	})
}
