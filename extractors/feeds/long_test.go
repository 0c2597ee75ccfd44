package feeds

import (
	"errors"
	"net/http"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// A sitemap of 50 MB is read link by link: next to its body it takes little memory,
// and it ends at the protocol's 50,000 addresses.
func TestLongSitemap(t *testing.T) {
	entry := "<url><loc>https://s.example/" + strings.Repeat("long/", 200) + "</loc></url>\n"
	body := "<urlset>" + strings.Repeat(entry, MaxBytes/len(entry)) + "</urlset>"
	u, err := urls.Parse("https://s.example/sitemap.xml")
	if err != nil {
		t.Fatal(err)
	}
	p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{
		Body: []byte(body), MediaType: "application/xml", Charset: "utf-8", Header: http.Header{},
	})
	links, highest, before := 0, uint64(0), heap()
	err = Each(t.Context(), p, func(crawler.Link) {
		if links++; links%5_000 == 0 {
			highest = max(highest, heap())
		}
	})
	if want := min(MaxURLs, MaxBytes/len(entry)); links != want {
		t.Errorf("%d links, want %d", links, want)
	}
	if links == MaxURLs != errors.Is(err, errTooMany) {
		t.Errorf("%d links, %v", links, err)
	}
	// The collector lets as much garbage stand as lives, which is the body.
	if grown := int64(highest) - int64(before); grown > 160<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
