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
		r, err := e.admitSeed(&seed, s.taken)
		if err != nil {
			return false, fmt.Errorf("adding the seeds: %w", err)
		}
		batch = append(batch, r)
		held += r.heldSize()
		if seed.Dataset != "" {
			marks[keySeeded+seed.Dataset] = binary.AppendVarint(nil, seed.Number)
		}
	}
	if len(batch) > 0 {
		if _, err := e.Frontier.Commit(ctx, &Batch{Found: batch, Put: marks}); err != nil {
			return false, fmt.Errorf("adding the seeds: %w", err)
		}
	}
	s.announce(more)
	return more, nil
}

// admitSeed makes a seed a request. A row whose key a row before it has, in the
// frontier or among those taken, becomes one that makes no request.
func (e *Engine) admitSeed(s *Seed, taken map[urls.Key]struct{}) (Request, error) {
	r := s.request(e)
	if s.Key == "" {
		return r, nil
	}
	_, twice := taken[r.Key]
	if fault, err := urls.Parse(rowURL); !twice && err == nil {
		for _, host := range []string{r.Host(), fault.Origin()} {
			standing, err := e.Frontier.Lookup(host, r.Key)
			if err != nil {
				return r, err
			}
			twice = twice || standing.State != "unknown"
		}
	}
	if !twice {
		taken[r.Key] = struct{}{}
		return r, nil
	}
	again := *s
	again.Row, again.Fault = s.Spare, fmt.Errorf("%s: the key %s stands twice", s.Place, s.Key)
	e.Log.Warn("a row's key stands twice", "row", s.Place, "key", e.hide(s.Key))
	return again.request(e), nil
}

// sow makes requests of the seeds that an answer holds.
func (w *worker) sow(seeds []Seed, f *finished) error {
	taken := map[urls.Key]struct{}{}
	for i := range seeds {
		r, err := w.engine.admitSeed(&seeds[i], taken)
		if err != nil {
			return err
		}
		f.found = append(f.found, r)
		f.size += int64(len(r.URL.String())) + requestOverhead + r.heldSize()
	}
	return nil
}
