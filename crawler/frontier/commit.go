package frontier

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Commit implements crawler.Frontier. The disk works outside the lock, so that
// leases go on during a commit; commits themselves follow one another.
func (f *Frontier) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	var none crawler.CommitResult
	if err := checkFound(b.Found); err != nil {
		return none, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.beginWrite(ctx); err != nil {
		return none, err
	}
	defer f.endWrite()
	leases, err := f.claim(b.Outcomes)
	if err != nil {
		return none, err
	}
	c := &commit{f: f, src: b, leases: leases, batch: f.store.db.NewBatch(), hosts: map[uint64]*touched{}}
	if err := c.plan(); err != nil {
		return none, f.store.broken(err)
	}
	f.pending = c.states()
	f.mu.Unlock()
	err = f.store.apply(c.batch, pebble.Sync)
	f.mu.Lock()
	f.pending = nil
	if err != nil {
		return none, err
	}
	c.finish()
	return c.result, nil
}

// checkFound refuses what could not be stored, before anything is.
func checkFound(found []crawler.Request) error {
	for i := range found {
		if found[i].URL.IsZero() || found[i].Host() == "" {
			return fmt.Errorf("found request %d has no URL with a host", i)
		}
	}
	return nil
}

// claim marks the leases that the outcomes settle, all or none.
func (f *Frontier) claim(outcomes []crawler.Outcome) ([]*lease, error) {
	leases := make([]*lease, 0, len(outcomes))
	var lost []uint64
	for i := range outcomes {
		l := f.leases[outcomes[i].Lease]
		if l == nil || l.settled {
			lost = append(lost, outcomes[i].Lease)
			continue
		}
		l.settled = true
		leases = append(leases, l)
	}
	if lost == nil {
		return leases, nil
	}
	for _, l := range leases {
		l.settled = false
	}
	return nil, &crawler.LostError{Leases: lost}
}

// touched is what one commit does to one host.
type touched struct {
	id      uint64
	rec     hostRecord // as on disk, where the host is not in memory
	isNew   bool       // has no h row yet
	marked  bool       // gets its r row, having had nothing queued
	state   *hostState // from Batch.Hosts
	added   []item
	settled int // leases of the host that the batch settles
}

// commit carries one batch from plan to finish. The writer's right is held
// throughout; f.mu during plan and finish, except where plan looks things up.
type commit struct {
	f      *Frontier
	src    *crawler.Batch
	leases []*lease
	batch  *pebble.Batch
	hosts  map[uint64]*touched
	order  []*touched // in order of appearance, for equal batches to write equally
	fresh  []urls.Key // found requests that are new
	counts counts
	result crawler.CommitResult
	retry  int64 // the earliest retry among the outcomes
}

// plan turns the batch into rows. f.mu is held, but given up for the lookups.
func (c *commit) plan() error {
	f := c.f
	c.counts, c.retry = f.counts, never
	f.mu.Unlock()
	err := errors.Join(c.planFound(), c.planKnown())
	f.mu.Lock()
	if err != nil {
		return err
	}
	if err := c.planOutcomes(); err != nil {
		return err
	}
	if err := c.planHosts(); err != nil {
		return err
	}
	for name, value := range c.src.Put {
		write := func() error { return c.batch.Set(valueKey(name), value, nil) }
		if value == nil {
			write = func() error { return c.batch.Delete(valueKey(name), nil) }
		}
		if err := write(); err != nil {
			return err
		}
	}
	c.counts.settled = f.counts.settled
	for i := range c.src.Outcomes {
		if c.src.Outcomes[i].Disposition != crawler.Retry {
			c.counts.settled++
		}
	}
	c.counts.commit++
	if err := addLink(c.batch, c.counts.commit, instant(f.opt.Now())); err != nil {
		return err
	}
	if err := c.batch.Set(metaKey("counts"), c.counts.encode(), nil); err != nil {
		return err
	}
	if err := f.saveClock(c.batch); err != nil {
		return err
	}
	// New rows become visible to leases before the disk is done with them, so
	// they count from here; settled ones count when they are durable.
	settled := f.counts.settled
	f.counts = c.counts
	f.counts.settled = settled
	return nil
}

// planFound queues what was never seen.
func (c *commit) planFound() error {
	c.result.Duplicates += int(c.src.Seen)
	c.counts.duplicates += c.src.Seen
	found, err := c.candidates()
	if err != nil {
		return err
	}
	ordered := inOrder(found)
	if err := c.lookUp(ordered); err != nil {
		return err
	}
	for i := range found {
		if cand := &found[i]; cand.known {
			c.duplicate()
			c.f.seen.add(cand.r.Key)
		} else {
			c.queue(cand)
		}
	}
	return c.write(ordered)
}

// candidate is a found request that is new as far as memory tells.
type candidate struct {
	t     *touched
	r     *crawler.Request
	known bool
}

// candidates leaves out what the batch has twice and what the cache knows.
func (c *commit) candidates() ([]candidate, error) {
	f := c.f
	found := make([]candidate, 0, len(c.src.Found))
	inBatch := make(map[urls.Key]struct{}, len(c.src.Found))
	byName := map[string]*touched{}
	for i := range c.src.Found {
		r := &c.src.Found[i]
		if _, dup := inBatch[r.Key]; dup || f.seen.has(r.Key) {
			c.duplicate()
			continue
		}
		name := r.Host()
		t := byName[name]
		if t == nil {
			var err error
			f.mu.Lock()
			t, err = c.touch(name)
			f.mu.Unlock()
			if err != nil {
				return nil, err
			}
			byName[name] = t
		}
		inBatch[r.Key] = struct{}{}
		found = append(found, candidate{t: t, r: r})
	}
	return found, nil
}

