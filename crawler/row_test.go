package crawler_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// dataset gives a row for each path; "!" and a text is a row that makes no request.
func dataset(paths ...string) func(func(crawler.Seed, error) bool) {
	return func(yield func(crawler.Seed, error) bool) {
		for i, path := range paths {
			s := crawler.Seed{Row: uint64(i + 1), Types: []string{"item"}, Carry: []crawler.Field{{Name: "id", Value: int64(i + 1)}, {Name: "word", Value: "own"}}}
			if fault, bad := strings.CutPrefix(path, "!"); bad {
				s.Fault = errors.New(fault)
			} else {
				s.URL, _ = urls.Parse(host + path)
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// told writes the records of rows, sorted.
func told(records []crawler.Record) []string {
	var lines []string
	for _, r := range records {
		line := ""
		for _, f := range r.Fields {
			line += fmt.Sprintf("%s=%v ", f.Name, f.Value)
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	slices.Sort(lines)
	return lines
}

func compareLines(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Each row gets its records, or one that says why there are none.
func TestEachRowHasItsAnswer(t *testing.T) {
	r := newRig(t)
	r.seeds, r.set.Retries = nil, 1
	r.web.pages[host+"/a"] = "record a"
	r.web.pages[host+"/two"] = "record b\nrecord c"
	r.web.pages[host+"/none"] = "nothing"
	r.web.pages[host+"/reject"] = "reject bad"
	r.web.pages[host+"/list"] = "record d\nmore /list?2"
	r.web.pages[host+"/list?2"] = "record e\nmore /list?3"
	r.web.answers[host+"/down"] = func(int) (*crawler.Response, error) {
		return &crawler.Response{Status: 503, Header: http.Header{}, Body: []byte("try\nlater")}, nil
	}
	lead := func(from, to string) {
		r.web.answers[host+from] = func(int) (*crawler.Response, error) {
			u, err := urls.Parse(to)
			return &crawler.Response{Status: 302, Header: http.Header{}, Location: u}, err
		}
	}
	lead("/moved", host+"/a")
	lead("/away", "http://elsewhere.example/")
	lead("/round", host+"/round2")
	lead("/round2", host+"/round3")
	lead("/round3", host+"/round2")
	r.rows = dataset("/a", "/a", "/two", "/none", "/missing", "/down", "/moved", "/moved", "/away", "/round", "/list", "/list", "!not UTF-8")
	s := r.finish()
	want := []string{
		"id=1 word=own answer_word=a",
		"id=10 word=own error=redirect_loop error_detail=more than 10 redirects from http://tree.example/round",
		"id=11 word=own answer_word=d", "id=11 word=own answer_word=e",
		"id=12 word=own answer_word=d", "id=12 word=own answer_word=e",
		"id=13 word=own error=bad_row error_detail=not UTF-8",
		"id=2 word=own answer_word=a",
		"id=3 word=own answer_word=b", "id=3 word=own answer_word=c",
		"id=4 word=own error=no_record error_detail=the answer, of type unknown, gave no record",
		"id=5 word=own error=http_4xx error_detail=status 404",
		"id=6 word=own error=http_5xx error_detail=status 503, after 2 attempts: try later",
		"id=7 word=own answer_word=a", "id=8 word=own answer_word=a",
		`id=9 word=own error=out_of_scope error_detail=to http://elsewhere.example/, out of scope: hosts: not one of tree.example`,
	}
	compareLines(t, told(r.sink.written), want)
	r.exactly(len(want))
	if s.Errors[crawler.ClassBadRow] != 1 || s.Errors[crawler.ClassHTTP4xx] != 3 { // two of them are third pages
		t.Errorf("errors %v", s.Errors)
	}
}

// However often the process dies, each row has its records once, by the same keys.
func TestRowsAcrossDeaths(t *testing.T) {
	paths := []string{"!bad"}
	web := newWeb()
	for i := range 40 {
		path := fmt.Sprintf("/%d", i%20)
		paths = append(paths, path)
		if i%3 > 0 {
			web.pages[host+path] = "record x"
		}
	}
	var undisturbed map[string]int
	for after := range 8 {
		r := newRig(t)
		r.web.pages, r.seeds, r.rows, r.set.BatchPages = web.pages, nil, dataset(paths...), 5
		if after > 0 {
			r.wrap = func(f crawler.Frontier) crawler.Frontier { return &dying{Frontier: f, after: after} }
			if s, err := r.run(t.Context()); !errors.Is(err, crawler.ErrStop) {
				t.Fatalf("%s: %v", s.Status, err)
			}
			r.wrap = nil
		}
		if s := r.finish(); s.Records["item"] != int64(len(paths)) {
			t.Errorf("after %d commits: %+v", after, s.Records)
		}
		r.exactly(len(paths))
		if keys := r.sink.keys(); undisturbed == nil {
			undisturbed = keys
		} else if !maps.Equal(keys, undisturbed) {
			t.Errorf("after %d commits the records are others", after)
		}
	}
}

// A row's request may be repeated by its key, which is the same throughout a run.
func TestIdempotencyKeys(t *testing.T) {
	r := newRig(t)
	r.seeds, r.set.Retries, r.set.Workers = nil, 2, 1
	var keys []string
	r.observer.Leased = func(q *crawler.Request) { keys = append(keys, q.Call.Header.Get("Idempotency-Key")) }
	call := &crawler.Call{Method: "POST", Body: "x"}
	r.web.answers["POST "+host+"/a x"] = func(n int) (*crawler.Response, error) {
		if n < 3 {
			return &crawler.Response{Status: 500, Header: http.Header{}}, nil
		}
		return page("record a")
	}
	r.rows = func(yield func(crawler.Seed, error) bool) {
		for s := range dataset("/a", "/a") {
			s.Call, s.Idempotent = call, true
			if !yield(s, nil) {
				return
			}
		}
	}
	if s := r.finish(); s.Records["item"] != 2 || s.Retries != 2 {
		t.Errorf("summary %+v", s)
	}
	slices.Sort(keys)
	if len(keys) != 4 || len(slices.Compact(slices.Clone(keys))) != 2 || len(keys[0]) != 36 || call.Repeat || len(call.Header) > 0 {
		t.Errorf("keys %q of %+v", keys, call)
	}
}

// A row may have as many values as a dataset gives it, on further pages too. What is
// left out of the record of one that makes no request is named.
func TestWideRows(t *testing.T) {
	r := newRig(t)
	r.seeds = nil
	r.web.pages[host+"/list"] = "record a\nmore /list?2"
	r.web.pages[host+"/list?2"] = "record b"
	wide := []crawler.Field{{Name: "id", Value: "1"}}
	for i := range 999 {
		wide = append(wide, crawler.Field{Name: fmt.Sprint("a_rather_long_name_of_a_column_", i), Value: strings.Repeat("x", 200)})
	}
	large := []crawler.Field{{Name: "id", Value: "2"}, {Name: "huge", Value: json.RawMessage(`"` + strings.Repeat("x", crawler.MaxRow) + `"`)}, {Name: "small", Value: "s"}}
	u, err := urls.Parse(host + "/list")
	if err != nil {
		t.Fatal(err)
	}
	r.rows = func(yield func(crawler.Seed, error) bool) {
		_ = yield(crawler.Seed{Row: 1, URL: u, Types: []string{"page"}, Carry: wide}, nil) &&
			yield(crawler.Seed{Row: 2, Fault: errors.New("too much"), Place: "x:2", Types: []string{"page"}, Carry: large}, nil)
	}
	r.finish()
	if len(r.sink.written) != 3 {
		t.Fatalf("%d records", len(r.sink.written))
	}
	for _, rec := range r.sink.written {
		switch {
		case rec.Failed:
			got := told([]crawler.Record{rec})
			if want := "id=2 small=s error=bad_row error_detail=too much; left out here: huge"; len(got) != 1 || got[0] != want {
				t.Errorf("%q, want %q", got, want)
			}
		case len(rec.Fields) < 1000:
			t.Errorf("a record has %d fields", len(rec.Fields))
		}
	}
}
