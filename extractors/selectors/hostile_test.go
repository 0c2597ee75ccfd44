package selectors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// busy holds a field of every kind.
func busy() []Field {
	fields := []Field{{Name: "x", Selector: byPath("//*[contains(., 'a')]/following::*[1]")}}
	for _, k := range values.Types {
		fields = append(fields, Field{Name: string(k), Selector: byCSS("*"), As: string(k), All: true})
	}
	return fields
}

func TestHostilePages(t *testing.T) {
	for name, body := range map[string]string{
		"nested at the bound":   strings.Repeat("<div>", 500) + "a",
		"nested beyond":         strings.Repeat("<div>", 100_000) + "a",
		"attributes":            "<p " + strings.Repeat("a=1 ", 10_000) + manyAttributes(50_000) + ">a",
		"siblings":              strings.Repeat("<i>a", 400) + strings.Repeat("<br>", 20_000),
		"deep and wide":         strings.Repeat(strings.Repeat("<b>", 400)+"a"+strings.Repeat("</b>", 400), 100),
		"never closed":          "<a <b <c " + strings.Repeat("<!-- <title>", 10_000),
		"nothing":               "",
		"zeros":                 strings.Repeat("\x00", 10_000),
		"tables in tables":      strings.Repeat("<table><tr><td>", 3000),
		"formatting left open":  strings.Repeat("<b><i><u><p>", 3000),
		"not UTF-8":             "<p>\xff\xfe</p>",
		"raw text left open":    "<textarea><p>" + strings.Repeat("x", 100_000),
		"svg and math confused": strings.Repeat("<svg><math><mi><foreignObject>", 100),
	} {
		t.Run(name, func(t *testing.T) {
			// An error is fine; a crash or a hang is not.
			if _, err := try(t, cheap(&Extractor{Fields: busy()}), body); err != nil {
				t.Log(err)
			}
			if r, err := try(t, cheap(&Extractor{Each: &Selector{CSS: "*"}, Fields: busy()[:4]}), body); err != nil {
				t.Log(err, len(r.Records))
			}
		})
	}
}

// cheap lowers what a page may cost, to keep the test short.
func cheap(x *Extractor) *Extractor {
	x.steps, x.values = 1_000_000, 4<<20
	return x
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("a")
		for d := i; d > 0; d /= 26 {
			b.WriteByte(byte('a' + d%26))
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// The cost of a page ends at its bound, whatever the expression.
func TestWorkIsBounded(t *testing.T) {
	wide := "<body>" + strings.Repeat("<i>a</i>", 5_000)
	for _, s := range []Selector{
		byPath("//i/preceding-sibling::i/following-sibling::i[. = 'b']"),
		byPath("//i[count(preceding::i) = 4999]"),
		byPath("//*[. = //i]//preceding::*"),
		byPath("count(//i | //i/.. | //i/following::*)"),
	} {
		x := cheap(&Extractor{Fields: []Field{{Name: "a", Selector: s, All: true}}})
		if _, err := try(t, x, wide); !errors.Is(err, errTooMuchWork) {
			t.Errorf("%v: got %v, want %v", s, err, errTooMuchWork)
		}
	}
	x := cheap(&Extractor{Each: &Selector{XPath: "//i"}, Fields: []Field{{Name: "a", Selector: byPath("../../body"), As: "raw"}}})
	body := "<body>" + strings.Repeat("<i></i>", 100) + strings.Repeat("a", 1<<17)
	if _, err := try(t, x, body); !errors.Is(err, errTooLarge) {
		t.Errorf("values: got %v, want %v", err, errTooLarge)
	}
}

func TestDeadline(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	over := errors.New("over")
	cancel(over)
	for _, s := range []Selector{byCSS("b"), byPath("//b")} {
		p, r := page(t, strings.Repeat("<i>a</i>", 5000)), &crawler.Result{}
		x := &Extractor{Fields: []Field{{Name: "a", Selector: s}}}
		if err := x.Extract(ctx, p, crawler.NewEmitter("t", p, r)); !errors.Is(err, over) {
			t.Errorf("%v: got %v, want %v", s, err, over)
		}
	}
}

func TestRecordsAndErrorsAreBounded(t *testing.T) {
	x := &Extractor{MaxRecords: 3, Each: &Selector{CSS: "i"}, Fields: []Field{{Name: "a"}}}
	r := extract(t, x, strings.Repeat("<i>a</i>", 4))
	if len(r.Records) != 3 || len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Error(), "more than 3 records") {
		t.Errorf("got %d records, %v", len(r.Records), r.Errors)
	}
	if r := extract(t, x, strings.Repeat("<i>a</i>", 3)); len(r.Records) != 3 || len(r.Errors) != 0 {
		t.Errorf("at the bound: got %d records, %v", len(r.Records), r.Errors)
	}
	x = &Extractor{Fields: []Field{{Name: "a", Selector: byCSS("i"), As: "number", All: true}}}
	r = extract(t, x, strings.Repeat("<i>a</i>", maxErrors+50))
	if len(r.Errors) != maxErrors+1 || !strings.Contains(r.Errors[maxErrors].Error(), "50 more field errors") {
		t.Errorf("got %d errors, the last %v", len(r.Errors), r.Errors[len(r.Errors)-1])
	}
}

// Reading a page leaves its tree as it was: others share it.
func TestTreeIsUnchanged(t *testing.T) {
	pieces := []string{"<p>", "</p>", "<b> ", "</b>", "<a href=x>", "</a>", "<table>", "<td>", "<svg>", "<pre>", "\n a ", "<script>x</script>", "<!-- c -->", "<br>", "<ul><li>", "<img src=y>"}
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 30).Draw(t, "page"), "")
		p := crawler.NewPage(&crawler.Request{}, &crawler.Response{MediaType: "text/html", Body: []byte(body)})
		doc, err := p.Document()
		if err != nil {
			t.Fatal(err)
		}
		var before, after strings.Builder
		_ = html.Render(&before, doc.Nodes[0])
		r := &crawler.Result{}
		if err := (&Extractor{Fields: busy()}).Extract(context.Background(), p, crawler.NewEmitter("t", p, r)); err != nil {
			t.Fatal(err)
		}
		if _ = html.Render(&after, doc.Nodes[0]); before.String() != after.String() {
			t.Fatalf("%q became %q", before.String(), after.String())
		}
		for _, rec := range r.Records {
			for _, f := range rec.Fields {
				if s, ok := f.Value.(string); ok && f.Name == "string" && (!utf8.ValidString(s) || strings.Join(strings.Fields(s), " ") != s) {
					t.Fatalf("%q is not folded", s)
				}
			}
		}
	})
}
