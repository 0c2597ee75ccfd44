package markup

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// wants are selectors with what to sift by.
var wants = []Want{
	want(".a", Want{Class: "a"}), want("#i", Want{ID: "i"}), want("b", Want{Tag: "b"}), want("span.a", Want{Tag: "span", Class: "a"}),
	want("[href]", Want{Attr: "href"}), want("li", Want{Tag: "li"}), want("td", Want{Tag: "td"}), want("table", Want{Tag: "table"}),
	want("div", Want{Tag: "div"}), want("p", Want{Tag: "p"}), want("option", Want{Tag: "option"}), want("pre", Want{Tag: "pre"}), want("h1", Want{Tag: "h1"}),
	want("ruby", Want{Tag: "ruby"}), want("form", Want{Tag: "form"}), want("textarea", Want{Tag: "textarea"}), want("x-y", Want{Tag: "x-y"}),
	want("title", Want{Tag: "title"}), want("noscript", Want{Tag: "noscript"}), want("select", Want{Tag: "select"}), want("a", Want{Tag: "a"}),
}

func want(css string, w Want) Want {
	w.Match = cascadia.MustCompile(css).Match
	return w
}

var documents = []string{
	"<!doctype html><html><head><title>t</title><meta name=a class=a></head><body class=x><div class=a>x<p>y<p>z<b>w</b></div>v</body></html>",
	"<ul><li>a<li class=a>b<ul><li>c</ul></ul><dl><dt>a<dd class=a>b<dt>c</dl>", "<p>a<div class=a>b</div>c</p>", "<p class=a>a<b>b<p>c", "<b class=a><p>x</b>y",
	"<table><tr><td class=a>x<td>y<tr><th>z</table>w", "<table class=a><thead><tr><th>a</th></tr></thead><tr><td>b</table>", "<table>x<tr><td>y</table>", "<table><caption class=a>c</caption><colgroup><col class=a></colgroup><tbody><tr><td><table><tr><td>n</table></table>",
	"<div class=a><table><tr><td>1</td></tr><tr><td>2</td></tr></table><!-- c --><span>x</span></div>", "<pre class=a>\n\nx</pre><textarea class=a>\n&lt;b></textarea>", "<select class=a><option>a<option class=a>b<optgroup><option>c</select>d", "<datalist><option class=a>x<option>y</datalist>",
	"<svg class=a></svg><svg><path d=x /><title>x</title></svg><div class=a>y</div>", "<div class=a><svg></svg></div>", "<svg><use xlink:href=x></svg>", "<svg><g></svg>x<i class=a>y</i>",
	"<form class=a><form id=i><input class=a></form>x</form>y", "<h1 class=a>x<h2>y</h2>", "<a href=x class=a>b<a href=y>c</a>", "<noscript><p class=a>x</p></noscript>", "<head><noscript><link class=a></noscript></head>x", "<head><noscript><p class=a>x</noscript></head>",
	"<head></head><noscript><p class=a>x</noscript>", "<div class=a>x</span>y</div>z</div>w", "<template><div class=a>x</template>", "x<html class=a>y", "<div class=a>x</body><!-- c -->y</html>z<!-- d -->", "<div class=a>x<body class=a>", "<span class=a>x<div>y</span>z</div>", "<x-y class=a>b</X-Y>c",
	"<ruby class=a>x<rt>y<rp>z</ruby>w", "<button class=a>x<button>y</button>", "<frameset><frame class=a></frameset>", "<image class=a>", "<p class=a>x</br>y", "</p><div class=a>x", "<div class='&#97;'>x</div>", "<p class=a>x<hr class=a>y", "<li class=a><div>x<li>y", "<object class=a><p>x</object>y", "<nobr class=a>x<nobr>y", "<style class=a>x</style><script class=a>y</script><iframe class=a><p></iframe>",
	"<div class=a>a&amp;b\r\nc<br>d</div>", "<title class=a>x", "<b><table><tr><td></b><i class=a>y</i></table>", strings.Repeat("<div>", 600) + "<p class=a>", "<select><p class=a>x<option>y</select>z", "<math><mi class=a>x</math>",
}

// FuzzSparseAgreesWithTree holds that Sparse gives the elements that selectors
// find in the whole tree, with the same content, or says that it can not.
func FuzzSparseAgreesWithTree(f *testing.F) {
	for _, p := range append(append([]string{}, pages...), documents...) {
		f.Add([]byte(p), uint32(1))
		f.Add([]byte(p), uint32(1<<len(wants)-1))
		f.Add([]byte(p), uint32(0x55555555))
	}
	f.Fuzz(func(t *testing.T, page []byte, which uint32) {
		agree(t, page, which)
	})
}

