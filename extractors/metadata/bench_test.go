package metadata

import (
	"os"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// benchPage is a page of about 14 KB with one product in three formats.
func benchPage(b *testing.B) []byte {
	var body strings.Builder
	for _, name := range []string{"product.jsonld", "product.microdata", "x-og-product"} {
		part, err := os.ReadFile("testdata/pages/" + name + ".html")
		if err != nil {
			b.Fatal(err)
		}
		body.Write(part)
	}
	body.WriteString(strings.Repeat("<div class=row><p>Some text of a page that says <b>nothing</b> to <a href=/x>machines</a>.</p></div>\n", 80))
	return []byte(body.String())
}

// What each extractor costs, with the parse of the tree where it needs one.
func BenchmarkExtract(b *testing.B) {
	body := benchPage(b)
	for _, id := range append([]string{"tree alone"}, extractors...) {
		b.Run(id, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				p := testPage(b, body)
				if id == "tree alone" {
					if _, err := p.Document(); err != nil {
						b.Fatal(err)
					}
					continue
				}
				r := &crawler.Result{}
				if err := plugin(b, id).Extract(b.Context(), p, crawler.NewEmitter("thing", p, r)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
