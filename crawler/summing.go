package crawler

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
)

// Aggregate sums records up as they are committed. What the state holds of it is what
// the committed records gave, whatever happened to the process. Its methods are called
// by one goroutine.
type Aggregate interface {
	// Open takes up the sums where the state left them, before the first page.
	Open(state Values) error
	// Fold counts the records of a batch and puts what changes into put. It takes
	// effect when committed is called, once the batch is durable; otherwise the records
	// may come again. told are values that could not be summed up.
	Fold(records []Record, put map[string][]byte) (committed func(), told []RecordError, err error)
	// Drops reports whether records of a type are not written themselves.
	Drops(recordType string) bool
	// Types are those of Results, which are written at the end of the run.
	Types() []RecordType
	Results() iter.Seq[Record]
}

// resultBatch is how many results are given to the sinks at once.
const resultBatch = 1000

// fold sums the records of a batch up, and takes out those that are not written.
func (c *committer) fold(records []Record, totals *Totals, put map[string][]byte) (written []Record, folded func(), err error) {
	a := c.engine.Aggregate
	if a == nil {
		return records, func() {}, nil
	}
	folded, told, err := a.Fold(records, put)
	if err != nil {
		return nil, nil, err
	}
	totals.FieldErrors += int64(len(told))
	if len(told) > 0 {
		commit := folded
		folded = func() {
			commit()
			c.tellUnsummed(told)
		}
	}
	return slices.DeleteFunc(records, func(r Record) bool {
		drop := a.Drops(r.Type) && !r.Failed
		if drop {
			totals.Records[r.Type]--
		}
		return drop
	}), folded, nil
}

// tellUnsummed tells values that are left out of sums: as a warning the first of each
// field, since the sums are less than they seem.
func (c *committer) tellUnsummed(told []RecordError) {
	e := c.engine
	for i := range told {
		told[i].URL = e.hide(told[i].URL)
		level, place := slog.LevelInfo, told[i].Place()
		if !c.warned[place] {
			if c.warned == nil {
				c.warned = map[string]bool{}
			}
			level, c.warned[place] = slog.LevelWarn, true
		}
		e.Log.Log(context.Background(), level, "a value is left out of a sum, and others of the field may be", "error", e.hide(told[i].Error()))
		if tell := e.Observer.FieldError; tell != nil {
			tell(told[i])
		}
	}
}

// conclude writes what the run's records were summed up to, and commits that this is
// done. What sinks have still to hand on may then take several processes: they crawl no
// more, since the sums stand.
func (c *committer) conclude() error {
	e := c.engine
	if e.Aggregate == nil || e.run.Concluded {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	put := map[string][]byte{}
	if err := c.writeResults(ctx, put); err != nil {
		return err
	}
	run := e.run
	run.Concluded = true
	if err := c.putRun(ctx, run, put); err != nil {
		return err
	}
	e.run = run
	return nil
}

// writeResults writes what the run's records were summed up to. Where the commit that
// the sinks' positions are part of does not come about, the next process writes it
// again at the same place.
func (c *committer) writeResults(ctx context.Context, put map[string][]byte) error {
	e := c.engine
	totals := c.totals.Clone()
	var batch []Record
	flush := func() error {
		for _, s := range e.Sinks {
			if s.Rejects || len(batch) == 0 {
				continue
			}
			if err := s.Sink.Write(ctx, batch); err != nil {
				return fmt.Errorf("writing to %s: %w", s.Name, stopping(err))
			}
		}
		batch = nil
		return nil
	}
	for r := range e.Aggregate.Results() {
		r.Run, r.FetchedAt = e.run.ID, e.Clock.Now().UTC()
		totals.Records[r.Type]++
		if batch = append(batch, r); len(batch) == resultBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	positions, err := c.write(ctx, nil, nil, put)
	if err != nil {
		return err
	}
	c.totals, c.positions = totals, positions
	return nil
}
