package xmldoc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/metrics"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/antchfx/xmlquery"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func try(t testing.TB, x *XML, media, charset, body string) (*crawler.Result, error) {
	t.Helper()
	u, err := urls.Parse("https://s.example/dir/data.xml")
	if err != nil {
		t.Fatal(err)
	}
	p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{
		Body: []byte(body), MediaType: media, Charset: charset, Header: http.Header{},
	})
	r := &crawler.Result{}
	err = x.Extract(context.Background(), p, crawler.NewEmitter("row", p, r))
	return r, err
}

// shown is one line a record and error: name=value pairs, nulls left out.
func shown(t testing.TB, x *XML, body string) string {
	t.Helper()
	r, err := try(t, x, "application/xml", "utf-8", body)
	var lines []string
	for _, rec := range r.Records {
		var parts []string
		for _, f := range rec.Fields {
			if f.Value != nil {
				parts = append(parts, fmt.Sprintf("%s=%v", f.Name, f.Value))
			}
		}
		lines = append(lines, strings.Join(parts, "|"))
	}
	for _, e := range r.Errors {
		lines = append(lines, "! "+e.Place()+": "+e.Err.Error())
	}
	if err != nil {
		lines = append(lines, "!! "+err.Error())
	}
	return strings.Join(lines, "\n")
}

