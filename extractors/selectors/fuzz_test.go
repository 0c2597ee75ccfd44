package selectors

import (
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// FuzzSelectors compiles arbitrary selectors and applies them to arbitrary
// pages: mistakes are told by Validate, and no page and expression together
// take more than their share of work.
func FuzzSelectors(f *testing.F) {
	const page = "<div id=a class='b c'><p>1<p lang=de>2</div><table><tr><td>x<td>y</table>"
	for _, s := range [][3]string{
		{"div > p:nth-child(2n+1)", "//p[1]/text()", `(\d)`}, {"p:not([lang|=de])", "count(//td) > 1", "(?i)x"}, {"*", "//*[last()]", ""}, {":has(p)", "string(//td[2])", "^"},
		{"a:contains('x')", "//p[position() mod 2 = 1]", "("}, {"::before", "//p/ancestor-or-self::*", "a{1000}"}, {"[", "((((", "\\"}, {"p ~ p + p", "id('a')//@class", "[[:alpha:]]"},
		{":is(", "//p[.='1' or @lang]", "x*"}, {"\\31", "substring('x', 0, -1)", "\xff"}, {"td:nth-of-type(99999999999999999999)", "//*[contains(., //td)]", ""}, {"p", "//p[99999999999999999999]", ""},
		{"p", "concat(1, 2, //p)", ""}, {"p", "translate(//p, '1', '')", ""}, {"p", "//processing-instruction('x')", ""}, {"p", "$x", ""}, {"p", "a:b", ""}, {"p", "reverse(//p)", ""}, {"p", "matches(//p, '[')", ""},
	} {
		f.Add(s[0], s[1], s[2], []byte(page))
	}
	f.Fuzz(func(t *testing.T, css, xpath, regex string, body []byte) {
		if len(css)+len(xpath)+len(regex) > 512 || len(body) > 4<<10 {
			return
		}
		for _, s := range []Selector{{CSS: css}, {XPath: xpath}} {
			if s == (Selector{}) {
				continue
			}
			for _, x := range []*Extractor{
				{Fields: []Field{{Name: "a", Selector: s, Regex: regex, All: true}, {Name: "b", Selector: s, As: "markdown"}}},
				{Each: &s, Fields: []Field{{Name: "a"}, {Name: "b", Selector: s, As: "html"}}},
			} {
				if cheap(x).Validate() != nil {
					continue
				}
				p := crawler.NewPage(&crawler.Request{}, &crawler.Response{MediaType: "text/html", Body: []byte(strings.ToValidUTF8(string(body), "\ufffd"))})
				var r crawler.Result
				_ = x.Extract(t.Context(), p, crawler.NewEmitter("t", p, &r)) // an error is fine, a crash is not
			}
		}
	})
}
