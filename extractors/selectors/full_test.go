package selectors

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

const offer = `<html lang="de-DE"><body><h1>Lampen</h1>
<script type="application/json" id="state"><!-- {"items": [{"id": 1, "tags": ["a", "b"], "price": {"amount": 9.5}}, {"id": 2}], "name": " Two  words "} --></script>
<script id="broken">{"items": [</script>
<div class="card" data-product='{"sku": "L-1", "stock": 3}'><h2>Eins</h2><b class="price">1.234,56 €</b><span class="sale"></span>
  <p class="size">30 x 40 cm</p><ul><li><i>Ann</i> <q>good</q></li><li><i>Ben</i></li><li>nothing</li></ul></div>
<div class="card" data-product='{"sku": "L-2", "stock": 0}'><h2>Zwei</h2><b class="price">99,- EUR</b></div>
<p class="kr">1 299 kr</p><p class="n">1.500</p><p class="d">7.50</p>
</body></html>`

func TestFullFields(t *testing.T) {
	list := func(v ...any) []any { return v }
	obj := func(kv ...any) []crawler.Field {
		var fields []crawler.Field
		for i := 0; i < len(kv); i += 2 {
			fields = append(fields, crawler.Field{Name: kv[i].(string), Value: kv[i+1]})
		}
		return fields
	}
	island := func(path string) Selector { return Selector{CSS: "#state", JSONPath: path} }
	reviewer := []Field{{Name: "by", Selector: byCSS("i"), Required: true}, {Name: "text", Selector: byCSS("q")}}
	for _, tt := range []struct {
		name string
		f    Field
		want any
	}{
		{"the first alternative that has a value", Field{Any: []Source{{Selector: byCSS(".none")}, {Selector: byCSS("h2"), Regex: "Q"}, {Selector: byPath("//h2")}}}, "Eins"},
		{"an alternative of the wrong type is passed over", Field{As: "number", Any: []Source{{Selector: byCSS("h2")}, {Selector: byCSS(".d")}}}, 7.5},
		{"JSON in a script, by JSONPath", Field{Selector: island("$.items[1].id")}, int64(2)},
		{"a text of JSON is folded", Field{Selector: island("$.name")}, "Two words"},
		{"raw, it is not", Field{Selector: island("$.name"), As: "raw"}, " Two  words "},
		{"JSON in a script, by jq", Field{Selector: Selector{CSS: "#state", JQ: "[.items[].id] | add"}}, int64(3)},
		{"all of JSON", Field{Selector: island("$.items[*].id"), All: true}, list(int64(1), int64(2))},
		{"a list of JSON", Field{Selector: island("$.items[0].tags")}, list("a", "b")},
		{"an object of JSON", Field{Selector: island("$.items[0].price")}, obj("amount", 9.5)},
		{"JSON as json", Field{Selector: island("$.items[0].price"), As: "json"}, json.RawMessage(`{"amount":9.5}`)},
		{"a number of JSON as a string", Field{Selector: island("$.items[0].id"), As: "string"}, "1"},
		{"regex on JSON", Field{Selector: island("$.name"), Regex: `(\w+)$`}, "words"},
		{"JSON in an attribute", Field{Selector: Selector{CSS: ".card", JSONPath: "$.stock"}, Attr: "data-product"}, int64(3)},
		{"no JSON there", Field{Selector: Selector{CSS: ".none", JSONPath: "$.stock"}}, nil},
		{"a group by number", Field{Selector: byCSS(".size"), Regex: `(\d+) x (\d+)`, Group: "2", As: "integer"}, int64(40)},
		{"a group by name", Field{Selector: byCSS(".size"), Regex: `(?P<w>\d+) x (?P<h>\d+)`, Group: "h"}, "40"},
		{"the whole match", Field{Selector: byCSS(".size"), Regex: `(\d+) x (\d+)`, Group: "0"}, "30 x 40"},
		{"named groups make an object", Field{Selector: byCSS(".size"), Regex: `(?P<w>\d+) x (?P<h>\d+)(?P<unit> mm)?`, As: "integer"}, obj("w", int64(30), "h", int64(40), "unit", nil)},
		{"a price", Field{Selector: byCSS(".price"), As: "price", Locale: "de"}, obj("amount", 1234.56, "currency", "EUR")},
		{"prices", Field{Selector: byCSS(".price"), As: "price", All: true}, list(obj("amount", 1234.56, "currency", "EUR"), obj("amount", 99.0, "currency", "EUR"))},
		{"a price in Sweden", Field{Selector: byCSS(".kr"), As: "price", Locale: "sv"}, obj("amount", 1299.0, "currency", "SEK")},
		{"a price by sign", Field{Selector: byCSS(".kr"), As: "price"}, obj("amount", 1299.0, "currency", "kr")},
		{"a number by locale", Field{Selector: byCSS(".n"), As: "number", Locale: "de"}, 1500.0},
		{"a number by the page's language", Field{Selector: byCSS(".n"), As: "number", Locale: "page"}, 1500.0},
		{"a number without", Field{Selector: byCSS(".n"), As: "number"}, 1.5},
		{"the default", Field{Selector: byCSS(".none"), As: "integer", Default: "0"}, int64(0)},
		{"a default without type", Field{Selector: byCSS(".none"), Default: int64(7)}, int64(7)},
		{"a default of false", Field{Selector: byCSS(".none"), As: "boolean", Default: false}, false},
		{"a default list", Field{Selector: byCSS(".none"), All: true, Default: []any{"x"}}, list("x")},
		{"no default where there is a value", Field{Selector: byCSS("h1"), Default: "x"}, "Lampen"},
		{"an object", Field{Selector: byCSS(".card"), Fields: []Field{{Name: "name", Selector: byCSS("h2")}, {Name: "none", Selector: byCSS("h3")}}}, obj("name", "Eins", "none", nil)},
		{"an object without an element of its own", Field{Fields: []Field{{Name: "a", Selector: byCSS("h1")}}}, obj("a", "Lampen")},
		{"an object that is not there", Field{Selector: byCSS(".none"), Fields: reviewer}, nil},
		{"a list of objects", Field{Each: &Selector{CSS: "li"}, Fields: reviewer}, list(obj("by", "Ann", "text", "good"), obj("by", "Ben", "text", nil))},
		{"a list of objects from JSON", Field{Each: &Selector{CSS: "#state", JSONPath: "$.items[*]"}, Fields: []Field{{Name: "id", Selector: Selector{JSONPath: "$.id"}}, {Name: "title", Selector: byCSS("h1"), From: "page"}}},
			list(obj("id", int64(1), "title", "Lampen"), obj("id", int64(2), "title", "Lampen"))},
		{"lines", Field{Selector: byPath("//div[1]"), As: "text"}, "Eins\n\n1.234,56 €\n\n30 x 40 cm\n\nAnn good\nBen\nnothing"},
		{"when an element is there, though empty", Field{Selector: byCSS("h1"), When: &Condition{Source: Source{Selector: byCSS(".sale")}}}, "Lampen"},
		{"when it is not", Field{Selector: byCSS("h1"), When: &Condition{Source: Source{Selector: byCSS(".none")}}}, nil},
		{"when a value is one of", Field{Selector: byCSS("h1"), When: &Condition{Source: Source{Selector: byCSS("h2")}, Equals: []string{"Zwei"}}}, "Lampen"},
		{"when a value is not", Field{Selector: byCSS("h1"), When: &Condition{Not: &Condition{Source: Source{Selector: byCSS("h2")}, Equals: []string{"Zwei"}}}}, nil},
		{"when a number is above", Field{Selector: byCSS("h1"), When: &Condition{Source: Source{Selector: byCSS(".d")}, Above: ptr(7), Below: ptr(8)}}, "Lampen"},
		{"when one of two", Field{Selector: byCSS("h1"), When: &Condition{Any: []Condition{{Source: Source{Selector: byCSS(".none")}}, {Source: Source{Selector: byCSS(".d")}}}}}, "Lampen"},
		{"a required field that does not apply", Field{Selector: byCSS("h1"), Required: true, When: &Condition{Source: Source{Selector: byCSS(".none")}}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, errs := one(t, tt.f, offer)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
			if len(errs) > 0 && tt.name != "a list of objects" {
				t.Errorf("unexpected errors: %v", errs)
			}
		})
	}
}

