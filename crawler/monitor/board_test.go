package monitor

import (
	"fmt"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// What a process did for a crawl never falls, whatever runs begin and end, and goes
// on from 0 only when the crawl is no more.
func TestCountsOnlyGrow(t *testing.T) {
	b := NewBoard(time.Now)
	for run := range int64(3) {
		m, end := b.Begin("a", func(text string) string { return text })
		tell := m.Observer()
		tell.Exchanged(crawler.Exchange{Bytes: 10})
		tell.Exchanged(crawler.Exchange{Bytes: 5, Robots: true})
		tell.Settled(&crawler.Request{}, crawler.Outcome{Class: crawler.ClassFetched}, 2)
		tell.Settled(&crawler.Request{}, crawler.Outcome{Class: crawler.ClassTimeout, Disposition: crawler.Retry}, 0) // comes again
		tell.Committed(crawler.Totals{Requests: 1000}, crawler.FrontierStats{})                                       // of earlier processes as well
		for range 2 {
			got := b.Counts()["a"]
			if n := run + 1; got.Requests != 2*n || got.Bytes != 15*n || got.Records != 2*n || got.Outcomes[crawler.ClassFetched] != n || len(got.Outcomes) != 1 {
				t.Errorf("run %d: %+v", run, got)
			}
			end() // the second round is after it, and a second call would count twice
			end = func() {}
		}
		if b.Live("a") != nil {
			t.Error("it is still there")
		}
	}
	_, end := b.Begin("b", nil)
	b.Keep(nil)
	if all := b.Counts(); len(all) != 1 {
		t.Errorf("%v", all)
	}
	end()
	b.Keep(nil)
	if all := b.Counts(); len(all) != 0 {
		t.Errorf("%v", all)
	}
}

func TestPreviewsAreBounded(t *testing.T) {
	now := time.Unix(0, 0)
	b := NewBoard(func() time.Time { return now })
	m, _ := b.Begin("a", func(text string) string { return text })
	big := make([]crawler.Field, 1000)
	for i := range big {
		big[i] = crawler.Field{Name: fmt.Sprint("f", i), Value: make([]any, 1000)}
	}
	for i := range 10_000 {
		m.glance([]crawler.Record{{Type: fmt.Sprint("t", i%100), Fields: big}, {Type: "t0", Fields: []crawler.Field{{Name: "n", Value: i}}}}, "http://a.example/")
		now = now.Add(10 * time.Millisecond)
	}
	latest := m.Latest()
	if len(latest) != maxPreviewTypes {
		t.Errorf("%d types", len(latest))
	}
	for name, kept := range latest {
		if len(kept) > maxPreviews {
			t.Errorf("%s: %d records", name, len(kept))
		}
		for _, p := range kept {
			if len(p.Fields) > maxPreviewFields {
				t.Errorf("%s: %d fields", name, len(p.Fields))
			}
			for _, f := range p.Fields {
				if len(f.Value) > maxPreviewValue+2 {
					t.Errorf("%s: a value of %d bytes", name, len(f.Value))
				}
			}
		}
	}
	if p := New(time.Now).Peek(nil); p != nil {
		t.Error("a monitor that nobody looks at peeks")
	}
}
