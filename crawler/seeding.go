package crawler

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/amblecrawl/amble/crawler/urls"
)

// seedBatch is how many seeds are committed at once before the first request: few
// enough to bound memory, many enough that a small crawl has them all. What is behind
// them is added while the crawl is under way, in smaller steps.
const (
	seedBatch      = 10_000
	seedBatchLater = 2_000
)

// seedBytes is the most that they hold, where rows of a dataset bring much along.
const seedBytes = 8 << 20

// keySeeded, followed by the name of a dataset, is where it stands how many of its
// rows are in the frontier. It is written with them.
const keySeeded = "seeded/"

// ReadSeeded tells how many rows of a dataset the run in a state has taken, by the
// name in Seed.Dataset.
func ReadSeeded(f Values, dataset string) (int64, error) {
	value, err := f.Get(keySeeded + dataset)
	if err != nil {
		return 0, fmt.Errorf("reading how far the rows are: %w", err)
	}
	n, size := binary.Varint(value)
	if value != nil && size <= 0 {
		return 0, fmt.Errorf("reading how far the rows are: %w: not a number", ErrStop)
	}
	return n, nil
}

// sowing puts the seeds into the frontier. On resume they are mostly there
// already, and only new ones of a changed config are added; of datasets, what is
// behind the rows that were taken.
type sowing struct {
	engine *Engine
	next   func() (Seed, error, bool)
	stop   func()
	size   int
	taken  map[urls.Key]struct{} // the rows with keys of the batch in hand
	// added is closed with the next batch; nil: all seeds are there.
	added atomic.Pointer[chan struct{}]
}

func (e *Engine) sowSeeds(seeds iter.Seq2[Seed, error]) *sowing {
	s := &sowing{engine: e, size: seedBatch, taken: map[urls.Key]struct{}{}}
	s.next, s.stop = iter.Pull2(seeds)
	s.announce(true)
	return s
}

// announce tells those that wait that there are more seeds, or that there are none
// to come.
func (s *sowing) announce(more bool) {
	var next *chan struct{}
	if more {
		c := make(chan struct{})
		next = &c
	}
	if last := s.added.Swap(next); last != nil {
		close(*last)
	}
}

// rest adds all that is left.
func (s *sowing) rest(ctx context.Context) error {
	s.size = seedBatchLater
	for more := true; more; {
		var err error
		if more, err = s.batch(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // the run ends, for whatever reason; the rest waits
			}
			return err
		}
	}
	return nil
}

// batch adds some seeds, and reports whether there may be more.
func (s *sowing) batch(ctx context.Context) (more bool, err error) {
	e := s.engine
	var batch []Request
	marks := map[string][]byte{}
	var held int64
	clear(s.taken)
	for more = true; more && len(batch) < s.size && held < seedBytes; {
		seed, err, ok := s.next()
		if !ok {
			more = false
			break
		}
		if err != nil {
			return false, fmt.Errorf("reading the seeds: %w", err)
		}
		if len(batch)%1000 == 999 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		admitted, err := e.admitSeed(&seed, s.taken, marks)
		if err != nil {
			return false, fmt.Errorf("adding the seeds: %w", err)
		}
		batch = append(batch, admitted...)
		for i := range admitted {
			held += admitted[i].heldSize()
		}
		if seed.Dataset != "" {
			marks[keySeeded+seed.Dataset] = binary.AppendVarint(nil, seed.Number)
		}
	}
	if len(batch)+len(marks) > 0 {
		if _, err := e.Frontier.Commit(ctx, &Batch{Found: batch, Put: marks}); err != nil {
			return false, fmt.Errorf("adding the seeds: %w", err)
		}
	}
	s.announce(more)
	return more, nil
}
