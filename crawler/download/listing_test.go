package download

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
)

// The next page of a listing is asked for before the objects of this one, so that it is
// there when they have come.
func TestNextPageLeavesFirst(t *testing.T) {
	l := &Listing{Connection: "c"}
	u, err := l.URL()
	if err != nil {
		t.Fatal(err)
	}
	body, err := l.Answer(bucket.Page{Objects: []bucket.Attributes{{Key: "a"}, {Key: "b"}}, Next: "b"})
	if err != nil {
		t.Fatal(err)
	}
	var r crawler.Result
	extract := func(body string) error {
		page := &crawler.Page{Request: &crawler.Request{URL: u}, URL: u, Response: &crawler.Response{Body: []byte(body)}}
		return (Objects{}).Extract(context.Background(), page, crawler.NewEmitter("file", page, &r))
	}
	for _, bad := range []string{"", "\n", "{}", `{"key":"a"}` + "\n", strings.TrimSuffix(string(body), "}\n")} {
		if err := extract(bad); !errors.Is(err, errAnswer) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := extract(string(body)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, link := range r.Links {
		got = append(got, fmt.Sprint(link.URL, " ", link.Priority))
	}
	if want := "blob://c/?list=&after=b 1 blob://c/a 1 blob://c/b 1"; strings.Join(got, " ") != want {
		t.Errorf("links are %q", got)
	}
}
