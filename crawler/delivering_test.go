package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// handingSink hands lines on, each under its number, once they are committed. What it
// has handed on stays where it is.
type handingSink struct {
	*memorySink
	committed *positions
	flushed   string
	due       int // lines that may be handed on
	sealed    bool
	got       map[int]string
	delivered int
	hangs     bool
	fail      func(delivered int) error
	problems  []string
}

func (s *handingSink) Open(ctx context.Context, run crawler.RunInfo, position []byte) error {
	if want := filepath.Join("state", "outbox"); filepath.Dir(run.Folder) != want {
		s.problems = append(s.problems, fmt.Sprintf("the folder is %q, want one in %q", run.Folder, want))
	}
	s.sealed = false
	return s.memorySink.Open(ctx, run, position)
}

func (s *handingSink) Flush(ctx context.Context) ([]byte, error) {
	position, err := s.memorySink.Flush(ctx)
	s.flushed = string(position)
	if n := len(s.lines); s.sealed || n-s.due >= 5 {
		s.due = n
	}
	return position, err
}

func (s *handingSink) Seal() { s.sealed = true }

func (s *handingSink) Deliver(ctx context.Context) error {
	if committed := s.committed.last.Load(); committed == nil || *committed != s.flushed {
		s.problems = append(s.problems, fmt.Sprintf("%q is handed on, and %v is committed", s.flushed, committed))
	}
	s.delivered++
	if s.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.fail != nil {
		if err := s.fail(s.delivered); err != nil {
			return err
		}
	}
	for i, line := range s.lines[:min(s.due, len(s.lines))] {
		if before, again := s.got[i]; again && before != line {
			s.problems = append(s.problems, fmt.Sprintf("%d was %s and is %s", i, before, line))
		}
		s.got[i] = line
	}
	return nil
}

// positions is a frontier that knows what position is committed.
type positions struct {
	crawler.Frontier
	last atomic.Pointer[string]
}

func (p *positions) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	r, err := p.Frontier.Commit(ctx, b)
	if position, ok := b.Put["sink/memory"]; ok && err == nil {
		text := string(position)
		p.last.Store(&text)
	}
	return r, err
}

func newHandingRig(t *testing.T) (*rig, *handingSink) {
	r := newRig(t)
	r.web.site(host, 60)
	r.set.BatchPages, r.set.Folder = 7, "state"
	p := &positions{}
	r.wrap = func(f crawler.Frontier) crawler.Frontier { p.Frontier = f; return p }
	r.handing = &handingSink{memorySink: r.sink, committed: p, got: map[int]string{}}
	return r, r.handing
}

// handedOn expects all records to have been handed on, each under one number.
func (s *handingSink) handedOn(t *testing.T, n int) {
	t.Helper()
	seen := map[string]bool{}
	for _, line := range s.got {
		seen[line] = true
	}
	if len(s.got) != n || len(seen) != n || len(s.problems) > 0 {
		t.Errorf("%d numbers with %d records, want %d; %v", len(s.got), len(seen), n, s.problems)
	}
}

// Records are handed on when they are committed and not before, and all of them by
// the end.
func TestDelivery(t *testing.T) {
	r, s := newHandingRig(t)
	r.finish()
	r.exactly(60)
	s.handedOn(t, 60)
	if s.delivered < 4 {
		t.Errorf("records were handed on %d times only", s.delivered)
	}
}

// A place that cannot be reached stops the run; once it can be, all goes on.
func TestDeliveryFails(t *testing.T) {
	for at := range 8 {
		r, s := newHandingRig(t)
		s.fail = func(n int) error {
			if n == at+1 {
				return errors.New("nobody answers")
			}
			return nil
		}
		if sum, err := r.run(t.Context()); !errors.Is(err, crawler.ErrStop) || sum.Status != crawler.StatusFailed {
			t.Fatalf("%d: %s, %v", at, sum.Status, err)
		}
		r.finish()
		r.exactly(60)
		s.handedOn(t, 60)
	}
}

// Who interrupts a run has asked for its end: what cannot be handed on then waits for
// the next process.
func TestDeliveryWhenInterrupted(t *testing.T) {
	r, s := newHandingRig(t)
	s.fail = func(int) error {
		if s.sealed {
			return errors.New("nobody answers")
		}
		return nil
	}
	r.interrupted(20)
	s.fail = nil
	r.finish()
	r.exactly(60)
	s.handedOn(t, 60)
}

// Nor does the person wait for a place that does not answer.
func TestDeliveryHangsWhenInterrupted(t *testing.T) {
	r, s := newHandingRig(t)
	r.set.Grace = time.Millisecond
	s.hangs = true
	ctx, cancel := context.WithCancel(t.Context())
	r.web.before = func(context.Context, string) { cancel() }
	if sum, err := r.run(ctx); !errors.Is(err, context.Canceled) || sum.Status != crawler.StatusInterrupted {
		t.Fatalf("%s, %v", sum.Status, err)
	}
	r.web.before, s.hangs = nil, false
	r.finish()
	r.exactly(60)
	s.handedOn(t, 60)
}

// sums is an aggregate with two results, whatever it is given.
type sums struct{}

func (sums) Open(crawler.Values) error { return nil }
func (sums) Fold([]crawler.Record, map[string][]byte) (func(), []crawler.RecordError, error) {
	return func() {}, nil, nil
}
func (sums) Drops(string) bool           { return false }
func (sums) Types() []crawler.RecordType { return nil }
func (sums) Results() iter.Seq[crawler.Record] {
	return slices.Values([]crawler.Record{{Type: "sum", Key: "sum 1"}, {Type: "sum", Key: "sum 2"}})
}

// What records are summed up to is handed on as well, once, though the process that
// wrote it could not.
func TestDeliveryOfSums(t *testing.T) {
	r, s := newHandingRig(t)
	r.aggregate = sums{}
	s.fail = func(int) error {
		if s.sealed {
			return errors.New("nobody answers")
		}
		return nil
	}
	for range 2 {
		if sum, err := r.run(t.Context()); !errors.Is(err, crawler.ErrStop) || sum.Status != crawler.StatusFailed {
			t.Fatalf("%s, %v", sum.Status, err)
		}
	}
	s.fail = nil
	if sum := r.finish(); sum.Records["sum"] != 2 {
		t.Errorf("%v", sum.Records)
	}
	s.handedOn(t, 62)
}