const catalogue = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE c [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>
<c xmlns="http://c.example" xmlns:dc="http://purl.org/dc/elements/1.1/">
 <book id="1"><dc:title>Oaks &amp; Ashes</dc:title><price cur="EUR">12.50</price><tag>tree</tag><tag> wood </tag><link>../b/1</link></book>
 <!-- <book id="9"/> -->
 <book id="2"><title><![CDATA[Two <b>]]></title><price>dear</price><in><book id="3"/></in></book>
 <shelf><book id="4"><title>Four &b; &eacute;</title></book></shelf>
</c>`

func fields(pairs ...string) []Field {
	var out []Field
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, Field{Name: pairs[i], XPath: pairs[i+1]})
	}
	return out
}

func TestXML(t *testing.T) {
	for name, c := range map[string]struct {
		x    *XML
		body string
		want string
	}{
		"a path": {&XML{Each: "/c/book", Fields: fields("id", "@id", "title", "dc:title | title")}, catalogue,
			"id=1|title=Oaks & Ashes\nid=2|title=Two <b>"},
		"anywhere": {&XML{Each: "//book", Fields: fields("id", "@id")}, catalogue, "id=1\nid=2\nid=4"}, // one within one is not one more
		"a name":   {&XML{Each: "shelf/book", Fields: fields("id", "@id")}, catalogue, "id=4"},
		"any name": {&XML{Each: "/*/*", Fields: fields("n", "name()")}, catalogue, "n=book\nn=book\nn=shelf"},
		"prefixes": {&XML{Each: "//dc:title", Fields: fields("t", ".")}, catalogue, "t=Oaks & Ashes"},
		"types": {&XML{Each: "/c/book", Fields: []Field{
			{Name: "price", XPath: "price", As: "number"}, {Name: "tags", XPath: "tag", All: true},
			{Name: "link", XPath: "link", As: "url"}, {Name: "n", XPath: "count(tag)", As: "integer"},
		}}, catalogue, "price=12.5|tags=[tree wood]|link=https://s.example/b/1|n=2\nn=0\n! row.price: not a number (a regex can narrow the text)"},
		"required":    {&XML{Each: "//book", Fields: []Field{{Name: "t", XPath: "title", Required: true}, {Name: "id", XPath: "@id"}}}, catalogue, "t=Two <b>|id=2\nt=Four &b; é|id=4\n! row.t: required, but not found"},
		"no fields":   {&XML{Each: "/c/book"}, catalogue, "id=1|dc:title=Oaks & Ashes|price=12.50|tag=[tree wood]|link=../b/1\nid=2|title=Two <b>|price=dear\nid=4|title=Four &b; é"[:len("id=1|dc:title=Oaks & Ashes|price=12.50|tag=[tree wood]|link=../b/1\nid=2|title=Two <b>|price=dear")]},
		"a document":  {&XML{Fields: fields("n", "count(//book)", "last", "//book[last()]/@id")}, catalogue, "n=4|last=2"},
		"bounded":     {&XML{Each: "//book", MaxRecords: 1, Fields: fields("id", "@id")}, catalogue, "id=1\n! row: more than 1 records in one document: the rest was left out"},
		"nothing":     {&XML{Each: "/x", Fields: fields("id", "@id")}, catalogue, ""},
		"broken off":  {&XML{Each: "//a", Fields: fields("t", ".")}, "<x><a>1</a><a>2</a><a>3", "t=1\nt=2\nt=3"},
		"a bad tag":   {&XML{Each: "//a", Fields: fields("t", ".")}, "<x><a>1</a><a>2</a><", "t=1\nt=2\n! row: reading the XML: XML syntax error on line 1: unexpected EOF: what stands behind it was left out"},
		"mixed up":    {&XML{Each: "//a", Fields: fields("t", ".")}, "<x><a><b>1</a></b><a>2</c></a></x>", "t=1\nt=2"},
		"empty":       {&XML{}, "", "!! reading the XML: there is no element in it"},
		"no XML":      {&XML{}, "just text", "!! reading the XML: there is no element in it"},
		"an argument": {&XML{Each: "//a", Fields: fields("t", "substring(., 'x')")}, "<a>1</a>", "!! reading the XML: field \"t\": evaluating the XPath: substring() function first argument type must be int"},
	} {
		got := shown(t, c.x, c.body)
		if name == "an argument" {
			if !strings.Contains(got, "evaluating the XPath") {
				t.Errorf("%s: got %s", name, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// Which pages are XML, and in which encoding.
func TestWhatIsXML(t *testing.T) {
	x := &XML{Fields: fields("t", "/a")}
	for _, c := range []struct {
		media, charset, body string
		want                 int
	}{
		{"text/xml", "utf-8", "<a>x</a>", 1}, {"application/atom+xml", "utf-8", "<a>x</a>", 1},
		{"text/plain", "utf-8", "\ufeff<?xml version='1.0'?><a>x</a>", 1}, {"text/plain", "utf-8", "<a>x</a>", 0},
		{"text/html", "utf-8", "<a>x</a>", 0}, {"application/json", "utf-8", "{}", 0},
		{"application/octet-stream", "", "<?xml version='1.0' encoding='windows-1251'?><a>\xe4\xe0</a>", 1},
		{"text/xml", "windows-1251", "<?xml version='1.0' encoding='windows-1251'?><a>да</a>", 1},
	} {
		r, err := try(t, x, c.media, c.charset, c.body)
		if err != nil || len(r.Records) != c.want {
			t.Errorf("%s %q: %d records, %v", c.media, c.body, len(r.Records), err)
			continue
		}
		if strings.Contains(c.body, "1251") && r.Records[0].Fields[0].Value != "да" {
			t.Errorf("%s %q: got %v", c.media, c.charset, r.Records[0].Fields)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"nesting":  {strings.Repeat("<a>", MaxDepth+1), errTooDeep},
		"nodes":    {"<a>" + strings.Repeat("<b/>", MaxNodes+1), errTooLarge},
		"text":     {"<a>" + strings.Repeat("<b>0123456789012345678901234567890123456789</b>", 1+MaxText/40), errTooLarge},
		"entities": {`<!DOCTYPE a [<!ENTITY x "` + strings.Repeat("y", 100) + `"><!ENTITY z "&x;&x;&x;">]><a>` + strings.Repeat("&z;", 1000) + "</a>", nil},
	} {
		r, err := try(t, &XML{Each: "//a", Fields: fields("t", ".")}, "text/xml", "utf-8", c.body)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want == nil && len(r.Records[0].Fields[0].Value.(string)) != 3000 {
			t.Errorf("%s: %.100v", name, r.Records)
		}
	}
}

// A document of 50 MB takes no more than its body and a record.
func TestLongDocument(t *testing.T) {
	const one = `<book id="7"><title>A title of some length</title><price>12.50</price><text>Words, and more words.</text></book>` + "\n"
	body := "<c>" + strings.Repeat(one, 50<<20/len(one)) + "</c>"
	x := &XML{Each: "/c/book", MaxRecords: 1_000_000, Fields: []Field{{Name: "none", XPath: "missing"}}}
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	count, highest := 0, uint64(0)
	base := heap()
	s := newStream([]byte(body), true, x.plan.each, nil)
	r := &reading{ctx: t.Context(), plan: &x.plan}
	s.found = func(n *xmlquery.Node) error {
		if count++; count%50_000 == 0 {
			highest = max(highest, heap())
		}
		return r.element(n)
	}
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if count != 50<<20/len(one) {
		t.Errorf("%d elements", count)
	}
	// The body is there twice; the collector lets as much garbage stand as lives.
	if grown := int64(highest) - int64(base); grown > 250<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

func TestMistakes(t *testing.T) {
	err := (&XML{
		Each: "/a[1]", MaxRecords: -1,
		Fields: []Field{{Name: "_x", XPath: "a"}, {Name: "y", XPath: "["}, {Name: "y", XPath: "a", As: "html"}},
	}).Validate()
	for _, want := range []string{"each: ", "max_records: ", "fields._x: ", "fields.y.xpath: ", "fields.y: ", "fields.y.as: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
}

func FuzzXML(f *testing.F) {
	f.Add(catalogue)
	f.Add("<a><b c='d'>&lt;&#x41;</b><?x y?></a></z><q")
	f.Fuzz(func(t *testing.T, body string) {
		for _, x := range []*XML{
			{}, {Each: "//b", Fields: fields("t", "."), MaxRecords: 5},
			{Each: "*", Fields: []Field{{Name: "t", XPath: "//*/@*", All: true}, {Name: "u", XPath: "..", As: "url"}}},
		} {
			r, _ := try(t, x, "application/xml", "utf-8", body)
			for _, rec := range r.Records {
				for _, f := range rec.Fields {
					if text, ok := f.Value.(string); f.Name == "" || ok && utf8.ValidString(body) && !utf8.ValidString(text) {
						t.Fatalf("field %q: %q", f.Name, text)
					}
				}
			}
		}
	})
}
