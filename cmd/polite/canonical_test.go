package polite

import (
	"net/http"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
)

func TestCanonicalOf(t *testing.T) {
	page, err := urls.Parse("https://a.example/b?c=d")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header, link, want string
	}{
		{"", "/b", "https://a.example/b"},
		{"", "http://a.example/b?c=d", ""}, // a leftover of the time before https
		{"", "http://a.example/b", "http://a.example/b"},
		{"<x>; rel=canonical", "", "https://a.example/x"},
		{"<x>; rel=canonical", "/x#y", "https://a.example/x"},
		{"<x>; rel=canonical", "/y", ""},
		{"<javascript:x>; rel=canonical", "/y", "https://a.example/y"},
		{"<x>; rel=\"next canonical\"", "", "https://a.example/x"},
		{"<x>; rel=canonicals", "", ""},
		{"<x; rel=canonical, <y>; rel=canonical", "", ""},
		{strings.Repeat("<x>; rel=next, ", 5000) + "<x>; rel=canonical", "", ""},
	} {
		header, head := http.Header{}, extractors.Head{}
		if c.header != "" {
			header.Set("Link", c.header)
		}
		if c.link != "" {
			head.Links = []extractors.HeadLink{{Rel: "canonical", Ref: c.link}}
		}
		got := canonicalOf(page, header, &head)
		if got.IsZero() && c.want == "" {
			continue
		}
		if got.String() != c.want {
			t.Errorf("%.40q and %q: %s, want %s", c.header, c.link, got.String(), c.want)
		}
	}
}