// Tags that follow each other in any order reach the rules sooner than octets do.
func TestSparseAgreesOnTagSoup(t *testing.T) {
	words := strings.Fields(`html head body title meta link script style noscript base div p span b i a li ul ol dl dt dd h1 h2 table
		tbody thead tr td th caption colgroup col form input button select option optgroup textarea pre br hr img svg path g title desc
		object nobr ruby rt rp rtc section x-y template iframe datalist center font u math image frameset applet search label`)
	part := rapid.Custom(func(t *rapid.T) string {
		tag := rapid.SampledFrom(words).Draw(t, "tag")
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0, 1, 2:
			return "<" + tag + ">"
		case 3:
			return "<" + tag + rapid.SampledFrom([]string{" class=a>", " viewbox=0 xlink:href=x>", " id=i>", " href=x />", " color=x class='a b'>", "/>"}).Draw(t, "attributes")
		case 4, 5, 6:
			return "</" + tag + ">"
		}
		return rapid.SampledFrom([]string{"x", " ", "\n", "&amp;", "<!-- c -->", "y z", "<!doctype html>", "&#32;", "<!DOCTYPE x PUBLIC 'a'>"}).Draw(t, "text")
	})
	rapid.Check(t, func(rt *rapid.T) {
		page := strings.Join(rapid.SliceOfN(part, 1, 30).Draw(rt, "parts"), "")
		agree(rt, []byte(page), rapid.Uint32().Draw(rt, "wants"))
		agreeWhole(rt, []byte(page))
	})
}

// FuzzTreeAgreesWithParser holds that Tree makes the tree that the parser makes.
func FuzzTreeAgreesWithParser(f *testing.F) {
	for _, p := range append(append([]string{}, pages...), documents...) {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, page []byte) { agreeWhole(t, page) })
}

// agreeWhole compares the whole tree with the parser's, and reports whether the
// parser was not needed.
func agreeWhole(t interface{ Fatalf(string, ...any) }, page []byte) bool {
	got, ok := quick(page)
	if !ok {
		return false
	}
	want, err := html.ParseWithOptions(bytes.NewReader(page), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatalf("%q has no tree (%v), but a quick one", page, err)
	}
	var g, w strings.Builder
	dump(&g, got)
	dump(&w, want)
	if g.String() != w.String() {
		t.Fatalf("%q:\n got %s\nwant %s", page, g.String(), w.String())
	}
	return true
}

// agree compares what the wants of a set bit find in both trees, and reports
// whether there was a sparse one.
func agree(t interface{ Fatalf(string, ...any) }, page []byte, which uint32) bool {
	var some []Want
	for i, w := range wants {
		if which&(1<<i) != 0 {
			some = append(some, w)
		}
	}
	sparse, ok := Sparse(page, some)
	if !ok {
		return false
	}
	whole, err := html.ParseWithOptions(bytes.NewReader(page), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatalf("%q has no tree (%v), but a sparse one", page, err)
	}
	for _, w := range some {
		if got, want := found(sparse, w.Match), found(whole, w.Match); got != want {
			t.Fatalf("%q:\n got %s\nwant %s", page, got, want)
		}
	}
	return true
}

// found is what a selector matches, with its content.
func found(root *html.Node, match func(*html.Node) bool) string {
	var b strings.Builder
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode && match(n) {
			fmt.Fprintf(&b, "%v:", n.DataAtom)
			dump(&b, n)
			b.WriteByte('\n')
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	visit(root)
	return b.String()
}

func dump(b *strings.Builder, n *html.Node) {
	fmt.Fprintf(b, "(%d %q %v %q %q", n.Type, n.Data, n.DataAtom, n.Namespace, fmt.Sprint(n.Attr))
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		dump(b, c)
	}
	b.WriteByte(')')
}

// Ordinary pages, with what authors leave out, need no tree.
func TestOrdinaryPagesAreRead(t *testing.T) {
	for _, i := range []int{0, 1, 5, 6, 8, 9, 10, 11, 12, 13, 17, 18, 21, 24} {
		if _, ok := Sparse([]byte(documents[i]), []Want{want("#i", Want{ID: "i"})}); !ok {
			t.Errorf("%q was left to the parser", documents[i])
		}
	}
}
