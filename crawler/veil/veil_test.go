package veil

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// word is a veil over one secret.
type word string

func (w word) Empty() bool                     { return w == "" }
func (w word) Hide(text string) string         { return strings.ReplaceAll(text, string(w), "${KEY}") }
func (w word) Seal(text, mark string) string   { return strings.ReplaceAll(text, string(w), "~"+mark) }
func (w word) Unseal(text, mark string) string { return strings.ReplaceAll(text, "~"+mark, string(w)) }

const secret = word("s3cret")

// shelf is a frontier that keeps what was found and lends it out again.
type shelf struct {
	crawler.Frontier
	values map[string][]byte
	found  []crawler.Request
	detail string
}

func (s *shelf) Get(key string) ([]byte, error) { return s.values[key], nil }

func (s *shelf) Commit(_ context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	for key, value := range b.Put {
		s.values[key] = value
	}
	s.found = append(s.found, b.Found...)
	for _, o := range b.Outcomes {
		s.detail += o.Detail
	}
	return crawler.CommitResult{}, nil
}

func (s *shelf) Lease(context.Context, int) ([]crawler.Lease, error) {
	leases := make([]crawler.Lease, len(s.found))
	for i := range s.found {
		leases[i].Request = s.found[i]
	}
	return leases, nil
}

// The secret is nowhere in what is committed, and everywhere in what is lent, also by
// another process on the same state; the batch itself stays as it was.
func TestFrontier(t *testing.T) {
	u, err := urls.Parse("https://h.example/p?key=s3cret")
	if err != nil {
		t.Fatal(err)
	}
	request := crawler.Request{
		URL: u, Requested: "https://h.example/s3cret",
		Call:  &crawler.Call{Method: "POST", Body: "s3cret", Header: http.Header{"X-Key": {"s3cret"}}},
		Carry: []crawler.Field{{Name: "a", Value: "s3cret"}, {Name: "b", Value: json.RawMessage(`"s3cret"`)}, {Name: "c", Value: []any{"s3cret"}}, {Name: "n", Value: 1}},
	}
	said := func(r crawler.Request) string {
		return fmt.Sprintf("%v %+v %v %s", r.URL, *r.Call, r.Requested, r.Carry)
	}
	before := said(request)
	s := &shelf{values: map[string][]byte{}}
	for life := range 2 {
		f, err := Frontier(t.Context(), s, secret)
		if err != nil {
			t.Fatal(err)
		}
		if life == 0 {
			b := &crawler.Batch{Found: []crawler.Request{request}, Outcomes: []crawler.Outcome{{Detail: "no s3cret"}}}
			if _, err := f.Commit(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if after := said(b.Found[0]); after != before || b.Outcomes[0].Detail != "no s3cret" {
				t.Errorf("the batch has become %s", after)
			}
			if kept := said(s.found[0]); strings.Contains(kept, string(secret)) || strings.Count(kept, "~") != strings.Count(before, string(secret)) || s.detail != "no ${KEY}" {
				t.Errorf("it keeps %s of %s, and %q", kept, before, s.detail)
			}
		}
		leases, err := f.Lease(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := said(leases[0].Request); got != before {
			t.Errorf("it lends %s, not %s", got, before)
		}
	}
	if f, err := Frontier(t.Context(), s, word("")); err != nil || f != crawler.Frontier(s) {
		t.Errorf("with nothing to hide there is %T before it, %v", f, err)
	}
}

// gives is a pipeline that has one result.
type gives struct {
	crawler.Pipeline
	result crawler.Result
}

func (p gives) Run(_ context.Context, _ *crawler.Page, r *crawler.Result) error {
	*r = p.result
	return nil
}

func TestPipeline(t *testing.T) {
	of := crawler.Record{URL: "https://h.example/s3cret", Requested: "https://h.example/?s3cret"}
	p := Pipeline(gives{result: crawler.Result{Records: []crawler.Record{of}}}, secret)
	var r crawler.Result
	if err := p.Run(t.Context(), nil, &r); err != nil {
		t.Fatal(err)
	}
	if got := r.Records[0]; got.URL != "https://h.example/${KEY}" || got.Requested != "https://h.example/?${KEY}" {
		t.Errorf("its provenance is %s and %s", got.URL, got.Requested)
	}
}
