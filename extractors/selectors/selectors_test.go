package selectors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func page(t testing.TB, body string) *crawler.Page {
	t.Helper()
	u, err := urls.Parse("http://shop.example/a/b.html")
	if err != nil {
		t.Fatal(err)
	}
	return crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{
		Status: 200, Header: http.Header{}, MediaType: "text/html", Body: []byte(body),
	})
}

// extract runs a configuration over a page.
func extract(t testing.TB, x *Extractor, body string) *crawler.Result {
	t.Helper()
	r, err := try(t, x, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func try(t testing.TB, x *Extractor, body string) (*crawler.Result, error) {
	t.Helper()
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	p, r := page(t, body), &crawler.Result{}
	err := x.Extract(context.Background(), p, crawler.NewEmitter("thing", p, r))
	return r, err
}

// one reads a single field.
func one(t testing.TB, f Field, body string) (any, []crawler.RecordError) {
	t.Helper()
	f.Name = "f"
	always := Field{Name: "always", Selector: Selector{XPath: "true()"}}
	r := extract(t, &Extractor{Fields: []Field{f, always}}, body)
	if len(r.Records) != 1 {
		return nil, r.Errors
	}
	return r.Records[0].Fields[0].Value, r.Errors
}

func byCSS(s string) Selector  { return Selector{CSS: s} }
func byPath(s string) Selector { return Selector{XPath: s} }

func TestFields(t *testing.T) {
	body, err := os.ReadFile("testdata/shop.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		f    Field
		want any
	}{
		{"text is folded, br separates", Field{Selector: byCSS("h1")}, "A Lamp for Late Readers"},
		{"raw text", Field{Selector: byCSS("h1"), As: "raw"}, "A   Lampfor Late Readers"},
		{"inner html", Field{Selector: byCSS("h1"), As: "html"}, "A   Lamp<br/>for <em>Late</em> Readers"},
		{"markdown", Field{Selector: byCSS(".text"), As: "markdown"},
			"## About\n\nBright **and** [mild](http://shop.example/catalogue/care.html).\n\n- warm\n- dim"},
		{"text leaves scripts out and keeps blocks apart", Field{Selector: byCSS(".text")}, "About Bright and mild. warm dim"},
		{"number", Field{Selector: byCSS(".price_color"), As: "number"}, 1234.5},
		{"german number", Field{Selector: byCSS(".was"), As: "number"}, 1599.0},
		{"regex and integer", Field{Selector: byCSS(".availability"), Regex: `\((\d+) available`, As: "integer"}, int64(19)},
		{"regex without group", Field{Selector: byCSS(".availability"), Regex: `\d+`}, "19"},
		{"regex that does not match", Field{Selector: byCSS(".availability"), Regex: `sold`}, nil},
		{"regex with an absent group", Field{Selector: byCSS(".availability"), Regex: `(x)?stock`}, nil},
		{"the first that has the attribute", Field{Selector: byCSS(".cover"), Attr: "src", As: "url"}, "http://shop.example/catalogue/img/17.png"},
		{"an empty attribute is nothing", Field{Selector: byCSS(".cover"), Attr: "alt"}, nil},
		{"attribute names have no case", Field{Selector: byCSS(".cover"), Attr: "SRC"}, "img/17.png"},
		{"list without the empty ones", Field{Selector: byCSS(".breadcrumb a"), All: true}, []any{"Home", "Lamps"}},
		{"list of urls, own href", Field{Selector: byCSS(".breadcrumb a, .next"), As: "url", All: true}, []any{
			"http://shop.example/index.html", "http://shop.example/catalogue/lamps/", "http://shop.example/catalogue/page-2.html#top"}},
		{"list of every regex match", Field{Selector: byCSS("table"), Regex: `(\w)\w*`, All: true}, []any{"U", "u", "1", "W", "1", "2", "k"}},
		{"xpath", Field{Selector: byPath("//th[.='UPC']/following-sibling::td")}, "u-17"},
		{"xpath attribute", Field{Selector: byPath("//img/@src"), As: "url"}, "http://shop.example/catalogue/img/17.png"},
		{"xpath text", Field{Selector: byPath("//h1/text()"), All: true}, []any{"A Lamp", "for", "Readers"}},
		{"xpath count", Field{Selector: byPath("count(//li)"), As: "integer"}, int64(5)},
		{"xpath string", Field{Selector: byPath("string(//title)")}, "A Lamp for Late Readers | The Night Shelf"},
		{"xpath concat", Field{Selector: byPath("concat(//th, '=', //td)")}, "UPC=u-17"},
		{"xpath boolean", Field{Selector: byPath("boolean(//table)"), As: "boolean"}, true},
		{"xpath that is not a number", Field{Selector: byPath("number(//h1)"), As: "number"}, nil},
		{"xpath position", Field{Selector: byPath("(//li)[last()]")}, "dim"},
		{"set boolean attribute", Field{Selector: byCSS("#gift"), Attr: "checked", As: "boolean"}, true},
		{"absent boolean attribute", Field{Selector: byCSS("#gift"), Attr: "disabled", As: "boolean"}, nil},
		{"time element", Field{Selector: byCSS("time"), As: "date"}, "2026-03-01T09:30:00+01:00"},
		{"date in words", Field{Selector: byCSS(".since"), As: "date"}, "2026-03-02T21:30:00Z"},
		{"json", Field{Selector: byCSS("script[type='application/ld+json']"), As: "json"}, json.RawMessage(`{"@type":"Product","sku":"NS-17"}`)},
		{"nothing found", Field{Selector: byCSS(".missing"), As: "number"}, nil},
		{"nothing found for a list", Field{Selector: byCSS(".missing"), All: true}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, errs := one(t, tt.f, string(body))
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
			if len(errs) > 0 {
				t.Errorf("unexpected errors: %v", errs)
			}
		})
	}
}

func TestText(t *testing.T) {
	for body, want := range map[string]any{
		"<div><p>a</p>b<span>c</span>d</div>":                         "a bcd",
		"<div>a<br>b<hr>c<ul><li>d<li>e</ul>f</div>":                  "a b c d e f",
		"<div><table><tr><td>1<td>2<tr><td>3</table>4</div>":          "1 2 3 4",
		"<div>\u00a0a\n\t b\u2003<b> c</b><i>d</i> </div>":            "a b cd",
		"<div>a<noscript>b</noscript><template>c</template>d</div>":   "ad",
		"<div><em>a</em><!-- b --><style>c</style></div>":             "a",
		"<div> <p> </p> </div>":                                       nil,
		"<div><p>never <b>closed <p>and <i>wrongly</b> nested</i>":    "never closed and wrongly nested",
		"<div>&lt;b&gt; &amp; &nbsp;&eacute;":                         "<b> & é",
		"<div>" + strings.Repeat("<p>a", 3) + "<table><p>moved</div>": "a a a moved",
	} {
		if got, _ := one(t, Field{Selector: byCSS("div")}, body); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	if got, errs := one(t, Field{Selector: byCSS("p"), Regex: "x*"}, "<p>abc"); got != nil || len(errs) > 0 {
		t.Errorf("an empty match is a value: %q, %v", got, errs)
	}
}

func TestWrongValues(t *testing.T) {
	body := `<i>soon</i><b>1</b><b>two</b><b>3</b>`
	for _, as := range []string{"integer", "number", "boolean", "date", "json"} {
		got, errs := one(t, Field{Selector: byCSS("i"), As: as}, body)
		if got != nil || len(errs) != 1 || errs[0].Value != "soon" || errs[0].Field != "f" || errs[0].Dropped {
			t.Errorf("as %s: got %v with errors %v", as, got, errs)
		}
	}
	got, errs := one(t, Field{Selector: byCSS("b"), As: "integer", All: true}, body)
	if !reflect.DeepEqual(got, []any{int64(1), int64(3)}) || len(errs) != 1 || errs[0].Value != "two" {
		t.Errorf("list: got %v with errors %v", got, errs)
	}
	if _, errs := one(t, Field{Selector: byCSS("i"), As: "number", Required: true}, body); len(errs) != 1 || !errs[0].Dropped {
		t.Errorf("a required field of the wrong type: %v", errs)
	}
}

func TestEach(t *testing.T) {
	x := &Extractor{
		Each: &Selector{CSS: ".quote"},
		Fields: []Field{
			{Name: "id", Attr: "id"},
			{Name: "text", Selector: byCSS(".text"), Required: true},
			{Name: "author", Selector: byPath("//cite")},
			{Name: "page", Selector: byPath("ancestor::body/h1")},
		},
	}
	r := extract(t, x, `<h1>P</h1><cite>nobody</cite>
		<div class=quote id=q1><p class=text>one</p><cite>A</cite></div>
		<div class=quote id=q2><cite>B</cite></div>
		<div class=quote id=q3><p class=text>three</p></div>`)
	got := fmt.Sprint(shown(r))
	want := "[id=q1 text=one author=A page=P id=q3 text=three author=<nil> page=P]"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(r.Errors) != 1 || r.Errors[0].Field != "text" || !r.Errors[0].Dropped || !errors.Is(r.Errors[0].Err, errMissing) {
		t.Errorf("the dropped record is not reported as such: %v", r.Errors)
	}
}

func shown(r *crawler.Result) []string {
	var out []string
	for _, rec := range r.Records {
		for _, f := range rec.Fields {
			out = append(out, fmt.Sprintf("%s=%v", f.Name, f.Value))
		}
	}
	return out
}

func TestNothingFoundIsNoRecord(t *testing.T) {
	fields := []Field{{Name: "a", Selector: byCSS(".a"), Required: true}, {Name: "b", Selector: byCSS(".b"), As: "number"}}
	if r := extract(t, &Extractor{Fields: fields}, "<p>other page"); len(r.Records)+len(r.Errors) != 0 {
		t.Errorf("a page without the type gave %v %v", r.Records, r.Errors)
	}
	if r := extract(t, &Extractor{Fields: fields}, "<p class=b>5"); len(r.Records) != 0 || len(r.Errors) != 1 {
		t.Errorf("a record without its required field gave %v %v", r.Records, r.Errors)
	}
	if r := extract(t, &Extractor{Fields: fields[1:]}, "<p class=b>?"); len(r.Records) != 1 || len(r.Errors) != 1 {
		t.Errorf("a record whose only value is wrong gave %v %v", r.Records, r.Errors)
	}
}

func TestValidate(t *testing.T) {
	x := &Extractor{
		Each:       &Selector{},
		MaxRecords: -1,
		Fields: []Field{
			{Name: "_url", Selector: byCSS("h1")},
			{Name: "", Selector: byCSS("h1")},
			{Name: "twice"}, {Name: "twice"},
			{Name: "bad", Selector: byCSS("a[")},
			{Name: "scrapy", Selector: byCSS("a::attr(href)")},
			{Name: "swapped", Selector: byCSS("//a")},
			{Name: "both", Selector: Selector{CSS: "a", XPath: "//a"}},
			{Name: "path", Selector: byPath("//a[")},
			{Name: "path2", Selector: byPath("nosuch(1)")},
			{Name: "re", Regex: "(?=a)"},
			{Name: "as", As: "float"},
			{Name: "attr", Attr: "id", As: "markdown"},
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
		"max_records", "each", "fields._url", "fields.1", "fields.twice", "fields.bad.css", "fields.scrapy.css",
		"fields.swapped.css", "fields.both.xpath", "fields.path.xpath", "fields.path2.xpath", "fields.re.regex",
		"fields.as.as", "fields.attr.as",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("paths\n%q, want\n%q\nof %v", got, want, err)
	}
	for _, hint := range []string{"attr: href", "use the key xpath", "RE2"} {
		if !strings.Contains(err.Error(), hint) {
			t.Errorf("no hint %q in %v", hint, err)
		}
	}
	if err := (&Extractor{}).Validate(); err == nil || !strings.Contains(err.Error(), "fields are missing") {
		t.Errorf("no fields: %v", err)
	}
}

func TestRegistered(t *testing.T) {
	x, ok := crawler.Extractors.New(ID)
	if !ok || x.(*Extractor).MaxRecords != DefaultMaxRecords {
		t.Fatalf("the registry gives %v, %v", x, ok)
	}
}

// Expressions of every kind run at once on pages of their own and must not see
// each other.
func TestConcurrentUse(t *testing.T) {
	x := &Extractor{Each: &Selector{XPath: "//li[position() < last()]"}, Fields: []Field{
		{Name: "a", Selector: byPath("concat(count(preceding-sibling::li), ':', string(b))")},
		{Name: "b", Selector: byPath("b[contains(., 'n')]")},
		{Name: "c", Selector: byCSS("b"), As: "markdown"},
		{Name: "d", Selector: byPath("count(//b) + 1 > 1"), As: "boolean"},
	}}
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				var body, want strings.Builder
				for n := range g + i + 1 {
					fmt.Fprintf(&body, "<li><b>n%d.%d</b>", g, n)
					if n < g+i {
						fmt.Fprintf(&want, "a=%d:n%d.%d b=n%d.%d c=**n%d.%d** d=true ", n, g, n, g, n, g, n)
					}
				}
				p, r := page(t, "<ul>"+body.String()+"</ul>"), &crawler.Result{}
				if err := x.Extract(context.Background(), p, crawler.NewEmitter("t", p, r)); err != nil {
					t.Error(err)
				}
				if got := strings.Join(shown(r), " "); got != strings.TrimSpace(want.String()) {
					t.Errorf("got %s, want %s", got, want.String())
					return
				}
			}
		})
	}
	wg.Wait()
}
