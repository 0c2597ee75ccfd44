package crawler_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// many yields as many rows that make no request as are added before the first one,
// then those for the paths, each once before has let it go.
func many(t *testing.T, before func(i int) error, paths ...string) func(func(crawler.Seed, error) bool) {
	return func(yield func(crawler.Seed, error) bool) {
		for i := range 10_000 - 1 {
			if !yield(crawler.Seed{Row: uint64(i + 1), Types: []string{"item"}, Fault: errors.New("x:1: bad")}, nil) {
				return
			}
		}
		for i, path := range paths {
			err := before(i)
			u, bad := urls.Parse(host + path)
			if bad != nil {
				t.Error(bad)
			}
			if !yield(crawler.Seed{URL: u, Row: uint64(20_000 + i), Types: []string{"item"}}, err) || err != nil {
				return
			}
		}
	}
}

// Seeds behind the first ones are added while the crawl is under way, also when
// nothing else is left to do, and the run does not end before them.
func TestSeedsAreAddedMeanwhile(t *testing.T) {
	r := newRig(t)
	r.seeds = nil
	asked := make(chan string, 10)
	var paths []string
	for i := range 5 {
		path := fmt.Sprint("/", i)
		paths = append(paths, path)
		r.web.answers[host+path] = func(int) (*crawler.Response, error) {
			asked <- path
			return &crawler.Response{Status: 200, Header: http.Header{}, MediaType: "text/plain", Body: []byte("record " + path)}, nil
		}
	}
	r.rows = many(t, func(i int) error {
		if i == 0 {
			return nil // that completes the first batch
		}
		if i > 1 {
			return nil
		}
		select {
		case <-asked:
		case <-time.After(time.Minute):
			t.Error("the first row waits for the last")
		}
		return nil
	}, paths...)
	s := r.finish()
	if s.Records["item"] != 10_000+4 || s.Pages != 5 {
		t.Errorf("%d records, %d pages", s.Records["item"], s.Pages)
	}
}

// Seeds that cannot be read any more stop the run, which goes on where it was.
func TestSeedsThatBreakOff(t *testing.T) {
	r := newRig(t)
	r.seeds = nil
	r.web.pages[host+"/0"], r.web.pages[host+"/1"], r.web.pages[host+"/2"] = "record a", "record b", "record c"
	broken := true
	r.rows = many(t, func(i int) error {
		if i == 2 && broken {
			return errors.New("the disk is gone")
		}
		return nil
	}, "/0", "/1", "/2")
	s, err := r.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the disk is gone") || s.Status != crawler.StatusFailed {
		t.Fatalf("%v: %s", err, s.Status)
	}
	broken = false
	if s := r.finish(); s.Records["item"] != 10_000-1+3 {
		t.Errorf("%d records", s.Records["item"])
	}
}
