package metadata

import (
	"errors"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

const library = `<script type="application/ld+json">{"@context":"https://schema.org","@type":"WebPage","name":"page",
"mainEntity":{"@type":"ItemList","itemListElement":[{"@type":"MusicEvent","name":"one","subEvent":{"@type":"Event","name":"inner"}},{"@type":"Event","name":"two"}]},
"author":{"@type":["Person","https://terms.example/Writer"],"name":"Ida"}}</script>`

func names(r *crawler.Result) string {
	var out []string
	for _, rec := range r.Records {
		name, _ := get(rec.Fields, "name").(string)
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		types []string
		want  string
	}{
		{nil, "page"},
		{[]string{"Event"}, "inner two"},
		{[]string{"*Event"}, "one two"}, // the inner one stands in the outer
		{[]string{"https://schema.org/Person"}, "Ida"},
		{[]string{"https://terms.example/Writer"}, "Ida"},
		{[]string{"Person", "ItemList"}, " Ida"},
		{[]string{"Product"}, ""},
	} {
		x := &JSONLD{Selection{Types: c.types}}
		if got := names(try(t, x, library)); got != c.want {
			t.Errorf("%q gives %q, want %q", c.types, got, c.want)
		}
	}
	r := try(t, &JSONLD{Selection{Types: []string{"*Event"}, MaxRecords: 1}}, library)
	if names(r) != "one" || len(r.Errors) != 1 || !r.Errors[0].Dropped {
		t.Errorf("cut: %s", lines(r))
	}
}

func TestDocumentOfItsOwn(t *testing.T) {
	p := testPage(t, []byte(`{"@context": "https://schema.org", "@type": "Person", "name": "Ida", "url": "x"}`))
	p.Response.MediaType = "application/ld+json"
	r := &crawler.Result{}
	x := &JSONLD{}
	if err := x.Extract(t.Context(), p, crawler.NewEmitter("thing", p, r)); err != nil || x.NeedsTree() {
		t.Fatal(err)
	}
	if got := lines(r); got != `{"@type":"Person","name":"Ida","url":"https://pages.example/a/x"}` {
		t.Error(got)
	}
	p.Response.MediaType = "application/json" // no word that it is JSON-LD
	r = &crawler.Result{}
	if err := x.Extract(t.Context(), p, crawler.NewEmitter("thing", p, r)); err != nil || len(r.Records) != 0 {
		t.Error(err, lines(r))
	}
}

func TestOnlyOpenGraph(t *testing.T) {
	const card = `<meta name="twitter:card" content="summary">`
	const own = card + `<meta property="og:title" content="x">`
	for _, c := range []struct {
		only bool
		page string
		want int
	}{{false, card, 1}, {true, card, 0}, {false, own, 1}, {true, own, 1}, {false, "<p>x", 0}} {
		if r := try(t, &OpenGraph{Only: c.only}, c.page); len(r.Records) != c.want {
			t.Errorf("%+v gives %s", c, lines(r))
		}
	}
}

// The order of the formats can be turned round, and formats left out.
func TestPrecedence(t *testing.T) {
	const page = `<title>Titled</title><meta property="og:title" content="Shared"><meta property="og:type" content="article">
<script type="application/ld+json">{"@context":"https://schema.org","@type":"Article","headline":"Described","author":"Ida"}</script>
<article class="h-entry"><h1 class="p-name">Marked</h1></article>`
	for _, c := range []struct{ formats, title, from string }{
		{"", "Described", "jsonld"},
		{"html jsonld", "Titled", "html"},
		{"opengraph html", "Shared", "opengraph"},
		{"microformats2 jsonld", "Marked", "microformats2"},
	} {
		x := &ArticleMeta{Precedence: Precedence{Formats: strings.Fields(c.formats)}}
		r := try(t, x, page)
		if len(r.Records) != 1 {
			t.Fatalf("%q: %s", c.formats, lines(r))
		}
		origin, _ := get(r.Records[0].Fields, "origin").([]crawler.Field)
		if get(r.Records[0].Fields, "title") != c.title || get(origin, "title") != c.from {
			t.Errorf("%q: %s", c.formats, lines(r))
		}
	}
	if r := try(t, &ArticleMeta{Precedence: Precedence{Formats: []string{"html"}}}, page); len(r.Records) != 0 {
		t.Errorf("no article: %s", lines(r))
	}
	if r := try(t, &ArticleMeta{Any: true, Precedence: Precedence{Formats: []string{"html"}}}, page); len(r.Records) != 1 {
		t.Errorf("any page: %s", lines(r))
	}
}

// Formats that tell of several products agree by name, address or number; those
// that share nothing are records of their own.
func TestSeveralProducts(t *testing.T) {
	const page = `<script type="application/ld+json">[{"@type":"Product","name":"Red pot","sku":"1","brand":"P"},{"@type":"Product","name":"Blue pot","sku":"2"}]</script>
<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Pot in blue</b><meta itemprop="sku" content="2"><p itemprop="description">Blue.</p></div>
<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">RED  POT</b><p itemprop="description">Red.</p></div>
<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Lid</b></div>`
	r := try(t, &Product{}, page)
	var got []string
	for _, rec := range r.Records {
		got = append(got, shown([]any{get(rec.Fields, "name"), get(rec.Fields, "description")}))
	}
	if want := `["Red pot","Red."] ["Blue pot","Blue."] ["Lid",null]`; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		x    crawler.Validator
		want string
	}{
		{&JSONLD{Selection{Types: []string{"[a"}}}, `types.0: "[a" is not a type`},
		{&RDFa{Selection: Selection{MaxRecords: -1}}, "max_records: max_records must be at least 1"},
		{&Product{Precedence{[]string{"jsonld", "json-ld"}}}, `precedence.1: "json-ld" is not a format (one of jsonld, microdata`},
		{&Event{Precedence{[]string{"rdfa", "rdfa"}}}, "precedence.1: rdfa stands here a second time"},
	} {
		var wrong *crawler.ConfigError
		if err := c.x.Validate(); !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.x, err, c.want)
		}
	}
}

// Pages without structured data give nothing, and no error.
func TestNothing(t *testing.T) {
	for _, body := range []string{"", "hello", "<p>x", "<script>{}</script>", "<meta name=description content=x>", "<div itemprop=x>", "<b property=x>", "<b class=h>", "\x00\xff<"} {
		for _, id := range extractors {
			if r := try(t, plugin(t, id), body); len(r.Records)+len(r.Errors) != 0 {
				t.Errorf("%s of %q: %s", id, body, lines(r))
			}
		}
	}
}
