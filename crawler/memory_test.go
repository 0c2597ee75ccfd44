package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// A tree that would be far larger than its page is not made, and one that fits is.
func TestTreesHaveTheirBound(t *testing.T) {
	fonts, attributes := "", []byte("<p")
	for i := range 400 {
		fonts += fmt.Sprintf("<font size=%d>", i)
	}
	for i := range 400_000 {
		attributes = fmt.Appendf(attributes, " a%d", i)
	}
	for name, c := range map[string]struct {
		body string
		made bool
	}{
		"/usual":      {strings.Repeat("<p class=x>Some words of a <b>page</b> like any other.</p>\n", 20_000), true},
		"/formatting": {fonts + strings.Repeat("<p>x</p>", 5_000), false}, // 240 MB
		"/elements":   {strings.Repeat("<br>", 1_000_000), false},
		"/attributes": {string(attributes) + ">", false},
	} {
		r := newRig(t)
		r.set.Memory = 32 << 20
		r.web.answers[host+name] = func(int) (*crawler.Response, error) {
			return &crawler.Response{Status: 200, MediaType: "text/html", Body: []byte(c.body)}, nil
		}
		r.seeds = []string{host + name}
		var err error
		r.web.read = func(p *crawler.Page) { _, err = p.Document() }
		if s := r.finish(); s.Pages != 1 {
			t.Errorf("%s: %+v", name, s)
		}
		if c.made != (err == nil) || err != nil && !strings.Contains(err.Error(), "fetch.memory") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A fetcher that cannot go on ends the run, which can be resumed.
func TestFetcherThatCannotGoOn(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 3)
	r.web.answers[host+"/0"] = func(n int) (*crawler.Response, error) {
		if n == 1 {
			return nil, fmt.Errorf("%w: disk full", crawler.ErrStop)
		}
		return &crawler.Response{Status: 200, Body: []byte(r.web.pages[host+"/0"])}, nil
	}
	if _, err := r.run(context.Background()); !errors.Is(err, crawler.ErrStop) {
		t.Fatalf("it ended in %v", err)
	}
	r.finish()
	r.exactly(3)
}

// A page that takes all the room for pages, and another that waits for it, keep no
// small page waiting.
func TestSmallPagesDoNotWaitForLargeOnes(t *testing.T) {
	r := newRig(t)
	r.set.Memory = 8 << 20
	large := []byte(strings.Repeat("<p>x</p>", 400_000))
	for _, url := range []string{"http://l1.example/", "http://l2.example/"} {
		r.web.answers[url] = func(int) (*crawler.Response, error) {
			return &crawler.Response{Status: 200, MediaType: "text/html", Body: large}, nil
		}
		r.seeds = append(r.seeds, url)
	}
	for i := range 4 {
		url := fmt.Sprintf("http://s%d.example/", i)
		r.web.answers[url] = func(int) (*crawler.Response, error) {
			return &crawler.Response{Status: 200, MediaType: "text/html", Body: []byte("<p>x</p>")}, nil
		}
		r.seeds = append(r.seeds, url)
	}
	var small sync.WaitGroup
	small.Add(4)
	r.web.read = func(p *crawler.Page) {
		if len(p.Response.Body) < len(large) {
			small.Done()
			return
		}
		small.Wait() // a large page takes until the small ones were read
	}
	if s := r.finish(); s.Pages != 6 {
		t.Errorf("%+v", s)
	}
}
