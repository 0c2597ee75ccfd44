package selectors

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

const listing = `<html><body><h1>Lamps</h1>
<div class="row"><a href="/l/1" rel="nofollow">One</a> <b>1,50 €</b></div>
<div class="row"><a href="/l/2#x">Two</a> <b>soon</b></div>
<template><div class="row"><a href="/l/3">Three</a></div></template>
<button data-id="a/b &amp; c" onclick="go('/js/1')">More</button>
<script type="application/json" id="s">{"pages": ["/p/1", "/p/2"], "token": "t\"1"}</script>
<a class="next" href="?page=2">Next</a></body></html>`

// refs runs a rule over a page and writes each reference on a line.
func refs(t *testing.T, x *LinkRule, p *crawler.Page) ([]string, []crawler.RecordError) {
	t.Helper()
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	var out []string
	r := &crawler.Result{}
	err := x.Find(t.Context(), p, crawler.NewEmitter("links", p, r), func(ref crawler.Reference) bool {
		line := ref.Ref
		if ref.NoFollow {
			line += " nofollow"
		}
		if c := ref.Call; c != nil {
			line += fmt.Sprintf(" %s %s %v", c.Method, c.Body, c.Header)
			if c.Repeat {
				line += " repeat"
			}
		}
		for _, f := range ref.Carry {
			line += fmt.Sprintf(" %s=%v", f.Name, f.Value)
		}
		out = append(out, line)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, r.Errors
}

func TestLinkRules(t *testing.T) {
	carry := []Field{{Name: "price", Selector: byCSS("b"), As: "number", Locale: "de"}, {Name: "shelf", Selector: byCSS("h1"), From: "page"}}
	for _, tt := range []struct {
		name string
		x    *LinkRule
		want []string
	}{
		{"css", &LinkRule{Selector: byCSS(".row a")}, []string{"/l/1 nofollow", "/l/2#x"}},
		{"xpath", &LinkRule{Selector: byPath("//a[@class='next']")}, []string{"?page=2"}},
		{"xpath of an attribute", &LinkRule{Selector: byPath("//a[@class='next']/@href")}, []string{"?page=2"}},
		{"regex on an attribute", &LinkRule{Selector: byCSS("[onclick]"), Attr: "onclick", Regex: `go\('(.*?)'\)`}, []string{"/js/1"}},
		{"regex on the source", &LinkRule{Regex: `"(/p/\d+)"`}, []string{"/p/1", "/p/2"}},
		{"JSON in a script", &LinkRule{Selector: Selector{CSS: "#s", JSONPath: "$.pages[*]"}}, []string{"/p/1", "/p/2"}},
		{"values of the page", &LinkRule{Selector: byCSS(".next"), Carry: []Field{{Name: "shelf", Selector: byCSS("h1")}, {Name: "none", Selector: byCSS("h2")}}}, []string{"?page=2 shelf=Lamps"}},
		{"values of each row", &LinkRule{Each: &Selector{CSS: ".row"}, Selector: byCSS("a"), Carry: carry}, []string{"/l/1 nofollow price=1.5 shelf=Lamps", "/l/2#x shelf=Lamps"}},
		{"the element of each itself", &LinkRule{Each: &Selector{CSS: ".row a"}, Carry: []Field{{Name: "t", Attr: "rel"}}}, []string{"/l/1 nofollow t=nofollow", "/l/2#x"}},
		{"a URL made of what is found", &LinkRule{Selector: byCSS("button"), Attr: "data-id", URL: "/items/{{link}}?x={{ shelf }}", Carry: carry[1:]}, []string{"/items/a%2Fb%20%26%20c?x=Lamps shelf=Lamps"}},
		{"a fixed URL", &LinkRule{URL: "/more"}, []string{"/more"}},
		{"a POST of a form's kind", &LinkRule{Selector: byCSS("button"), Attr: "data-id", URL: "/more", Method: "POST", Body: "id={{link}}&n=1"}, []string{"/more POST id=a%2Fb%20%26%20c&n=1 map[]"}},
		{"a POST of JSON", &LinkRule{URL: "/api", Method: "POST", Repeat: true, Body: `{"token": "{{token}}"}`, Header: map[string]string{"content-type": "application/json", "x-token": "{{token}}"},
			Carry: []Field{{Name: "token", Selector: Selector{CSS: "#s", JSONPath: "$.token"}}}}, []string{`/api POST {"token": "t\"1"} map[Content-Type:[application/json] X-Token:[t"1]] repeat token=t"1`}},
		{"nothing found", &LinkRule{Selector: byCSS(".none"), Carry: carry}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, errs := refs(t, tt.x, page(t, listing))
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(errs) > 0 && tt.name != "values of each row" {
				t.Errorf("unexpected errors %v", errs)
			}
		})
	}
}

func TestLinkRulesOnJSON(t *testing.T) {
	p := page(t, `{"items": [{"id": 7, "url": "/i/7"}, {"id": 8}], "next": {"cursor": "c 1"}}`)
	p.Response.MediaType = "application/json"
	for _, tt := range []struct {
		x    *LinkRule
		want []string
	}{
		{&LinkRule{Each: &Selector{JSONPath: "$.items[*]"}, Selector: Selector{JSONPath: "$.url"}, Carry: []Field{{Name: "id", Selector: Selector{JSONPath: "$.id"}}}}, []string{"/i/7 id=7"}},
		{&LinkRule{Each: &Selector{JSONPath: "$.items[*]"}, URL: "/i/{{id}}/full", Carry: []Field{{Name: "id", Selector: Selector{JSONPath: "$.id"}}}}, []string{"/i/7/full id=7", "/i/8/full id=8"}},
		{&LinkRule{Selector: Selector{JQ: ".next.cursor"}, URL: "?cursor={{link}}"}, []string{"?cursor=c%201"}},
	} {
		if tt.x.NeedsTree() {
			t.Errorf("%+v needs the tree", tt.x)
		}
		if got, errs := refs(t, tt.x, p); !slices.Equal(got, tt.want) || len(errs) > 0 {
			t.Errorf("got %q, %v, want %q", got, errs, tt.want)
		}
	}
}

// A link without a value that its request is made of is left out, and said.
func TestLinkWithoutItsValue(t *testing.T) {
	x := &LinkRule{Each: &Selector{CSS: ".row"}, Selector: byCSS("a"), URL: "/x/{{price}}", Carry: []Field{{Name: "price", Selector: byCSS("i")}}}
	if got, errs := refs(t, x, page(t, listing)); got != nil || len(errs) != 2 || !strings.Contains(errs[0].Err.Error(), "{{price}}") {
		t.Errorf("%q, %v", got, errs)
	}
	x = &LinkRule{Selector: byCSS("a"), Carry: []Field{{Name: "big", Selector: byCSS("p")}}}
	if got, errs := refs(t, x, page(t, "<a href=x></a><p>"+strings.Repeat("x", crawler.MaxCarried))); got != nil || len(errs) != 1 {
		t.Errorf("%q, %v", got, errs)
	}
	x = &LinkRule{Selector: byCSS("a"), Carry: []Field{{Name: "must", Selector: byCSS("i"), Required: true}}}
	if got, errs := refs(t, x, page(t, listing)); got != nil || len(errs) != 1 || errs[0].Field != "carry.must" {
		t.Errorf("%q, %v", got, errs)
	}
}

func TestSimpleLinkRules(t *testing.T) {
	for _, tt := range []struct {
		x    *LinkRule
		attr string
	}{
		{&LinkRule{Selector: byCSS("a.x")}, "href"},
		{&LinkRule{Selector: byCSS("img"), Attr: "SRC"}, "src"},
		{&LinkRule{Selector: byCSS("a"), Regex: "x"}, ""},
		{&LinkRule{Selector: byPath("//a")}, ""},
		{&LinkRule{Selector: byCSS("a"), Carry: []Field{{Name: "x", Selector: byCSS("x")}}}, ""},
	} {
		css, attr, ok := tt.x.Simple()
		if ok != (tt.attr != "") || attr != tt.attr || ok && css != tt.x.CSS {
			t.Errorf("%+v: %q %q %v", tt.x, css, attr, ok)
		}
	}
}

func TestForms(t *testing.T) {
	search := func(form string) *LinkRule { return &LinkRule{Form: &Form{Selector: byCSS(form)}} }
	for _, tt := range []struct {
		name, body string
		x          *LinkRule
		want       []string
	}{
		{"defaults", `<form action=/s?old=1#f><input name=q value="a b"><input type=hidden name=h value=1><input type=checkbox name=c checked><input type=checkbox name=d>
			<input type=radio name=r value=1><input type=radio name=r value=2 checked><select name=s><option value=x>X<option>Y</select><select multiple name=m><option selected>1<option selected>2<option>3</select>
			<textarea name=t>l1
l2</textarea><input type=file name=f><input type=reset name=re value=1><input disabled name=dis value=1><fieldset disabled><input name=dis2></fieldset><input value=noname><button name=b value=go>Go</button><button name=b2 value=no>No</button></form>`,
			search("form"), []string{"/s?q=a+b&h=1&c=on&r=2&s=x&m=1&m=2&t=l1%0D%0Al2&b=go"}},
		{"filled in", `<form action=/s><input name=q><input name=p value=1></form>`,
			&LinkRule{Form: &Form{Selector: byCSS("form"), Fields: map[string][]string{"q": {"lamp & co", "desk"}, "new": {"x"}}}}, []string{"/s?q=lamp+%26+co&p=1&new=x", "/s?q=desk&p=1&new=x"}},
		{"a POST", `<form action=/s method=POST><input name=q></form>`,
			&LinkRule{Repeat: true, Form: &Form{Selector: byCSS("form"), Fields: map[string][]string{"q": {"ü"}}}, Carry: []Field{{Name: "where", Selector: byCSS("form"), Attr: "action"}}},
			[]string{"/s POST q=%C3%BC map[Content-Type:[application/x-www-form-urlencoded]] repeat where=/s"}},
		{"a form without an action asks its own page", `<form method=post><input name=q value=1></form>`, search("form"), []string{"http://shop.example/a/b.html POST q=1 map[Content-Type:[application/x-www-form-urlencoded]]"}},
		{"the button decides", `<form id=f action=/s></form><input form=f name=q value=1><input name=other value=2><button form=f name=go value=1 formaction=/b formmethod=post></button>`, search("form"), []string{"/b POST q=1&go=1 map[Content-Type:[application/x-www-form-urlencoded]]"}},
		{"the button that is named", `<form action=/s><button name=a value=1></button><button name=b value=2></button></form>`, &LinkRule{Form: &Form{Selector: byCSS("form"), Submit: "b"}}, []string{"/s?b=2"}},
		{"a dialog asks for nothing", `<form method=dialog><input name=q></form>`, search("form"), nil},
		{"no such form", `<p>`, search("form"), nil},
		{"in a template", `<template><form action=/s></form></template>`, search("form"), nil},
		{"in the encoding it asks for", `<form action=/s accept-charset="x-none windows-1252"><input name=q value="ü ☃"><input type=hidden name=_charset_></form>`, search("form"), []string{"/s?q=%FC+%26%239731%3B&_charset_=windows-1252"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, errs := refs(t, tt.x, page(t, tt.body)); !reflect.DeepEqual(got, tt.want) || len(errs) > 0 {
				t.Errorf("got %q, %v, want %q", got, errs, tt.want)
			}
		})
	}
	for _, body := range []string{`<form method=post enctype=multipart/form-data><input name=q></form>`, `<form method=post enctype=text/plain></form>`, `<div id=f class=form>`} {
		css := "form, .form"
		if got, errs := refs(t, search(css), page(t, body)); got != nil || len(errs) != 1 {
			t.Errorf("%s: %q, %v", body, got, errs)
		}
	}
	p := page(t, `<form action=/s><input name=q value="ü"></form>`)
	p.Response.Charset, p.Response.Header = "windows-1252", http.Header{}
	if got, _ := refs(t, search("form"), p); !slices.Equal(got, []string{"/s?q=%FC"}) {
		t.Errorf("in the page's encoding: %q", got)
	}
}

func TestValidateLinks(t *testing.T) {
	many := make([]string, 40)
	for _, tt := range []struct {
		x    *LinkRule
		want []string
	}{
		{&LinkRule{}, []string{""}},
		{&LinkRule{Selector: byCSS("a[")}, []string{"css"}},
		{&LinkRule{Selector: byCSS("a"), Regex: "("}, []string{"regex"}},
		{&LinkRule{Regex: "("}, []string{"regex"}},
		{&LinkRule{URL: "/x/{{link}}/{{id}}"}, []string{"url", "url"}},
		{&LinkRule{Selector: byCSS("a"), Body: "x"}, []string{"body"}},
		{&LinkRule{Selector: byCSS("a"), Repeat: true}, []string{"repeat"}},
		{&LinkRule{Selector: byCSS("a"), Header: map[string]string{"a b": "c"}}, []string{"header"}},
		{&LinkRule{Selector: byCSS("a"), Form: &Form{Selector: byCSS("form")}}, []string{"form"}},
		{&LinkRule{Form: &Form{Selector: Selector{JSONPath: "$"}}}, []string{"form"}},
		{&LinkRule{Form: &Form{Selector: byCSS("f"), Fields: map[string][]string{"a": many, "b": many}}}, []string{"form.fields.b"}},
		{&LinkRule{Selector: byCSS("a"), Carry: []Field{{Name: "x", Selector: byPath("//[")}}}, []string{"carry.x.xpath"}},
	} {
		err := tt.x.Validate()
		if err == nil {
			t.Errorf("%+v is accepted", tt.x)
			continue
		}
		var got []string
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			var c *crawler.ConfigError
			if !errors.As(e, &c) {
				t.Fatalf("%v is no ConfigError", e)
			}
			got = append(got, strings.Join(c.Path, "."))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %q, want %q: %v", tt.x, got, tt.want, err)
		}
	}
}
