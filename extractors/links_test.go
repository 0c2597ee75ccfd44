package extractors

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func mustURL(t testing.TB, raw string) urls.URL {
	t.Helper()
	u, err := urls.Parse(raw)
	if err != nil {
		t.Fatalf("urls.Parse(%q): %v", raw, err)
	}
	return u
}

// page is an HTML page as the engine hands it over.
func page(t testing.TB, raw, body string) *crawler.Page {
	t.Helper()
	u := mustURL(t, raw)
	return crawler.NewPage(
		&crawler.Request{URL: u, Key: (&urls.Canon{}).Key(u)},
		&crawler.Response{
			Status: 200, Header: http.Header{}, MediaType: "text/html", Body: []byte(body),
			FetchedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		},
	)
}

func pipeline(t testing.TB, opt Options) *Pipeline {
	t.Helper()
	pl, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return pl
}

func shown(links []crawler.Link) []string {
	var out []string
	for _, l := range links {
		s := l.URL.String()
		if l.NoFollow {
			s += " nofollow"
		}
		out = append(out, s)
	}
	return out
}

func TestLinks(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       []string
	}{
		{"anchors and areas", `<a href=/b>b</a><map><area href="c?d=1"></map><link href=/no><a name=x>`,
			[]string{"http://h.example/b", "http://h.example/p/c?d=1"}},
		{"other schemes", `<a href=mailto:a@b.c><a href="JavaScript:x()"><a href=ftp://h.example/><a href=tel:1><a href=data:,x><a href=https://o.example>`,
			[]string{"https://o.example/"}},
		{"fragments and repeats", `<a href=#top><a href=/b#1><a href=/b#2><a href=" /b ">`,
			[]string{"http://h.example/p/q", "http://h.example/b"}},
		{"rel", `<a href=/1 rel="me NoFollow"><a href=/2 rel=ugc><a href=/3 rel=sponsored><a href=/4 rel=nofollowed>`,
			[]string{"http://h.example/1 nofollow", "http://h.example/2 nofollow", "http://h.example/3 nofollow", "http://h.example/4"}},
		{"a link both ways may be followed", `<a href=/1 rel=nofollow><a href=/1>`, []string{"http://h.example/1"}},
		{"the base counts for links before it", `<a href=x><base target=_top><base href=/d/>`, []string{"http://h.example/d/x"}},
		{"only the first base counts", `<base href=/d/><base href=/e/><a href=x>`, []string{"http://h.example/d/x"}},
		{"a base that is no web address", `<base href=javascript:1><a href=x>`, []string{"http://h.example/p/x"}},
		{"a base in a template", `<template><base href=/d/></template><a href=x>`, []string{"http://h.example/p/x"}},
		{"templates are inert", `<template><a href=/1><template></template><a href=/2></template><a href=/3>`, []string{"http://h.example/3"}},
		{"noscript is for us", `<noscript><a href=/1></noscript><a href=/2>`, []string{"http://h.example/1", "http://h.example/2"}},
		{"text is not markup", `<textarea><a href=/1></textarea><script>"<a href=/2>"</script><!-- <a href=/3> --><title><a href=/4></title>`, nil},
		{"an icon", `<svg><title>x</title><style><g/></style><path d=""/></svg><a href=/1>`, []string{"http://h.example/1"}},
		{"a title in SVG may hold links", `<svg><title><a href=/1></title></svg>`, []string{"http://h.example/1"}},
		{"an end tag that ends nothing", `<svg></g><title><a href=/1></title></svg>`, []string{"http://h.example/1"}},
		{"entities", `<a href="/?a=1&amp;b=2">`, []string{"http://h.example/?a=1&b=2"}},
		{"broken", `<a href=/1<b><a href='/2'><div<a href=/3><a href="/4`, []string{"http://h.example/1%3Cb", "http://h.example/2"}},
		{"a link that leaves its template", `<template><a href=/1><object></template><area href=/2>`, []string{"http://h.example/1", "http://h.example/2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pl := pipeline(t, Options{})
			for _, tree := range []bool{false, true} {
				var r crawler.Result
				if err := pl.gather(context.Background(), page(t, "http://h.example/p/q", tt.body), &r, tree); err != nil {
					t.Fatal(err)
				}
				got := shown(r.Links)
				if !slices.Equal(got, tt.want) {
					t.Errorf("tree %v: got %q, want %q", tree, got, tt.want)
				}
			}
		})
	}
}