func ptr(f float64) *float64 { return &f }

func TestFullFailures(t *testing.T) {
	for name, f := range map[string]Field{
		"broken JSON":        {Selector: Selector{CSS: "#broken", JSONPath: "$.a"}},
		"a jq error":         {Selector: Selector{CSS: "#state", JQ: ".items | .foo"}},
		"an object as text":  {Selector: Selector{CSS: "#state", JSONPath: "$.items[0]"}, As: "string"},
		"no alternative":     {As: "number", Any: []Source{{Selector: byCSS("h1")}, {Selector: byCSS(".none")}}},
		"a group of no type": {Selector: byCSS(".size"), Regex: `(?P<w>\d+) x \d+ (?P<u>\w+)`, As: "integer"},
		"two currencies":     {Selector: byCSS(".card"), Regex: "(.*)", As: "price"},
	} {
		got, errs := one(t, f, offer)
		if got != nil || len(errs) != 1 || errs[0].Field != "f" {
			t.Errorf("%s: got %v, %v", name, got, errs)
		}
	}
	r := extract(t, &Extractor{Fields: []Field{{Name: "list", Each: &Selector{CSS: "li"}, Fields: []Field{{Name: "by", Selector: byCSS("i"), Required: true}, {Name: "any", Selector: byCSS("*, :root")}}}, {Name: "h", Selector: byCSS("h1")}}}, "<h1>x</h1><ul><li><q>a</q></ul>")
	if len(r.Errors) != 1 || r.Errors[0].Field != "list.by" || !errors.Is(r.Errors[0].Err, errMissing) || len(r.Records) != 1 {
		t.Errorf("%v %v", r.Records, r.Errors)
	}
}

