package crawler

import (
	"context"
	"fmt"
	"iter"
)

// seedBatch is how many seeds are committed at once: few enough to bound
// memory, many enough that a file of a million lines is read in seconds.
const seedBatch = 10_000

// seedBytes is the most that they hold, where rows of a dataset bring much along.
const seedBytes = 8 << 20

// seed puts the seeds into the frontier. On resume they are mostly there
// already, and only new ones of a changed config are added.
func (c *committer) seed(ctx context.Context, seeds iter.Seq2[Seed, error]) error {
	e := c.engine
	batch := make([]Request, 0, 64)
	var held int64
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := e.Frontier.Commit(ctx, &Batch{Found: batch})
		clear(batch)
		batch, held = batch[:0], 0
		if err != nil {
			return fmt.Errorf("adding the seeds: %w", err)
		}
		return nil
	}
	for s, err := range seeds {
		if err != nil {
			return fmt.Errorf("reading the seeds: %w", err)
		}
		r := s.request(e)
		batch = append(batch, r)
		if held += r.heldSize(); len(batch) < seedBatch && held < seedBytes {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}
	return flush()
}
