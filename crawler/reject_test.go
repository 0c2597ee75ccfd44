package crawler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// pageTally counts pages and records by what the engine commits.
type pageTally struct {
	Pages, Records, Rejects int
	finished                int
}

type pageNote struct{ records, rejects int }

func (p *pageTally) Open(state crawler.Values) error {
	data, err := state.Get("tally")
	p.Pages, p.Records, p.Rejects = 0, 0, 0
	if err != nil || data == nil {
		return err
	}
	return json.Unmarshal(data, p)
}

func (p *pageTally) Note(_ *crawler.Page, r *crawler.Result) any {
	return pageNote{len(r.Records), len(r.Rejects)}
}

func (p *pageTally) Add(notes []any, put map[string][]byte) (func(), error) {
	next := pageTally{Pages: p.Pages + len(notes), Records: p.Records, Rejects: p.Rejects}
	for _, n := range notes {
		next.Records += n.(pageNote).records
		next.Rejects += n.(pageNote).rejects
	}
	var err error
	put["tally"], err = json.Marshal(&next)
	return func() { p.Pages, p.Records, p.Rejects = next.Pages, next.Records, next.Rejects }, err
}

func (p *pageTally) Finish(run crawler.RunState, totals crawler.Totals, put map[string][]byte) error {
	p.finished++
	if !run.Finished || totals.Pages != int64(p.Pages) {
		return fmt.Errorf("run %+v has %d pages, the tally %d", run, totals.Pages, p.Pages)
	}
	put["kept"] = []byte("kept")
	return nil
}

// Rejects reach their own sink, once each, and the tally agrees with the records
// whatever became of the processes of a run.
func TestRejectsAndTallyAreCommittedWithThePages(t *testing.T) {
	r := newRig(t)
	r.rejects, r.tally = &memorySink{}, &pageTally{}
	r.set.BatchPages = 4
	r.web.site(host, 200)
	for i := 0; i < 200; i += 2 {
		r.web.pages[fmt.Sprintf("%s/%d", host, i)] += "\nreject x"
	}
	broken := errors.New("the disk is full")
	r.rejects.fail = func(written int) error {
		if written > 40 {
			return broken // after the records of the batch, which no commit follows
		}
		return nil
	}
	if _, err := r.run(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("the run ended with %v", err)
	}
	r.rejects.fail = nil
	ctx, stop := context.WithCancel(t.Context())
	r.web.before = func(context.Context, string) {
		if len(r.rejects.keys()) > 70 {
			stop()
		}
	}
	if _, err := r.run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("the run ended with %v", err)
	}
	stop()
	r.web.before = nil
	s := r.finish()
	r.exactly(200)
	rejected := r.rejects.keys()
	if len(rejected) != 100 {
		t.Errorf("%d rejects, want 100", len(rejected))
	}
	for key, n := range rejected {
		if n != 1 {
			t.Errorf("reject %s was written %d times", key, n)
		}
	}
	if want := map[string]int64{"item": 100}; !maps.Equal(s.Rejected, want) || s.Records["item"] != 200 {
		t.Errorf("the summary says %v and %v", s.Records, s.Rejected)
	}
	if got := r.tally.(*pageTally); got.Pages != 200 || got.Records != 200 || got.Rejects != 100 || got.finished != 1 {
		t.Errorf("the tally says %+v", got)
	}
}

// A page whose records may not be kept leaves no rejects either.
func TestNoRejectsOfPagesThatForbidRecords(t *testing.T) {
	r := newRig(t)
	r.rejects, r.policy = &memorySink{}, noRecords{}
	r.web.pages[host+"/0"] = "record a\nreject b"
	s := r.finish()
	if len(r.rejects.keys()) != 0 || len(s.Rejected) != 0 {
		t.Errorf("rejected %v, written %v", s.Rejected, r.rejects.keys())
	}
}

type noRecords struct{}

func (noRecords) Judge(*crawler.Page) crawler.PageVerdict {
	return crawler.PageVerdict{NoRecords: true, Reason: "noindex"}
}