// A record's condition decides before its fields are read, or with a field by them.
func TestWhenOfRecords(t *testing.T) {
	fields := []Field{{Name: "name", Selector: byCSS("h2")}, {Name: "stock", Selector: Selector{JSONPath: "$.stock"}, Attr: "data-product", As: "integer"}, {Name: "price", Selector: byCSS(".price"), As: "price"}}
	for name, c := range map[string]*Condition{
		"element": {Source: Source{Selector: byCSS(".sale")}},
		"number":  {Field: "stock", Above: ptr(0)},
		"price":   {Field: "price", Above: ptr(100)},
		"text":    {Field: "name", Equals: []string{"Eins", "Drei"}},
		"json":    {Source: Source{Selector: Selector{JSONPath: "$.sku"}, Attr: "data-product"}, Equals: []string{"L-1"}},
	} {
		r := extract(t, &Extractor{Each: &Selector{CSS: ".card"}, When: c, Fields: fields}, offer)
		if len(r.Records) != 1 || r.Records[0].Fields[0].Value != "Eins" || len(r.Errors) > 0 {
			t.Errorf("%s: %v, %v", name, shown(r), r.Errors)
		}
	}
}

func jsonBody(t *testing.T, x *Extractor, mediaType, body string) (*crawler.Result, error) {
	t.Helper()
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	p, r := page(t, body), &crawler.Result{}
	p.Response.MediaType = mediaType
	return r, x.Extract(t.Context(), p, crawler.NewEmitter("thing", p, r))
}

func TestJSONPages(t *testing.T) {
	x := &Extractor{Each: &Selector{JSONPath: "$.items[*]"}, Fields: []Field{
		{Name: "id", Selector: Selector{JSONPath: "$.id"}, Required: true},
		{Name: "total", Selector: Selector{JQ: ".total"}, From: "page"},
		{Name: "seen", Selector: Selector{JSONPath: "$.at"}, As: "date"},
	}}
	if x.NeedsTree() {
		t.Error("JSON needs no tree")
	}
	body := `{"total": 2, "items": [{"id": 1, "at": "2026-03-01"}, {"at": "2026-03-01"}, {"id": "x"}]}`
	for _, mediaType := range []string{"application/json", "text/plain", "application/vnd.api+json"} {
		r, err := jsonBody(t, x, mediaType, body)
		if got := strings.Join(shown(r), " "); err != nil || got != "id=1 total=2 seen=2026-03-01 id=x total=2 seen=<nil>" || len(r.Errors) != 1 {
			t.Errorf("%s: %s, %v, %v", mediaType, got, r.Errors, err)
		}
	}
	if _, err := jsonBody(t, x, "application/json", `{"items": [`); err == nil {
		t.Error("broken JSON is no error")
	}
	for _, mediaType := range []string{"text/html", "text/css", "image/png"} {
		if r, err := jsonBody(t, x, mediaType, `{x: 1}`); err != nil || len(r.Records) > 0 {
			t.Errorf("%s: %v, %v", mediaType, r.Records, err)
		}
	}
	if !(&Extractor{Fields: []Field{{Name: "a", Selector: Selector{CSS: "script", JSONPath: "$"}}}}).NeedsTree() {
		t.Error("a script is found in the tree")
	}
}

