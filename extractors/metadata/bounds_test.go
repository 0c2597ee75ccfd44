package metadata

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// size is how much a result would be in memory and in an output.
func size(v any) int {
	switch v := v.(type) {
	case []crawler.Field:
		n := 0
		for _, f := range v {
			n += len(f.Name) + size(f.Value) + 1
		}
		return n
	case []any:
		n := 0
		for _, e := range v {
			n += size(e) + 1
		}
		return n
	case string:
		return len(v)
	case json.RawMessage:
		return len(v)
	}
	return 8
}

// hostile are pages that make much of little.
func hostile() map[string]string {
	pages := map[string]string{}
	script := func(name, json string) {
		pages[name] = `<script type="application/ld+json">` + json + `</script>`
	}
	script("deep", strings.Repeat("[", 100_000))
	script("deep objects", strings.Repeat(`{"a":`, 100_000))
	script("unfinished", `{"a":"`+strings.Repeat("x", 1<<20))
	script("many", "["+strings.Repeat(`{"@type":"T","a":1},`, 20_000)+"]")
	script("many properties", "{"+memberTexts(40_000)+`"@type":"T"}`)
	script("many types", `{"@type":[`+strings.TrimSuffix(strings.Repeat(`"T","U","V",`, 20_000), ",")+`]}`)
	script("one id", "["+strings.Repeat(`{"@id":"a","b":{"c":"d"}},{"@id":"a","@type":"x","b":{"c":1}},`, 10_000)+"]")
	script("large context", `{"@context":{`+memberTexts(10_000)+`"z":"y"},"a":[`+strings.Repeat(`{"@context":{"x":"y"},"b":1},`, 10_000)+"]}")
	var doubling strings.Builder // each thing holds the next one twice
	for i := range 60 {
		fmt.Fprintf(&doubling, `{"@id":"%d","@type":"T","a":{"@id":"%d"},"b":{"@id":"%d"},"text":"%s"},`, i, i+1, i+1, strings.Repeat("x", 1000))
	}
	script("doubling", "["+doubling.String()+`{"@id":"60","c":1}]`)
	script("circle", "["+strings.Repeat(`{"@id":"a","@type":"T","b":{"@id":"b"}},{"@id":"b","@type":"T","b":[{"@id":"a"},{"@id":"b"}]},`, 100)+"]")

	var refs, each strings.Builder
	for i := range 400 {
		fmt.Fprintf(&refs, "i%d ", i)
	}
	for i := range 400 {
		fmt.Fprintf(&each, `<p itemprop=p itemscope itemtype=T id=i%d itemref="%s"><b itemprop=n>%d</b></p>`, i, refs.String(), i)
	}
	pages["itemref"] = each.String()
	text := strings.Repeat("word ", 80_000)
	pages["nested itemprop"] = "<div itemscope>" + strings.Repeat("<div itemprop=a>", 450) + text
	pages["nested property"] = "<div vocab='https://schema.org/' typeof=Thing>" + strings.Repeat("<div property=a>", 450) + text
	pages["nested markup"] = "<div vocab='https://schema.org/' typeof=Thing>" + strings.Repeat("<div property=a datatype=rdf:HTML>", 450) + text
	pages["nested e-"] = "<div class=h-entry>" + strings.Repeat("<div class=e-content>", 450) + text
	pages["nested h-"] = strings.Repeat("<div class='p-x h-entry'>", 450) + text
	pages["many classes"] = strings.Repeat("<b class='"+strings.Repeat("p-ab h-cd ", 4_000)+"'>", 20)
	pages["incomplete"] = "<div about=a rel='" + strings.Repeat("og:x ", 10_000) + "'>" + strings.Repeat("<b about=b></b>", 10_000)
	pages["many prefixes"] = strings.Repeat("<b prefix='"+strings.Repeat("a: b c: d ", 100)+"'>", 400) + strings.Repeat("<i property=og:x prefix='z: y'>x</i>", 10_000)
	pages["many og"] = metas(20_000)
	pages["too deep"] = strings.Repeat("<div>", 600) + `<b itemscope>`
	return pages
}

func memberTexts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":"v",`, i)
	}
	return b.String()
}

func metas(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<meta property="og:k%d" content="v">`, i)
	}
	return b.String()
}

// A block of the size that a body may have is read in one go.
func TestLargeBlock(t *testing.T) {
	body := `<script type="application/ld+json">{"@type":"Dataset","name":"big","distribution":[` + strings.Repeat(`{"@type":"DataDownload","contentUrl":"/f.csv","size":"1 &amp; 2 /* no comment */"}, // one
`, 60_000) + `]}</script>`
	r := try(t, &JSONLD{}, body)
	if len(body) < 5<<20 || len(r.Records) != 1 || len(r.Errors) != 0 {
		t.Fatalf("%d octets: %d records, %v", len(body), len(r.Records), r.Errors)
	}
	list, _ := get(r.Records[0].Fields, "distribution").([]any)
	if len(list) != 60_000 || shown(list[59_999]) != `{"@type":"DataDownload","contentUrl":"https://pages.example/f.csv","size":"1 & 2 /* no comment */"}` {
		t.Errorf("%d parts, the last %s", len(list), shown(list[len(list)-1]))
	}
}

// Whatever a page holds, what is made of it is no more than a few times its size.
func TestBounds(t *testing.T) {
	for name, body := range hostile() {
		for _, id := range extractors {
			r := try(t, plugin(t, id), body)
			n := 0
			for _, rec := range r.Records {
				n += size(rec.Fields)
			}
			if limit := 3<<20 + 10*len(body); n > limit {
				t.Errorf("%s: %s makes %d octets of %d", name, id, n, len(body))
			}
			if len(r.Records) > DefaultMaxRecords {
				t.Errorf("%s: %s makes %d records", name, id, len(r.Records))
			}
			if len(r.Errors) > 1000 {
				t.Errorf("%s: %s gives %d errors", name, id, len(r.Errors))
			}
		}
	}
}

// What was cut off is told.
func TestCutsAreTold(t *testing.T) {
	pages := hostile()
	for _, c := range []struct{ extractor, page, want string }{
		{"jsonld", "many", "more than 10000 records on one page"},
		{"jsonld", "deep", "it is nested deeper than 128 levels"},
		{"jsonld", "unfinished", "unexpected EOF"},
		{"jsonld", "doubling", "refer to each other too often"},
		{"microdata", "itemref", "refer to each other too often"},
		{"microdata", "nested itemprop", "says the same text too often"},
		{"rdfa", "nested property", "says the same text too often"},
		{"rdfa", "nested markup", "says the same text too often"},
		{"microformats2", "nested e-", "says the same text too often"},
		{"microdata", "too deep", "parsing https://pages.example/a/b.html"},
	} {
		r := try(t, plugin(t, c.extractor), pages[c.page])
		if got := lines(&crawler.Result{Errors: r.Errors}); !strings.Contains(got, c.want) {
			t.Errorf("%s of %s says %.300q, want %q", c.extractor, c.page, got, c.want)
		}
	}
}

// A run that ends while a page is read ends the reading.
func TestEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	body := strings.Repeat("<p itemscope><b itemprop=a>x</b></p>", 10_000)
	for _, id := range extractors {
		p := testPage(t, []byte(body))
		r := &crawler.Result{}
		err := plugin(t, id).Extract(ctx, p, crawler.NewEmitter("thing", p, r))
		if err == nil && len(r.Errors) == 0 {
			t.Errorf("%s goes on", id)
		}
	}
}
