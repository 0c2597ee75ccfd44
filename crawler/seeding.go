package crawler

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/amblecrawl/amble/crawler/urls"
)

// seedBatch is how many seeds are committed at once: few enough to bound
// memory, many enough that a file of a million lines is read in seconds.
const seedBatch = 10_000

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

// seed puts the seeds into the frontier. On resume they are mostly there
// already, and only new ones of a changed config are added; of datasets, what is
// behind the rows that were taken.
func (c *committer) seed(ctx context.Context, seeds iter.Seq2[Seed, error]) error {
	e := c.engine
	batch := make([]Request, 0, 64)
	taken := map[urls.Key]struct{}{} // the rows with keys among them
	marks := map[string][]byte{}
	var held int64
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := e.Frontier.Commit(ctx, &Batch{Found: batch, Put: marks})
		clear(batch)
		clear(taken)
		batch, held, marks = batch[:0], 0, map[string][]byte{}
		if err != nil {
			return fmt.Errorf("adding the seeds: %w", err)
		}
		return nil
	}
	for s, err := range seeds {
		if err != nil {
			return fmt.Errorf("reading the seeds: %w", err)
		}
		r, err := e.admitSeed(&s, taken)
		if err != nil {
			return fmt.Errorf("adding the seeds: %w", err)
		}
		batch = append(batch, r)
		if s.Dataset != "" {
			marks[keySeeded+s.Dataset] = binary.AppendVarint(nil, s.Number)
		}
		if held += r.heldSize(); len(batch) < seedBatch && held < seedBytes {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return flush()
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
