package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// interrupted runs until some pages are fetched.
func (r *rig) interrupted(after int32) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	var fetched atomic.Int32
	r.web.before = func(context.Context, string) {
		if fetched.Add(1) == after {
			cancel()
		}
	}
	if _, err := r.run(ctx); !errors.Is(err, context.Canceled) {
		r.t.Fatalf("the run was not interrupted: %v", err)
	}
	r.web.before = nil
}

// A URL that the config no longer wants is not requested, though it was queued.
func TestScopeHoldsForWhatWasQueuedBefore(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 300)
	r.interrupted(40)
	before := len(r.web.fetches)
	r.scope.Exclude = []urls.Pattern{{Glob: "/*"}}
	s := r.finish()
	if len(r.web.fetches) != before {
		t.Errorf("%d URLs were requested after all were excluded", len(r.web.fetches)-before)
	}
	if s.OutOfScope == 0 || s.Pending != 0 || s.Failed != 0 {
		t.Errorf("summary %+v", s)
	}
}

// An output that joins a run in its middle would lack what came before.
func TestOutputsOfAnUnfinishedRunStay(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 100)
	r.interrupted(20)
	r.sinkName = "other"
	if _, err := r.run(t.Context()); !errors.Is(err, crawler.ErrForeignState) || !strings.Contains(err.Error(), "writes to memory, not to other") {
		t.Errorf("an output was changed in the middle of a run: %v", err)
	}
	r.sinkName = "memory"
	r.finish()
	r.exactly(100)
}

// Pages that grow large in memory wait for each other while nothing is
// committed.
func TestMemoryBoundsPagesBeforeTheirCommit(t *testing.T) {
	r := newRig(t)
	r.set.Workers, r.set.BatchBytes = 32, 1<<16 // room for a mebibyte
	r.seeds = nil
	for i := range 50 {
		url := fmt.Sprintf("%s/big/%d", host, i)
		r.seeds = append(r.seeds, url)
		r.web.pages[url] = "record x\n" + strings.Repeat(" ", 120<<10) // nearly half of the room each
	}
	r.sink.blocked = make(chan struct{})
	var extracted, most atomic.Int32
	r.web.extracting = func() { extracted.Add(1) }
	go func() {
		for last := int32(-1); extracted.Load() != last || last == 0; {
			last = extracted.Load()
			time.Sleep(100 * time.Millisecond) // until nothing moves any more
		}
		most.Store(extracted.Load())
		close(r.sink.blocked)
	}()
	r.finish()
	r.exactly(50)
	if most.Load() > 2 {
		t.Errorf("%d pages were extracted while the room was full", most.Load())
	}
}

// Links that take far more memory than their page are left out.
func TestFloodOfLongLinks(t *testing.T) {
	r := newRig(t)
	r.web.pages[host+"/0"] = "record x\nflood"
	s := r.finish()
	r.exactly(1)
	if s.OutOfScope < 9_000 || s.Requests > 1000 {
		t.Errorf("summary %+v", s)
	}
}
