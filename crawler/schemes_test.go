package crawler_test

import (
	"net/http"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

const (
	query  = "sql://warehouse/orders"
	nextOf = "sql://warehouse/orders?_after=1"
)

// No page leads to what only the config may name, by whatever an extractor emits or
// a server answers.
func TestPagesLeadToPagesOnly(t *testing.T) {
	r := newRig(t)
	r.web.pages[host+"/0"] = "link " + query + "\nlink file:///etc/passwd\nlink blob:x\nlink /moved"
	r.web.answers[host+"/moved"] = func(int) (*crawler.Response, error) {
		u, err := urls.Parse(query)
		return &crawler.Response{Status: 302, Header: http.Header{}, Location: u}, err
	}
	s := r.finish()
	if n := r.web.times(query); n != 0 {
		t.Errorf("the query was asked %d times", n)
	}
	if s.OutOfScope != 3 || s.Errors[crawler.ClassRedirectBad] != 1 {
		t.Errorf("%d links out of scope, errors %v", s.OutOfScope, s.Errors)
	}
}

// What the config names leads on to its like, however far, and not to the web.
func TestQueriesLeadToQueriesOnly(t *testing.T) {
	r := newRig(t)
	u, err := urls.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	r.seeds = nil
	r.rows = func(yield func(crawler.Seed, error) bool) { yield(crawler.Seed{URL: u}, nil) }
	r.web.pages[query] = "record a\nlink " + nextOf + "\nlink " + host + "/0\nlink file:///etc/passwd"
	r.web.pages[nextOf] = "record b"
	r.web.pages[host+"/0"] = "record c"
	s := r.finish()
	if s.Records["item"] != 2 || s.OutOfScope != 2 || r.web.times(nextOf) != 1 {
		t.Errorf("%v records, %d links out of scope", s.Records, s.OutOfScope)
	}
}
