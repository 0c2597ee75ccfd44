package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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

// What pages ask for beyond their weight is bounded together, each gets it in the end,
// and what cannot be had is refused.
func TestReserve(t *testing.T) {
	const room, each, pages = 32 << 20, 14 << 20, 12
	r := newRig(t)
	r.set.Memory = room
	for i := range pages {
		url := fmt.Sprintf("http://h%d.example/", i)
		r.web.answers[url] = func(int) (*crawler.Response, error) {
			return &crawler.Response{Status: 200, MediaType: "application/json", Body: []byte("{}")}, nil
		}
		r.seeds = append(r.seeds, url)
	}
	var mu sync.Mutex
	held, most, refused := 0, 0, 0
	r.web.read = func(p *crawler.Page) {
		if _, err := p.Reserve(t.Context(), room/2+1); err == nil || !strings.Contains(err.Error(), "fetch.memory") {
			t.Errorf("it got more than is left to it: %v", err)
		}
		done, err := p.Reserve(t.Context(), each)
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		held += each
		most = max(most, held)
		mu.Unlock()
		if _, err := p.Reserve(t.Context(), each); err != nil { // it adds up
			mu.Lock()
			refused++
			mu.Unlock()
		}
		runtime.Gosched()
		mu.Lock()
		held -= each
		mu.Unlock()
		done()
	}
	if s := r.finish(); s.Pages != pages {
		t.Errorf("%+v", s)
	}
	if most > room+room/2 || refused != pages {
		t.Errorf("%d MiB were held at once, and %d pages were refused", most>>20, refused)
	}
}

// A page waits for what its reader takes before it is read.
func TestWeigh(t *testing.T) {
	r := newRig(t)
	r.set.Memory = 32 << 20
	r.weigh = func(p *crawler.Page, size int64) int64 {
		if size == 0 {
			return 0 // where the web has no page
		}
		if p.Response.MediaType != "application/pdf" || p.Response.Body != nil || size != 4 {
			t.Errorf("asked for %d bytes of %q", size, p.Response.MediaType)
		}
		return 10 << 20
	}
	for i := range 6 {
		url := fmt.Sprintf("http://h%d.example/", i)
		r.web.answers[url] = func(int) (*crawler.Response, error) {
			return &crawler.Response{Status: 200, MediaType: "application/pdf", Body: []byte("%PDF")}, nil
		}
		r.seeds = append(r.seeds, url)
	}
	var mu sync.Mutex
	n, most := 0, 0
	r.web.read = func(p *crawler.Page) {
		if p.Spare() < 10<<20 {
			t.Errorf("%d bytes are to spare", p.Spare())
		}
		mu.Lock()
		n++
		most = max(most, n)
		mu.Unlock()
		runtime.Gosched()
		mu.Lock()
		n--
		mu.Unlock()
	}
	if s := r.finish(); s.Pages != 6 || most > 2 {
		t.Errorf("%d were read at once: %+v", most, s)
	}
}