// What a link carried is a field's value, of whatever type; by itself it makes no
// record.
func TestCarried(t *testing.T) {
	x := &Extractor{Fields: []Field{
		{Name: "title", Selector: byCSS("h1")},
		{Name: "category", Carried: "category"},
		{Name: "rank", Carried: "rank"},
		{Name: "best", Any: []Source{{Selector: byCSS(".none")}, {Carried: "category", Regex: "^(.)"}}},
		{Name: "price", Carried: "price", As: "number"},
		{Name: "none", Carried: "none"},
	}}
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	read := func(body string) *crawler.Result {
		p, r := page(t, body), &crawler.Result{}
		p.Request.Carry = []crawler.Field{{Name: "category", Value: "Lamps"}, {Name: "rank", Value: int64(3)}, {Name: "price", Value: "9.50"}}
		if err := x.Extract(t.Context(), p, crawler.NewEmitter("thing", p, r)); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if got := strings.Join(shown(read("<h1>One</h1>")), " "); got != "title=One category=Lamps rank=3 best=L price=9.5 none=<nil>" {
		t.Error(got)
	}
	if r := read("<p>gone</p>"); len(r.Records)+len(r.Errors) > 0 {
		t.Errorf("%v %v", r.Records, r.Errors)
	}
}

func TestValidateFull(t *testing.T) {
	deep := []Field{{Name: "x", Selector: byCSS("a")}}
	for range maxNesting {
		deep = []Field{{Name: "x", Fields: deep}}
	}
	x := &Extractor{
		When: &Condition{},
		Fields: []Field{
			{Name: "a", Any: []Source{{}, {Selector: byCSS("a[")}}},
			{Name: "b", Selector: byCSS("b"), Any: []Source{{Selector: byCSS("b")}}},
			{Name: "c", Each: &Selector{CSS: "c"}},
			{Name: "d", Fields: []Field{{Name: "_x", Selector: byCSS("d")}, {Name: "y", Selector: Selector{JSONPath: ".d"}}}, As: "number"},
			{Name: "e", Selector: byCSS("e"), Group: "1"},
			{Name: "f", Selector: byCSS("f"), Regex: "(f)", Group: "2"},
			{Name: "g", Selector: byCSS("g"), Locale: "german", As: "number"},
			{Name: "h", Selector: byCSS("h"), Locale: "de"},
			{Name: "i", Selector: byCSS("i"), As: "integer", Default: "x"},
			{Name: "j", Selector: byCSS("j"), Required: true, Default: "x"},
			{Name: "k", Selector: byCSS("k"), Default: []any{"x"}},
			{Name: "l", Selector: byCSS("l"), When: &Condition{Field: "z"}},
			{Name: "m", Selector: byCSS("m"), When: &Condition{Equals: []string{"x"}}},
			{Name: "n", Carried: "n", Selector: byCSS("n")},
			{Name: "o", Selector: Selector{JSONPath: "$", JQ: "."}},
			{Name: "p", Selector: Selector{JQ: ".["}},
			{Name: "q", Selector: byCSS("q"), When: &Condition{Any: []Condition{{Not: &Condition{Source: Source{Selector: byCSS("[")}}}}}},
			{Name: "deep", Fields: deep},
		},
	}
	err := x.Validate()
	var got []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var c *crawler.ConfigError
		if !errors.As(e, &c) || c.Msg == "" {
			t.Fatalf("%v is no ConfigError", e)
		}
		got = append(got, strings.Join(c.Path, "."))
	}
	want := []string{
		"fields.a.any.0", "fields.a.any.1.css", "fields.b.any", "fields.c.each", "fields.d.as", "fields.d.fields._x", "fields.d.fields.y.jsonpath",
		"fields.e.group", "fields.f.group", "fields.g.locale", "fields.h.locale", "fields.i.default", "fields.j.default",
		"fields.k.default", "fields.l.when.field", "fields.m.when", "fields.n.carried", "fields.o.jq", "fields.p.jq", "fields.q.when.any.0.not.css",
		"fields.deep" + strings.Repeat(".fields.x", maxNesting-1) + ".fields", "when",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("paths\n%q, want\n%q", got, want)
	}
}

// 5,000 records of one page, within the page's bounds.
func TestManyRecords(t *testing.T) {
	body := "<ul>" + strings.Repeat(`<li><a href=/x>Item</a><b>1,50 €</b></li>`, 5000)
	x := &Extractor{Each: &Selector{CSS: "li"}, Fields: []Field{{Name: "t", Selector: byCSS("a")}, {Name: "p", Selector: byCSS("b"), As: "price", Locale: "de"}}}
	if r := extract(t, x, body); len(r.Records) != 5000 || len(r.Errors) > 0 {
		t.Errorf("%d records, %v", len(r.Records), r.Errors)
	}
}
