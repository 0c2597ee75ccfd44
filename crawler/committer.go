package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// commitTimeout bounds the writing of one batch to sinks and frontier.
const commitTimeout = 2 * time.Minute

// committer groups finished pages into batches. For each it writes the records
// to the sinks, makes them durable, and then commits outcomes, found links,
// host states, counts and the sinks' positions in one frontier write. That one
// write is the whole story of durability: what it holds has happened, and what
// it does not hold has not, because on resume the sinks are cut back to it.
type committer struct {
	engine    *Engine
	started   time.Time
	info      RunInfo
	totals    Totals            // as committed
	positions map[string][]byte // of the sinks, as committed
	before    time.Duration     // what earlier processes of the run took

	warned map[string]bool // fields of sums of which a value was left out

	pending []finished
	size    int64
	urgent  bool      // one of them is not to wait
	leads   bool      // one of them leads to further pages
	oldest  time.Time // when the first pending page arrived
}

// loop gathers finished pages until the workers are done, and commits.
func (c *committer) loop(ctx context.Context) error {
	e := c.engine
	var due <-chan time.Time
	for {
		select {
		case f, open := <-e.finished:
			if !open {
				return c.flush(ctx)
			}
			c.add(f)
			if due == nil {
				due = e.Clock.After(c.wait())
			}
			// What a host asks for is kept at once, with what else has come.
			if !c.full() && (!c.urgent || len(e.finished) > 0) {
				continue
			}
		case <-due:
			if left := e.set.BatchInterval - e.Clock.Now().Sub(c.oldest); left > 0 && !c.awaited() {
				due = e.Clock.After(min(c.wait(), left))
				continue
			}
		case <-ctx.Done():
			return nil // another part has failed and says why
		}
		due = nil
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
}

// wait is how long the first page of a batch waits for company: short, and
// longer only while nobody waits for what it has.
func (c *committer) wait() time.Duration { return c.engine.set.BatchInterval / 16 }

// awaited tells whether workers may stand idle for want of the batch: for a link in
// it, or, when all do, for the end that it may be.
func (c *committer) awaited() bool {
	idle := c.engine.idle.Load()
	return idle > 0 && c.leads || int(idle) == c.engine.set.Workers
}

func (c *committer) full() bool {
	return len(c.pending) >= c.engine.set.BatchPages || c.size >= c.engine.set.BatchBytes
}

func (c *committer) add(f finished) {
	if len(c.pending) == 0 {
		c.oldest = c.engine.Clock.Now()
	}
	c.pending = append(c.pending, f)
	c.size += f.size
	c.urgent = c.urgent || f.urgent
	c.leads = c.leads || len(f.found) > 0
}

// flush commits what is pending. When some leases were lost to another
// process, their pages are dropped and the rest is committed.
func (c *committer) flush(ctx context.Context) error {
	if len(c.pending) == 0 {
		return nil
	}
	lasting := ctx
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if err := c.engine.accounting.settle(); err != nil {
		return err
	}
	err := c.commit(ctx, c.pending)
	var lost *LostError
	if errors.As(err, &lost) {
		c.engine.Log.Warn("leases were lost; their pages are left to their new owner", "count", len(lost.Leases))
		if err := c.rewind(ctx); err != nil {
			return err
		}
		c.pending = slices.DeleteFunc(c.pending, func(f finished) bool {
			gone := f.lease != 0 && slices.Contains(lost.Leases, f.lease)
			if gone {
				c.engine.release(&f)
			}
			return gone
		})
		err = c.commit(ctx, c.pending)
	}
	for i := range c.pending {
		c.engine.release(&c.pending[i])
	}
	clear(c.pending)
	c.pending, c.size, c.urgent, c.leads = c.pending[:0], 0, false, false
	if err != nil {
		return fmt.Errorf("committing a batch: %w", err)
	}
	return c.deliver(lasting)
}

// commit makes one batch of the pages and writes it, sinks first.
func (c *committer) commit(ctx context.Context, pages []finished) error {
	e := c.engine
	if tell := e.Observer.Committing; tell != nil {
		tell(leasesOf(pages))
	}
	b := &Batch{Hosts: make(map[string]HostState), Put: make(map[string][]byte)}
	totals := c.totals.Clone()
	totals.Busy = c.busy()
	files, err := c.keep(ctx, pages, b.Put)
	if err != nil {
		return err
	}
	var records, rejects []Record
	var notes []any
	found, known, written := 0, 0, 0
	for i := range pages {
		found += len(pages[i].found)
		written += len(pages[i].records)
		if pages[i].known != nil {
			known++
		}
	}
	b.Found, b.Known, b.Outcomes = make([]Request, 0, found), make([]Known, 0, known), make([]Outcome, 0, len(pages))
	records = make([]Record, 0, written)
	for i := range pages {
		f := &pages[i]
		totals.count(f)
		records = append(records, f.records...)
		rejects = append(rejects, f.rejects...)
		if f.tallied != nil {
			notes = append(notes, f.tallied)
		}
		b.Found, b.Seen = append(b.Found, f.found...), b.Seen+f.seen
		if f.host != "" && !f.state.isZero() {
			b.Hosts[f.host] = later(b.Hosts[f.host], f.state)
			f.state.remember(f.host, b.Put)
		}
		if f.elsewhere != "" {
			f.elsewhereState.remember(f.elsewhere, b.Put)
		}
		if f.lease != 0 {
			b.Outcomes = append(b.Outcomes, f.outcome)
		}
		if f.note != "" {
			b.Put[f.note] = nil
		}
		maps.Copy(b.Put, f.marks)
		if f.known != nil {
			b.Known = append(b.Known, *f.known)
		}
		if f.forget != (urls.Key{}) {
			b.Forget = append(b.Forget, f.forget)
		}
	}
	if err := c.noteRewrites(ctx, pages, b.Put); err != nil {
		return err
	}
	records, folded, err := c.fold(records, &totals, b.Put)
	if err != nil {
		return err
	}
	positions, err := c.write(ctx, records, rejects, b.Put)
	if err != nil {
		return err
	}
	counted, err := e.tally(notes, b.Put)
	if err != nil {
		return err
	}
	trapsCommitted, err := e.traps.put(b.Put)
	if err != nil {
		return err
	}
	if b.Put[keyTotals], err = json.Marshal(totals); err != nil {
		return fmt.Errorf("writing the totals: %w", err)
	}
	if _, err := e.Frontier.Commit(ctx, b); err != nil {
		return err
	}
	if len(files) > 0 {
		e.Files.Committed(files)
	}
	trapsCommitted()
	counted()
	folded()
	e.rewrites.settled(pages)
	c.totals, c.positions = totals, positions
	if tell := e.Observer.Committed; tell != nil {
		stats := e.Frontier.Stats()
		tell(totals.Clone(), stats)
	}
	return nil
}

func leasesOf(pages []finished) []uint64 {
	leases := make([]uint64, 0, len(pages))
	for i := range pages {
		if pages[i].lease != 0 {
			leases = append(leases, pages[i].lease)
		}
	}
	return leases
}

// remember puts what politeness wants back after a restart, and in later runs.
func (s *HostState) remember(host string, put map[string][]byte) {
	if s.Robots != nil {
		put[KeyRobots+host] = s.Robots
	}
	if s.File != nil {
		put[KeyFile+host] = s.File
	}
	if s.Opaque != nil {
		put[KeyDebts+host] = s.Opaque
	}
	if s.GroupOpaque != nil {
		put[KeyDebts+s.Group] = s.GroupOpaque
	}
}

// KeepHost keeps what politeness wants back of a host that was asked beside all batches.
func KeepHost(ctx context.Context, f Frontier, host string, s *HostState) error {
	put := map[string][]byte{}
	if s.remember(host, put); len(put) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if _, err := f.Commit(ctx, &Batch{Put: put}); err != nil {
		return fmt.Errorf("keeping what %s asked for: %w", host, err)
	}
	return nil
}

// isZero reports whether nobody has said anything about the host: its state, as
// it is kept, stays.
func (s *HostState) isZero() bool {
	return s.NotBefore.IsZero() && s.Concurrency == 0 && s.Opaque == nil && s.Group == "" &&
		s.Robots == nil && s.File == nil
}

// later keeps the state that was decided last: states of one host arrive in
// the order in which they were decided only within one worker.
func later(a, b HostState) HostState {
	if a.NotBefore.After(b.NotBefore) {
		return a
	}
	return b
}

func (c *committer) busy() time.Duration {
	return c.before + c.engine.Clock.Now().Sub(c.started)
}

// finish marks the run as finished when nothing is left of it.
func (c *committer) finish(whole bool) error {
	if !whole {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	run := c.engine.run
	run.Finished = true
	c.totals.Busy = c.busy()
	put := map[string][]byte{}
	if t := c.engine.Tally; t != nil {
		if err := t.Finish(run, c.totals, put); err != nil {
			return fmt.Errorf("closing the tally: %w", err)
		}
	}
	return c.putRun(ctx, run, put)
}

func (c *committer) putRun(ctx context.Context, run RunState, put map[string][]byte) error {
	var err error
	if put[keyRun], err = json.Marshal(run); err != nil {
		return fmt.Errorf("writing the run: %w", err)
	}
	if put[keyTotals], err = json.Marshal(c.totals); err != nil {
		return fmt.Errorf("writing the totals: %w", err)
	}
	if _, err := c.engine.Frontier.Commit(ctx, &Batch{Put: put}); err != nil {
		return fmt.Errorf("committing the run: %w", err)
	}
	return nil
}