// inOrder sorts candidates by the keys of their rows.
func inOrder(found []candidate) []*candidate {
	ordered := make([]*candidate, len(found))
	for i := range found {
		ordered[i] = &found[i]
	}
	slices.SortFunc(ordered, func(a, b *candidate) int {
		if n := cmp.Compare(a.t.id, b.t.id); n != 0 {
			return n
		}
		return bytes.Compare(a.r.Key[:], b.r.Key[:])
	})
	return ordered
}

// lookUp finds out which candidates the store knows, of those that may not be
// new. One look into a table serves the neighbours in their order too.
func (c *commit) lookUp(ordered []*candidate) error {
	doubtful := make([]*candidate, 0, len(ordered))
	for _, cand := range ordered {
		if !cand.t.isNew && !c.f.filter.isNew(&cand.r.Key) {
			doubtful = append(doubtful, cand)
		}
	}
	return c.f.store.lookUp(len(doubtful), func(i int) []byte {
		return stateKey(doubtful[i].t.id, doubtful[i].r.Key)
	}, func(i int) { doubtful[i].known = true })
}

// duplicate counts a request already seen. Seeds that a resumed run adds again
// are no links, so batches without outcomes do not count.
func (c *commit) duplicate() {
	c.result.Duplicates++
	if len(c.src.Outcomes) > 0 {
		c.counts.duplicates++
	}
}

// queue numbers what is new, in the order of discovery.
func (c *commit) queue(cand *candidate) {
	c.counts.seq++
	c.counts.seen++
	c.result.Added++
	r, t := cand.r, cand.t
	c.fresh = append(c.fresh, r.Key)
	t.added = append(t.added, item{
		order: makeOrder(r.Priority, r.Depth, c.counts.seq, r.Key),
		row:   encodeRequest(t.rec.name, r),
	})
}

// write adds the rows of what is new, in the order of their keys: the store
// finds the place of a row quickly beside the one before.
func (c *commit) write(found []*candidate) error {
	queued := encodeVerdict(verdict{stands: standsQueued})
	for _, cand := range found {
		if cand.known {
			continue
		}
		if err := c.batch.Set(stateKey(cand.t.id, cand.r.Key), queued, nil); err != nil {
			return err
		}
	}
	var last *touched
	for _, cand := range found {
		if cand.t == last {
			continue
		}
		last = cand.t
		for i := range last.added {
			if err := c.batch.Set(queueKey(last.id, &last.added[i].order), last.added[i].row, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// touch finds or numbers a host. f.mu is held.
func (c *commit) touch(name string) (*touched, error) {
	id, rec, err := c.f.find(name, func(id uint64) (string, bool) {
		t := c.hosts[id]
		if t == nil {
			return "", false
		}
		return t.rec.name, true
	})
	if err != nil {
		return nil, err
	}
	return c.touchID(id, name, rec), nil
}

func (c *commit) touchID(id uint64, name string, rec *hostRecord) *touched {
	if t := c.hosts[id]; t != nil {
		return t
	}
	t := &touched{id: id}
	if rec == nil {
		t.isNew = true
		t.rec = hostRecord{name: name, state: hostState{concurrency: 1}}
		c.counts.hosts++
	} else {
		t.rec = *rec
	}
	c.hosts[id] = t
	c.order = append(c.order, t)
	return t
}

// planOutcomes settles the leases or queues them for another attempt.
func (c *commit) planOutcomes() error {
	for i, l := range c.leases {
		o := &c.src.Outcomes[i]
		t := c.touchID(l.host.id, l.host.name, &hostRecord{name: l.host.name})
		t.settled++
		fp := l.item.order.fp()
		v := verdict{stands: standsSettled, attempt: l.attempt, status: o.Status, class: o.Class, detail: o.Detail}
		if o.Disposition == crawler.Retry {
			v.stands = standsRetry
			v.attempt += min(1, 255-v.attempt)
			at := c.f.clock.inside(o.NotBefore)
			c.retry = min(c.retry, at)
			row := append(slices.Clone(l.item.order[:len(l.item.order)-fpLen]), l.item.row...)
			row[len(l.item.order)-fpLen+attemptAt] = v.attempt
			if err := c.batch.Set(dueKey(at, t.id, fp), row, nil); err != nil {
				return err
			}
		}
		if err := errors.Join(
			c.batch.Set(stateKey(t.id, fp), encodeVerdict(v), nil),
			c.batch.Delete(queueKey(t.id, &l.item.order), nil)); err != nil {
			return err
		}
	}
	return nil
}

// finish brings memory in line with what is now durable. f.mu is held.
func (c *commit) finish() {
	f := c.f
	now := f.clock.now()
	f.learned = f.learned || len(c.src.Known) > 0
	f.counts.settled = c.counts.settled
	f.retryDue = min(f.retryDue, c.retry)
	for i := range c.fresh {
		f.seen.add(c.fresh[i])
		f.filter.add(&c.fresh[i])
	}
	for _, l := range c.leases {
		f.end(l)
	}
	for _, t := range c.order {
		h := f.hosts[t.id]
		if h != nil && h.leaving {
			f.leave(h)
			continue
		}
		if h == nil && t.marked {
			h = f.admit(t.id, &t.rec)
		}
		if h == nil {
			continue
		}
		for _, it := range t.added {
			f.add(h, it)
		}
		f.replace(h, now)
	}
}
