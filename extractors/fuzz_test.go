package extractors

import (
	"strings"
	"testing"
)

// FuzzMetas holds that every meta element found has a name, and that no more of
// the page is read than its head.
func FuzzMetas(f *testing.F) {
	for _, s := range []string{
		"<meta name=robots content=noindex>", "<META NAME=' a ' NAME=b>", "<noscript><meta name=x content=y></noscript>", "<body><meta name=late>",
		"<title><meta name=x></title>", "<!-- <meta name=x> -->", "<meta name", "<svg><meta name=x>", "<meta content=x>", "<plaintext><meta name=x>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, m := range Metas(page(t, "https://books.example/", body)) {
			if m.Name == "" || strings.TrimSpace(m.Name) != m.Name || len(m.Name)+len(m.Content) > 3*len(body) {
				t.Errorf("%q has %+v", body, m)
			}
		}
	})
}
