package article

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// What the copy for an engine costs against parsing the page again, and each engine
// on a parsed page.
func BenchmarkArticle(b *testing.B) {
	text := read(b, "testdata/news.html")
	text = strings.Replace(text, "</article>", strings.Repeat("<p>"+prose(1, 60)+" <a href=x>a link</a></p>", 60)+"</article>", 1)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_, _ = html.Parse(strings.NewReader(text))
		}
	})
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			copyOf(root, nil)
		}
	})
	for name := range leastF1 {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := engines[name](root, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
