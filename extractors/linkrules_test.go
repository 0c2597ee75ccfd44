package extractors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// finder is a link rule of a test.
type finder struct {
	refs []crawler.Reference
	err  error
	tree bool
}

func (f *finder) Simple() (css, attr string, ok bool) { return "", "", false }
func (f *finder) NeedsTree() bool                     { return f.tree }
func (f *finder) Find(_ context.Context, _ *crawler.Page, _ *crawler.Emitter, found func(crawler.Reference) bool) error {
	for _, ref := range f.refs {
		if !found(ref) {
			return nil
		}
	}
	return f.err
}

func below(prefix string) func(urls.URL) bool {
	return func(u urls.URL) bool { return strings.HasPrefix(u.Path(), prefix) }
}

// The rules of a crawl: the first that finds a URL and is for it says where it leads,
// by tokens as by the tree.
func TestLinkRulesInOrder(t *testing.T) {
	body := `<a href=/book/1>1</a><a href=/other class=x>o</a><area href=/book/2><a class=x href=/book/1>again</a><a href=/deep>d</a>`
	rules := []LinkRule{
		{CSS: "a.x", Priority: 9, Types: []string{"x"}},
		{CSS: "a", Takes: below("/book/"), Priority: 1, Types: []string{"book"}},
		{CSS: "a[href]", Takes: below("/deep"), MaxDepth: 2, Priority: 3},
		{CSS: "area", Priority: 2},
	}
	for _, tt := range []struct {
		rules []LinkRule
		depth uint16
		want  string
	}{
		{rules, 1, "/book/1 9 [x], /other 9 [x], /book/2 2 [], /deep 3 []"},
		{rules, 2, "/book/1 9 [x], /other 9 [x], /book/2 2 []"},
		{rules[1:], 1, "/book/1 1 [book], /book/2 2 [], /deep 3 []"},
		{rules[2:], 0, "/book/2 2 [], /deep 3 []"},
	} {
		for _, tree := range []bool{false, true} {
			pl := pipeline(t, Options{Links: tt.rules})
			var r crawler.Result
			p := page(t, "http://h.example/p", body)
			p.Request.Depth = tt.depth
			if err := pl.gather(t.Context(), p, &r, tree); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range r.Links {
				got = append(got, fmt.Sprint(l.URL.Path(), " ", l.Priority, " ", l.Types))
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("depth %d, tree %v: got %q, want %q", tt.depth, tree, got, tt.want)
			}
			if scans := tt.rules[0].CSS != "a.x"; scans == p.Parsed() && !tree {
				t.Errorf("parsed: %v", p.Parsed())
			}
		}
	}
}

// Finders come with calls and values; requests of one URL are told apart by what is
// sent. One that fails costs its own links.
func TestFinders(t *testing.T) {
	post := func(body string) *crawler.Call { return &crawler.Call{Method: "POST", Body: body} }
	carry := []crawler.Field{{Name: "a", Value: "b"}}
	f := &finder{refs: []crawler.Reference{
		{Ref: "x", Carry: carry}, {Ref: "x", Call: post("1")}, {Ref: "x", Call: post("2")}, {Ref: "x", Call: post("2"), Carry: carry}, {Ref: "mailto:x@y"}, {Ref: "//["},
	}, err: errors.New("and then it broke")}
	pl := pipeline(t, Options{Links: []LinkRule{{CSS: "a"}, {Finder: f, Types: []string{"t"}}}})
	for _, mediaType := range []string{"text/html", "application/json"} {
		var r crawler.Result
		p := page(t, "http://h.example/p/q", "<base href=/b/><a href=y>")
		p.Response.MediaType = mediaType
		if err := pl.gather(t.Context(), p, &r, false); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range r.Links {
			line := l.URL.Path()
			if l.Call != nil {
				line += " " + l.Call.Body
			}
			got = append(got, fmt.Sprintf("%s%d%v", line, len(l.Carry), l.Types))
		}
		want := []string{"/b/y0[]", "/b/x1[t]", "/b/x 10[t]", "/b/x 20[t]"}
		if mediaType != "text/html" {
			want = []string{"/p/x1[t]", "/p/x 10[t]", "/p/x 20[t]"}
		}
		if !slices.Equal(got, want) || len(r.Errors) != 1 || p.Parsed() {
			t.Errorf("%s: got %q, want %q; %v", mediaType, got, want, r.Errors)
		}
	}
}

// A type that links lead to is read from the pages they lead to, and from those its
// match fits; the others as ever.
func TestTypesThatLinksLeadTo(t *testing.T) {
	pl := pipeline(t, Options{
		Links: []LinkRule{{CSS: "a", Types: []string{"led", "both"}}},
		Rules: []Rule{
			{Type: "led", Extractor: emits(1)},
			{Type: "both", Extractor: emits(1), Match: below("/both")},
			{Type: "every", Extractor: emits(1)},
		},
	})
	for _, tt := range []struct {
		path  string
		types []string
		want  string
	}{
		{"/", nil, "every"}, {"/both", nil, "both every"}, {"/", []string{"led"}, "led every"}, {"/", []string{"led", "both"}, "led both every"},
	} {
		p := page(t, "http://h.example"+tt.path, "")
		p.Request.Types = tt.types
		var r crawler.Result
		if err := pl.Run(t.Context(), p, &r); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, rec := range r.Records {
			got = append(got, rec.Type)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s by a link to %v gives %v, want %s", tt.path, tt.types, got, tt.want)
		}
	}
}
