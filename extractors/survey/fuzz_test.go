package survey

import (
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
)

// FuzzPage surveys arbitrary pages: every selector that is proposed compiles and
// finds something on the page.
func FuzzPage(f *testing.F) {
	for _, s := range []string{
		"", "<ul><li><a href=/a>A</a> x<li><a href=/b>B</a> y<li><a href=/c>C</a> z</ul>",
		"<div class=q><p class=t>a<b class=u>1</b></div><div class=q><p class=t>b<b class=u>2</b></div>",
		"<main><h1>x</h1><table><tr><th>A<td>1<tr><th>B's \"C\"<td>2</table><dl><dt>x<dd>y</dl><p id=p>" + strings.Repeat("word ", 80),
		"<div itemscope itemtype='x\"]'><span itemprop='a b'>1</span></div>", "<div class='a\\:b {} 1' id='#'><div class=a><div class=a>",
		"<svg><a href=x>y</a></svg><math><mi class=x>", "<a rel=next href=?page=2>", "<script type=application/ld+json>{\"@type\":[1,{}]}</script>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, page string) {
		if len(page) > 16<<10 {
			return
		}
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			return
		}
		find := func(css string) {
			if css == "" {
				return
			}
			group, err := cascadia.ParseGroup(css)
			if err != nil {
				t.Fatalf("%q of %q does not compile: %v", css, page, err)
			}
			if cascadia.Query(root, group) == nil {
				t.Errorf("%q finds nothing in %q", css, page)
			}
		}
		for _, r := range Blocks(root) {
			find(r.Each)
			find(r.Link)
			for _, field := range r.Fields {
				find(field.CSS)
			}
		}
		rule, _ := Detail(root)
		for _, field := range rule.Fields {
			find(field.CSS)
		}
		for _, table := range Tables(root) {
			find(table.CSS)
		}
		css, _ := Next(root)
		find(css)
		Structured(root)
		Feeds(root)
		for _, island := range Islands(root) {
			find(island.CSS)
		}
	})
}
