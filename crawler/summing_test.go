package crawler_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/aggregate"
)

// Results are written once, whichever commit of the run was the last of its process.
func TestResultsAreWrittenOnce(t *testing.T) {
	died := 0
	for after := range 9 {
		r := newRig(t)
		r.set.BatchPages = 1
		r.web.pages[host+"/0"] = "record a\nlink /1\nlink /2"
		r.web.pages[host+"/1"] = "record b"
		r.web.pages[host+"/2"] = "record c"
		counting := func() { // each process has its own
			r.aggregate = aggregate.New([]aggregate.Spec{{Name: "sums", Of: "item", Count: true, Only: true}})
		}
		counting()
		r.wrap = func(f crawler.Frontier) crawler.Frontier { return &dying{Frontier: f, after: after} }
		_, err := r.run(t.Context())
		if err != nil && !errors.Is(err, crawler.ErrStop) {
			t.Fatal(err)
		}
		r.wrap = nil
		if err != nil {
			died++
			counting()
			if s := r.finish(); s.Records["sums"] != 1 || s.Records["item"] != 0 {
				t.Errorf("after %d commits: %v", after, s.Records)
			}
		}
		compareLines(t, told(r.sink.records), []string{fmt.Sprint("count=", 3)})
	}
	if died < 6 { // begin, seeds, three pages, the results, the end
		t.Errorf("it died %d times", died)
	}
}

// What is left out of a sum is told once it is committed, to whoever observes too.
func TestUnsummedValuesAreTold(t *testing.T) {
	r := newRig(t)
	r.web.pages[host+"/0"] = "record a\nrecord 2\nrecord c"
	r.aggregate = aggregate.New([]aggregate.Spec{{Name: "sums", Of: "item", Sum: []string{"word"}}})
	var observed []string
	r.observer = crawler.Observer{FieldError: func(e crawler.RecordError) { observed = append(observed, e.Error()) }}
	s := r.finish()
	want := []string{host + `/0: sums.word: not a number: "a"`, host + `/0: sums.word: not a number: "c"`}
	compareLines(t, observed, want)
	if s.FieldErrors != 2 {
		t.Errorf("%d are counted", s.FieldErrors)
	}
}
