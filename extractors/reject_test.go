package extractors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// sourcedPlugin is one that says where its fields are.
type sourcedPlugin struct{ plugin }

func (sourcedPlugin) FieldSource(field string) string { return "css: ." + field }

// rejecting emits a record, and rejects n.
func rejecting(n int, err error) plugin {
	return plugin{noTree: true, extract: func(_ context.Context, _ *crawler.Page, e *crawler.Emitter) error {
		e.Record(crawler.Field{Name: "n", Value: int64(0)})
		for i := range n {
			e.Reject([]crawler.Field{{Name: "n", Value: int64(i)}}, crawler.Problem{Field: "price", Value: strings.Repeat("ä", 500), Err: errors.New("too dear")})
		}
		return err
	}}
}

func TestRejectsHaveTheirProvenance(t *testing.T) {
	pl := pipeline(t, Options{Rules: []Rule{
		{Type: "a", Extractor: sourcedPlugin{rejecting(2, nil)}}, {Type: "b", Extractor: rejecting(1, nil)}, {Type: "c", Extractor: emits(0)},
	}})
	first, err := run(t, pl, page(t, "http://h.example/p", ""))
	if err != nil {
		t.Fatal(err)
	}
	again, err := run(t, pl, page(t, "http://h.example/p", ""))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for i, r := range first.Rejects {
		p := r.Problems[0]
		if r.URL != "http://h.example/p" || r.Requested == "" || len(p.Value) > 200 || r.Key != again.Rejects[i].Key {
			t.Errorf("reject %+v", r)
		}
		if want := map[string]string{"a": "css: .price", "b": ""}[r.Type]; p.Source != want {
			t.Errorf("%s is read from %q, want %q", r.Type, p.Source, want)
		}
		keys[r.Key] = true
	}
	for _, r := range first.Records {
		keys[r.Key] = true
	}
	if len(first.Rejects) != 3 || len(first.Records) != 2 || len(keys) != 5 {
		t.Errorf("%d rejects, %d records, %d keys", len(first.Rejects), len(first.Records), len(keys))
	}
	if got := fmt.Sprint(first.Matched); got != "[a b c]" {
		t.Errorf("looked for %s", got)
	}
}

func TestRejectsAreBounded(t *testing.T) {
	pl := pipeline(t, Options{Rules: []Rule{{Type: "a", Extractor: rejecting(5000, nil)}}, MaxRecords: 100})
	r, err := run(t, pl, page(t, "http://h.example/p", ""))
	if err != nil || len(r.Rejects) != 100 || len(r.Errors) > 1001 {
		t.Errorf("%d rejects, %d errors, %v", len(r.Rejects), len(r.Errors), err)
	}
}

// What fails takes its rejects along: one says that it failed.
func TestFailedExtractorIsOneReject(t *testing.T) {
	pl := pipeline(t, Options{Rules: []Rule{{Type: "a", Extractor: rejecting(3, errors.New("boom"))}, {Type: "b", Extractor: rejecting(1, nil)}}})
	r, err := run(t, pl, page(t, "http://h.example/p", ""))
	if err != nil || len(r.Rejects) != 2 || r.Rejects[0].Fields != nil || r.Rejects[0].Problems[0].Err.Error() != "boom" || r.Rejects[1].Type != "b" {
		t.Errorf("rejects %+v, %v", r.Rejects, err)
	}
	panics := plugin{noTree: true, extract: func(_ context.Context, _ *crawler.Page, e *crawler.Emitter) error {
		e.Reject(nil, crawler.Problem{Err: errors.New("x")})
		panic("boom")
	}}
	r, err = run(t, pipeline(t, Options{Rules: []Rule{{Type: "a", Extractor: panics}}}), page(t, "http://h.example/p", ""))
	if err == nil || len(r.Rejects) != 0 || len(r.Matched) != 0 {
		t.Errorf("rejects %+v, looked for %v, %v", r.Rejects, r.Matched, err)
	}
}
