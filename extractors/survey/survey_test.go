package survey

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const sites = "../../fixtures/sites/"

func site(t testing.TB, path string) *html.Node {
	t.Helper()
	data, err := os.ReadFile(sites + path)
	if err != nil {
		t.Fatal(err)
	}
	return tree(t, string(data))
}

func tree(t testing.TB, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func shown(fields []Field) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%s=%s%s", f.Name, f.CSS, f.XPath)
		for key, v := range map[string]string{"@": f.Attr} {
			if v != "" {
				b.WriteString(key + v)
			}
		}
		for _, v := range []string{f.Regex, f.As} {
			if v != "" {
				b.WriteString(" " + v)
			}
		}
		if f.All {
			b.WriteString(" all")
		}
		if f.Required {
			b.WriteString(" required")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestBlocksOfTheFixtures(t *testing.T) {
	for _, tt := range []struct {
		page, kind, each, link string
		blocks                 int
		fields                 string
	}{
		{"books.example/catalogue/page-2.html", "product", ".product_pod", ".product_pod h3 a", 20,
			"title=h3 required\nurl=h3 a url\nimage=img url\nprice=.price_color number\n"},
		{"quotes.example/index.html", "quote", ".quote", `.quote a[href*="/author/"]`, 8,
			"text=[itemprop=text]\nauthor=[itemprop=creator]\nauthor_url=a[href*=\"/author/\"] url\ntags=.tag all\n"},
		{"news.example/index.html", "teaser", ".teaser", ".teaser h2 a", 12,
			"title=h2 required\nurl=h2 a url\nauthor=[rel=author]\nauthor_url=[rel=author] url\ndate=.byline time date\ntext=p:not([class])\n"},
	} {
		found := Blocks(site(t, tt.page))
		if len(found) == 0 {
			t.Errorf("%s: no blocks", tt.page)
			continue
		}
		r := found[0]
		if r.Type != tt.kind || r.Each != tt.each || r.Link != tt.link || r.Blocks != tt.blocks || len(r.Links) != tt.blocks {
			t.Errorf("%s: %s by %q, %d blocks, %d links by %q", tt.page, r.Type, r.Each, r.Blocks, len(r.Links), r.Link)
		}
		if got := shown(r.Fields); got != tt.fields {
			t.Errorf("%s: got\n%swant\n%s", tt.page, got, tt.fields)
		}
	}
}

func TestDetailsOfTheFixtures(t *testing.T) {
	rule, ok := Detail(site(t, "books.example/catalogue/river-otters-of-the-high-moor_58/index.html"),
		site(t, "books.example/catalogue/the-lives-of-dorothea-vane-bridge-builder_2/index.html"))
	want := `title=h1 required
cover=.cover@src url
author=.author span
price=.price_color number
availability=.availability \((\d+) available\) integer
rating=.star-rating@title
description=#description
upc=//th[.='UPC']/following-sibling::td
category=//th[.='Category']/following-sibling::td
published=//th[.='Published']/following-sibling::td integer
pages=//th[.='Pages']/following-sibling::td integer
reviews=//th[.='Reviews']/following-sibling::td integer
`
	if got := shown(rule.Fields); !ok || rule.Type != "product" || got != want {
		t.Errorf("%v, %s, got\n%swant\n%s", ok, rule.Type, got, want)
	}
	if _, ok := Detail(tree(t, "<h1>Only this</h1><a href=/x>x</a>")); ok {
		t.Error("a heading alone is taken for a page about something")
	}
}

func TestBlocksWithoutNames(t *testing.T) {
	for _, tt := range []struct{ name, page, each, fields string }{
		{"items of a list", `<ul><li><a href=/a>A</a> one</li><li><a href=/b>B</a> two</li><li><a href=/c>C</a> three</li></ul>`,
			"body > ul > li", "title=a required\nurl=a url\n"},
		{"cards that are links", `<div id=grid><a href=/1><h3>A</h3><p>first</p></a><a href=/2><h3>B</h3><p>second</p></a><a href=/3><h3>C</h3><p>third</p></a></div>`,
			"#grid > a", "title=h3 required\nurl=@href url\ntext=p\n"},
		{"names that a tool made", `<main><div class="css-1x2y3z"><h2>A</h2><span class="sc-9f8e7d">1.50 €</span></div><div class="css-1x2y3z"><h2>B</h2><span class="sc-9f8e7d">2.50 €</span></div>
			<div class="css-1x2y3z"><h2>C</h2><span class="sc-9f8e7d">3.50 €</span></div></main>`,
			"main > div", "title=h2 required\ntext=span number\n"},
		{"a menu is none", `<nav><ul><li><a href=/a>A</a> one</li><li><a href=/b>B</a> two</li><li><a href=/c>C</a> three</li></ul></nav>`, "", ""},
		{"buttons say the same", `<div class=offer><b class=name>A</b><a class=buy href=/buy/1>Buy now</a></div><div class=offer><b class=name>B</b><a class=buy href=/buy/2>Buy now</a></div>`,
			".offer", "name=.name required\nbuy_url=.buy url\n"},
	} {
		found := Blocks(tree(t, tt.page))
		if tt.each == "" && len(found) > 0 || tt.each != "" && len(found) == 0 {
			t.Errorf("%s: found %+v", tt.name, found)
			continue
		}
		if len(found) > 0 && (found[0].Each != tt.each || shown(found[0].Fields) != tt.fields) {
			t.Errorf("%s: %q with\n%s", tt.name, found[0].Each, shown(found[0].Fields))
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"price": true, "product_pod": true, "article-title": true, "css-1x2y3z": false, "sc-abc123": false, "Card_title__3xYzQ": false,
		"col-md-3": false, "text-sm": false, "active": false, "md:flex": false, "a1": false, "item4711": false, "row": false,
	} {
		if stable(name) != want {
			t.Errorf("stable(%q) is %v", name, !want)
		}
	}
	for name, want := range map[string]string{
		"price_color": "price", "authorBornDate": "author_born_date", "datePublished": "published", "item-title__text": "title", "2nd": "n_2nd", "###": "value", "Größe": "größe",
	} {
		if got := fieldName(name, nil); got != want {
			t.Errorf("fieldName(%q) is %q, want %q", name, got, want)
		}
	}
	if got := fieldName("author-born-date", []string{"author", "details"}); got != "born_date" {
		t.Errorf("the block's own name stays: %q", got)
	}
	for name, want := range map[string]string{"product_pod": "product", "books": "book", "categories": "category", "NewsArticle": "news_article", "card": "", "news": "news", "boxes": "box", "2024": ""} {
		if got := typeName(name); got != want {
			t.Errorf("typeName(%q) is %q, want %q", name, got, want)
		}
	}
}

func TestGuesses(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		samples    []string
	}{
		{"price", "number", []string{"£51.77", "£1,200.00"}},
		{"price", "number", []string{"1.234,56 €"}},
		{"price", "", []string{"£51.77", "on request"}},
		{"pages", "integer", []string{"12", "0", "340"}},
		{"upc", "", []string{"123456"}},
		{"phone", "", []string{"123456"}},
		{"code", "", []string{"007"}},
		{"zip_text", "", []string{"01234", "56789"}},
		{"rating", "number", []string{"4.5", "3.0"}},
		{"date", "date", []string{"1 March 2026", "12 May 2025"}},
		{"title", "", []string{"1984", "Brave New World"}},
		{"title", "", nil},
	} {
		if got := guess(tt.name, tt.samples); got != tt.want {
			t.Errorf("%s of %q is %q, want %q", tt.name, tt.samples, got, tt.want)
		}
	}
	for want, samples := range map[string][]string{
		`\((\d+) available\)`: {"In stock (19 available)", "In stock (2 available)"},
		`(\d+) comments`:      {"3 comments", "12 comments"},
		"":                    {"3 comments", "12 replies"},
	} {
		if got := counted(samples); got != want {
			t.Errorf("counted(%q) is %q, want %q", samples, got, want)
		}
	}
}

func TestMatchOf(t *testing.T) {
	for _, tt := range []struct {
		want  Match
		kind  string
		paths []string
	}{
		{Match{Glob: "/catalogue/*/index.html"}, "catalogue", []string{"/catalogue/a_1/index.html", "/catalogue/b_2/index.html"}},
		{Match{Glob: "/catalogue/*/index.html"}, "catalogue", []string{"/catalogue/a_1/index.html"}},
		{Match{Regex: `/\d{4}/\d{2}/\d{2}/[^/]+\.html`}, "", []string{"/2026/03/01/a.html", "/2026/03/14/b.html", "/about.html"}},
		{Match{Glob: "/author/*.html"}, "author", []string{"/author/x.html"}},
		{Match{Glob: "/products/*"}, "product", []string{"/products/1", "/products/22"}},
		{Match{Glob: "/book?id=*"}, "book", []string{"/book?id=1", "/book?id=2"}},
		{Match{Glob: "/*/"}, "", []string{"/a/", "/b/"}},
		{Match{Glob: `/a\*b/*`}, "", []string{"/a*b/c", "/a*b/d"}},
		{Match{}, "", []string{"/"}},
		{Match{}, "", nil},
	} {
		got, _ := MatchOf(tt.paths)
		if got != tt.want || got.PathType() != tt.kind {
			t.Errorf("%q: %+v of type %q, want %+v of type %q", tt.paths, got, got.PathType(), tt.want, tt.kind)
		}
	}
}

func TestNext(t *testing.T) {
	for page, want := range map[string]string{
		`<a rel=next href=/2>x</a>`:                                    "a[rel=next] /2",
		`<a rel="next nofollow" href=/2>x</a>`:                         "a[rel~=next] /2",
		`<link rel=next href=/2>`:                                      "link[rel=next] /2",
		`<li class="next disabled"><a href=/2>more</a>`:                ".next a /2",
		`<a class=pager-next href=/2>`:                                 "a.pager-next /2",
		`<div class=pages><a href=/1>1</a><a href=/2>Next »</a></div>`: ".pages a /2",
		`<div class=pages><a href=/1>1</a><a href=/2>2</a></div>`:      " ",
		`<a href=/2>Next of kin</a>`:                                   " ",
	} {
		css, ref := Next(tree(t, page))
		if got := css + " " + ref; got != want {
			t.Errorf("%s: %q, want %q", page, got, want)
		}
	}
}

func TestStructured(t *testing.T) {
	page := `<head><meta property=og:type content=product><script type=application/ld+json>{"@graph": [{"@type": ["Product", "Thing"]}, {"@type": "https://schema.org/Offer"}]}</script></head>
		<div itemscope itemtype=https://schema.org/Quotation></div><div class="h-entry"></div><div vocab=https://schema.org/ typeof=Event></div><script type=application/ld+json>{broken</script>`
	want := "[{jsonld [Product Thing Offer]} {microdata [Quotation]} {rdfa [Event]} {microformats2 [entry]} {opengraph [product]}]"
	if got := fmt.Sprint(Structured(tree(t, page))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTables(t *testing.T) {
	page := `<table id=prices><caption>Prices</caption><tr><th>Name<th>Price<tr><td>A<td>1<tr><td>B<td>2</table>
		<table><tr><th>UPC<td>1<tr><th>Pages<td>2</table><table role=presentation><tr><th>a<th>b<tr><td>1<td>2<tr><td>1<td>2</table>`
	if got, want := fmt.Sprint(Tables(tree(t, page))), "[{table#prices Prices [Name Price] 2}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestJSON(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{"total": 2, "next": "/v1?page=2", "books": [{"title": "a", "price": 1, "by": {"name": "x"}}, {"title": "b", "price": 2}], "tags": [{"t": 1}]}`, "{$.books[*] [price title] 2 $.next books} true"},
		{`[{"a": 1}, {"a": 2}]`, "{$[*] [a] 2  } true"},
		{`{"links": {"next": {"href": "/2"}}, "data": {"items": [{"id": 1}, {"id": 2}]}}`, "{$.data.items[*] [id] 2 $.links.next.href items} true"},
		{`{"a": 1}`, "{ [] 0  } false"},
		{`{"a": [1, 2]}`, "{ [] 0  } false"},
		{`nothing`, "{ [] 0  } false"},
	} {
		list, ok := JSON([]byte(tt.body))
		if got := fmt.Sprint(list, " ", ok); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.body, got, tt.want)
		}
	}
	page := `<script id=__NEXT_DATA__ type=application/json>{"props": {"items": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]}}</script><script type=application/json>[{"a":1}]</script>`
	if got, want := fmt.Sprint(Islands(tree(t, page))), "[{#__NEXT_DATA__ {$.props.items[*] [id name] 2  items}}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
