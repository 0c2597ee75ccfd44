package wordcount

import (
	"context"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
)

func TestCounter(t *testing.T) {
	counter := &Counter{CSS: "main", Link: true}
	if err := counter.Validate(); err != nil {
		t.Fatal(err)
	}
	home, err := urls.Parse("https://trees.example/")
	if err != nil {
		t.Fatal(err)
	}
	page := crawler.NewPage(&crawler.Request{URL: home}, &crawler.Response{
		MediaType: "text/html",
		Body:      []byte(`<title>Trees</title><nav>not these</nav><main>Oak and <a href="ash">ash</a></main>`),
	})
	var found crawler.Result
	if err := counter.Extract(context.Background(), page, crawler.NewEmitter("text", page, &found)); err != nil {
		t.Fatal(err)
	}
	if len(found.Records) != 1 || found.Records[0].Fields[0].Value != "Trees" || found.Records[0].Fields[1].Value != int64(3) {
		t.Errorf("records: %+v", found.Records)
	}
	if len(found.Links) != 1 || found.Links[0].URL.String() != "https://trees.example/ash" {
		t.Errorf("links: %+v", found.Links)
	}
}

func TestBadSelector(t *testing.T) {
	if err := (&Counter{CSS: "main["}).Validate(); err == nil {
		t.Error("a broken selector was accepted")
	}
}

var _ extractors.FieldLister = (*Counter)(nil)
