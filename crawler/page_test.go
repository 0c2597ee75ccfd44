package crawler_test

import (
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

func TestDocumentIsParsedOnceAndHoldsNoscript(t *testing.T) {
	p := crawler.NewPage(&crawler.Request{}, &crawler.Response{Body: []byte(`<noscript><img class=cover src=a.png></noscript>`)})
	if p.Parsed() {
		t.Error("parsed before anybody asked")
	}
	first, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := p.Document(); second != first {
		t.Error("parsed twice")
	}
	if n := first.Find("img.cover").Length(); n != 1 {
		t.Errorf("%d images found in <noscript>, want 1", n)
	}
}
