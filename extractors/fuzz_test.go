package extractors

import (
	"strings"
	"testing"
)

// FuzzHead holds that what is found in a page's head has a name, and that no
// more is made of a page than it has.
func FuzzHead(f *testing.F) {
	for _, s := range []string{
		"<meta name=robots content=noindex>", "<META NAME=' a ' NAME=b>", "<noscript><meta name=x content=y></noscript>", "<body><meta name=late>",
		"<title><meta name=x></title>", "<!-- <meta name=x> -->", "<meta name", "<svg><meta name=x>", "<meta content=x>", "<plaintext><meta name=x>",
		"<base href=/x><link rel=canonical href=y>", "<link rel=license type=application/rsl+xml href=' x '>", "<link rel href>", "<base href='http://[::1'><link rel=a href=b>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		h := HeadOf(page(t, "https://books.example/", body))
		size := 0
		for _, m := range h.Metas {
			size += len(m.Name) + len(m.Content)
			if m.Name == "" || strings.TrimSpace(m.Name) != m.Name {
				t.Errorf("%q has %+v", body, m)
			}
		}
		for _, l := range h.Links {
			size += len(l.Rel) + len(l.Type) + len(l.Ref)
			if l.Rel == "" || l.Ref == "" {
				t.Errorf("%q has %+v", body, l)
			}
		}
		if size > 3*len(body) || len(h.Links) > maxHeadLinks {
			t.Errorf("%q has %+v", body, h)
		}
	})
}