// sameLinks holds the promise that tokens and tree give the same links,
// wherever the token pass vouches for itself.
func sameLinks(t interface{ Fatalf(string, ...any) }, body []byte) {
	l, err := compileLinks(nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	scanned, exact := l.scan.scan(body)
	if !exact {
		return
	}
	root, err := html.ParseWithOptions(strings.NewReader(string(body)), html.ParseOptionEnableScripting(false))
	if err != nil {
		return // nested too deep: there is no tree
	}
	walked := l.walk(context.Background(), root)
	if scanned.hasBase != walked.hasBase || scanned.base != walked.base {
		t.Fatalf("base by tokens %q, by tree %q, of %q", scanned.base, walked.base, body)
	}
	if a, b := set(scanned.refs), set(walked.refs); !slices.Equal(a, b) {
		t.Fatalf("links by tokens %v, by tree %v, of %q", a, b, body)
	}
}

// set are the references as texts, each with the default rule that finds it.
func set(refs []reference) []string {
	all := make([]string, len(refs))
	for i, r := range refs {
		rule := 0
		if r.area || r.rules != nil && r.rules[0] == 1 {
			rule = 1
		}
		all[i] = fmt.Sprint(r.raw, " ", r.noFollow, " ", rule)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var pieces = []string{
	"<a href=/%d>", "</a>", `<a href="%d" rel=nofollow>`, "<A HREF='%d'/>", "<area href=%d>", "<base href=/%d/>",
	"<template>", "</template>", "<noscript>", "</noscript>", "<svg>", "</svg>", "<svg/>", "<g>", "</g>", "<path/>",
	"<title>", "</title>", "<style>", "</style>", "<script>", "</script>", "<textarea>", "</textarea>", "<desc>", "</desc>",
	"<math>", "</math>", "<mi>", "<foreignObject>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<caption>", "<colgroup>", "<col>",
	"<select>", "</select>", "<option>", "<optgroup>", "<input>", "<form>", "</form>", "<button>", "<p>", "</p>", "<div>", "</div>", "<b>", "</b>",
	"<head>", "</head>", "<body>", "</body>", "<html>", "</html>", "<frameset>", "<noframes>", "</noframes>", "<iframe>", "</iframe>",
	"<xmp>", "</xmp>", "<plaintext>", "<noembed>", "</noembed>", "<!--", "-->", "<![CDATA[", "]]>", "<!doctype html>",
	"text", "\x00", "&amp;", "<", ">", "</", "</br>", "<font color=red>", "<image>", "<li>", "<h1>", "<object>", "<marquee>", "<dialog>",
}

func TestTokensAgreeWithTree(t *testing.T) {
	exact := 0
	rapid.Check(t, func(t *rapid.T) {
		n := 0
		parts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			p := rapid.SampledFrom(pieces).Draw(t, "piece")
			if strings.Contains(p, "%d") {
				n++
				p = fmt.Sprintf(p, n)
			}
			return p
		}), 0, 40).Draw(t, "page")
		body := []byte(strings.Join(parts, ""))
		if _, ok := (scanTargets{a: true, area: true}).scan(body); ok {
			exact++
		}
		sameLinks(t, body)
	})
	if exact == 0 {
		t.Fatal("the token pass never vouched for itself: nothing was compared")
	}
}

func FuzzTokensAgreeWithTree(f *testing.F) {
	for _, p := range pieces {
		f.Add([]byte(p + "<a href=1>"))
	}
	f.Add([]byte("<table><td><base href=/1/></td><base href=/2/><a href=x>"))
	f.Add([]byte("<template><svg></template><a href=1></svg></template>"))
	f.Fuzz(func(t *testing.T, body []byte) { sameLinks(t, body) })
}

// A long base makes megabytes of links out of a small page; most are left out.
func TestLinksOfALongBaseAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("<base href='http://h.example/" + strings.Repeat("x", 2000) + "/'>")
	for i := range 5000 {
		fmt.Fprintf(&b, "<a href=%d>x</a>", i)
	}
	pl, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := urls.Parse("http://h.example/")
	if err != nil {
		t.Fatal(err)
	}
	p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{MediaType: "text/html", Body: []byte(b.String())})
	var r crawler.Result
	if err := pl.Run(t.Context(), p, &r); err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, l := range r.Links {
		size += len(l.URL.String())
	}
	if size > 4*b.Len() || len(r.Links) < 50 || len(r.Errors) != 1 {
		t.Errorf("%d links of %d octets from a page of %d, %d errors", len(r.Links), size, b.Len(), len(r.Errors))
	}
}
