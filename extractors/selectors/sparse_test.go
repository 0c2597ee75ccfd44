package selectors

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// FuzzWithoutTreeAsWithIt holds that fields are the same whether the page's tree
// is there or not.
func FuzzWithoutTreeAsWithIt(f *testing.F) {
	for _, css := range []string{"p", ".a", "#i", "p.a", "[title]", "a[href^='/']", "li, dd", "td.a, [class=\"b a\"]", ".a.b#i", "TD", "span", " p , div "} {
		for _, body := range []string{
			"<base href=/x/><div id=i class='a b' title=t><p class=a>1 <b>x</b><p>2</div><p>3<a class=a href=y title=z>w</a>", "<ul><li class=a>1<li>2</ul><table><tr><td class='b a'>3<td>4</table>",
			"<dl><dt>a<dd>b<dd class=a>c</dl><span class=a>d<br>e</span>", "<p class=a><b>x<p class=a>y</b>z", "<template><p class=a>x</template>", "<div class=a><div class=a>1</div>2</div>",
		} {
			f.Add(css, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, css string, body []byte) {
		if len(css) > 64 || len(body) > 4<<10 || wantsOf(css) == nil {
			return
		}
		one := byCSS(css)
		for _, x := range []*Extractor{
			{Fields: []Field{{Name: "a", Selector: one}, {Name: "b", Selector: one, As: "html", All: true}, {Name: "c", Selector: one, As: "url", Attr: "href"}, {Name: "d", Selector: one, As: "text", All: true}}},
			{Each: &one, Fields: []Field{{Name: "a"}, {Name: "b", Selector: byCSS(".a"), As: "markdown", All: true}, {Name: "c", Selector: one, Required: true}}},
		} {
			same(t, x, []byte(strings.ToValidUTF8(string(body), "\ufffd")))
		}
	})
}

// same compares what an extractor makes of a page without and with its tree, and
// reports whether it did without.
func same(t *testing.T, x *Extractor, body []byte) (without bool) {
	t.Helper()
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	var got [2]string
	for i := range got {
		p, r := page(t, string(body)), &crawler.Result{}
		if i == 1 {
			if _, err := p.Document(); err != nil {
				return false
			}
		}
		if err := x.Extract(context.Background(), p, crawler.NewEmitter("t", p, r)); err != nil {
			t.Fatal(err)
		}
		got[i] = fmt.Sprint(shown(r), r.Errors)
		without = without || i == 0 && !p.Parsed()
	}
	if got[0] != got[1] {
		t.Errorf("%+v on %q:\n without the tree %s\n with it %s", x.Fields, body, got[0], got[1])
	}
	return without
}

// The pages of the fixture web are ordinary ones: nearly all do without a tree.
func TestFixturesNeedNoTree(t *testing.T) {
	x := &Extractor{Fields: []Field{
		{Name: "title", Selector: byCSS("h1")}, {Name: "price", Selector: byCSS(".price_color"), As: "number"}, {Name: "links", Selector: byCSS("a[href]"), Attr: "href", As: "url", All: true},
		{Name: "cells", Selector: byCSS("td, th"), All: true}, {Name: "items", Selector: byCSS("li"), As: "markdown", All: true}, {Name: "meta", Selector: byCSS("meta[name]"), Attr: "content", All: true},
	}}
	pages, without := 0, 0
	err := filepath.WalkDir("../../fixtures/sites", func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".html" {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pages++
		if same(t, x, body) {
			without++
		}
		return nil
	})
	if err != nil || pages == 0 {
		t.Fatalf("%d pages, %v", pages, err)
	}
	if without*10 < pages*9 {
		t.Errorf("%d of %d pages did without a tree", without, pages)
	}
	t.Logf("%d of %d pages did without a tree", without, pages)
}

func TestSelectorsThatNeedNoTree(t *testing.T) {
	for css, want := range map[string]bool{
		"h1": true, ".price": true, "p.a.b": true, "#x": true, "a[href]": true, `a[rel~="next"]`: true, "h1, h2 , .x": true, "td": true, "[itemprop=name]": true,
		"*": false, "div p": false, "div > p": false, "p:first-child": false, "html": false, "BODY": false, "tbody": false, "p + p": false, "a[b!=c]": false, "p.\\31": false, "h1, div p": false,
		"a[href='x,y']": true, "a[href='x\\'']": false,
	} {
		if got := wantsOf(css) != nil; got != want {
			t.Errorf("%s: without a tree %v, want %v", css, got, want)
		}
	}
	for name, x := range map[string]*Extractor{
		"a field of the whole page": {Fields: []Field{{Name: "a"}}},
		"xpath":                     {Fields: []Field{{Name: "a", Selector: byPath("//h1")}}},
		"each by xpath":             {Each: &Selector{XPath: "//p"}, Fields: []Field{{Name: "a"}}},
		"a field by its ancestors":  {Each: &Selector{CSS: "p"}, Fields: []Field{{Name: "a", Selector: byCSS("div b")}}},
	} {
		if !x.NeedsTree() {
			t.Errorf("%s: no tree", name)
		}
	}
	if x := (&Extractor{Each: &Selector{CSS: "p"}, Fields: []Field{{Name: "a"}, {Name: "b", Selector: byCSS("b")}}}); x.NeedsTree() {
		t.Error("each by a name takes the tree")
	}
}
