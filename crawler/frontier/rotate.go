package frontier

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Bounds of one step of maintenance under the lock.
const (
	promoteStep = 512
	rotateStep  = 256
)

// rotate brings hosts whose time has come from disk into the working set until
// n are ready, putting waiting hosts out where there is no room. moved says
// that it got further and that more may be due.
func (f *Frontier) rotate(now int64, n int) (moved bool, err error) {
	rows, more, err := f.dueRows(now)
	if err != nil {
		return false, err
	}
	r := rotation{f: f, now: now, batch: f.store.db.NewBatch(), later: map[uint64]int64{}}
	for _, p := range rows {
		if f.ready.n >= n {
			more = true
			break
		}
		ok, err := r.bring(p)
		if err != nil {
			return false, f.store.broken(err)
		}
		if !ok {
			f.spillDue = p.at
			return moved, r.apply()
		}
		f.spill, moved = p.next(), true
		f.spillDue = p.at
	}
	if err := r.apply(); err != nil {
		return false, err
	}
	if len(rows) == 0 || !more {
		return moved, f.peekSpill()
	}
	return moved, nil
}

// dueRows are the next r rows up to now; more says that others follow.
func (f *Frontier) dueRows(now int64) (rows []readyPos, more bool, err error) {
	lower, upper := readyKey(f.spill.at, f.spill.id), readyKey(now+1, 0)
	err = f.store.scan(lower, upper, func(k, _ []byte) (bool, error) {
		p, ok := splitReadyKey(k)
		if !ok {
			return false, errCorrupt
		}
		rows = append(rows, p)
		more = len(rows) == rotateStep
		return !more, nil
	})
	return rows, more, err
}

// peekSpill reads the time of the first r row not yet looked at.
func (f *Frontier) peekSpill() error {
	f.spillDue = never
	return f.store.scan(readyKey(f.spill.at, f.spill.id), []byte{readyRow + 1}, func(k, _ []byte) (bool, error) {
		p, ok := splitReadyKey(k)
		if !ok {
			return false, errCorrupt
		}
		f.spillDue = p.at
		return false, nil
	})
}

// rotation collects the writes of one step. Rows written ahead of the scan are
// not in its way: they are for later times.
type rotation struct {
	f     *Frontier
	now   int64
	batch *pebble.Batch
	later map[uint64]int64 // hosts whose r row this step moves, and where to
}

// bring deals with one r row; false means that there is no room for its host.
func (r *rotation) bring(p readyPos) (bool, error) {
	f := r.f
	// A host put out by this very step may have its old row further on.
	if _, moved := r.later[p.id]; moved || f.hosts[p.id] != nil {
		return true, nil
	}
	rec, err := f.store.host(p.id)
	if err != nil {
		return false, err
	}
	if rec == nil || rec.readyAt != p.at {
		return false, fmt.Errorf("host %016x: %w", p.id, errCorrupt)
	}
	if len(f.hosts) >= f.opt.MaxHosts {
		if f.writing {
			return false, nil
		}
		if rec.state.notBefore > r.now {
			return true, r.postpone(p.id, rec)
		}
		if ok, err := r.putOut(); !ok || err != nil {
			return false, err
		}
	}
	f.replace(f.enter(p.id, rec), r.now)
	return true, nil
}

// postpone moves the r row of a host to the time that the host is due.
func (r *rotation) postpone(id uint64, rec *hostRecord) error {
	was := readyPos{rec.readyAt, id}
	rec.readyAt = max(rec.state.notBefore, r.now, 1)
	r.later[id] = rec.readyAt
	return errors.Join(
		r.batch.Delete(readyKey(was.at, id), nil),
		r.batch.Set(readyKey(rec.readyAt, id), nil, nil),
		r.batch.Set(hostKey(id), encodeHost(rec), nil))
}

// putOut makes room by a host that waits and has nothing out. The end of the
// heap holds late ones.
func (r *rotation) putOut() (bool, error) {
	f := r.f
	for i := len(f.waiting) - 1; i >= 0; i-- {
		h := f.waiting[i]
		if h.held > 0 || h.state.notBefore <= r.now {
			continue
		}
		f.leave(h)
		return true, r.postpone(h.id, &hostRecord{name: h.name, state: h.state, readyAt: h.readyAt})
	}
	return false, nil
}

// apply writes the step, unsynced: after a crash the older rows serve as well.
func (r *rotation) apply() error {
	if r.batch.Empty() {
		return r.batch.Close()
	}
	if err := r.f.store.apply(r.batch, pebble.NoSync); err != nil {
		return err
	}
	for id, at := range r.later {
		r.f.leaveOnDisk(readyPos{at, id})
	}
	return nil
}

// promote queues the retries whose time has come, a bounded number; more says
// that others are due. While a commit is under way it waits for the end of it.
func (f *Frontier) promote(now int64) (more bool, err error) {
	if f.writing {
		return false, nil
	}
	p := promotion{f: f, now: now, batch: f.store.db.NewBatch(), hosts: map[uint64]*touched{}}
	n := 0
	err = f.store.scan([]byte{dueRow}, dueKey(now+1, 0, urls.Key{}), func(k, v []byte) (bool, error) {
		n++
		return n < promoteStep, p.move(k, v)
	})
	if err != nil {
		return false, err
	}
	if err := f.store.apply(p.batch, pebble.NoSync); err != nil {
		return false, err
	}
	p.finish()
	f.retryDue, err = f.firstTime(dueRow)
	return f.retryDue <= now, err
}

// promotion collects the writes of one step of promote.
type promotion struct {
	f     *Frontier
	now   int64
	batch *pebble.Batch
	hosts map[uint64]*touched // by id; rec is set for hosts not in memory
}

// move turns a d row back into the q row that it was.
func (p *promotion) move(k, v []byte) error {
	_, id, fp, ok := splitDueKey(k)
	if !ok {
		return errCorrupt
	}
	order, row, err := splitDueRow(fp, v)
	if err != nil {
		return err
	}
	it := item{order: order, row: bytes.Clone(row)}
	t := p.hosts[id]
	if t == nil {
		t = &touched{id: id}
		p.hosts[id] = t
		if p.f.hosts[id] == nil {
			if err := p.mark(t); err != nil {
				return err
			}
		}
	}
	t.added = append(t.added, it)
	return errors.Join(
		p.batch.Delete(k, nil),
		p.batch.Set(queueKey(id, &it.order), it.row, nil))
}

// mark gives a host on disk its r row, where it has none.
func (p *promotion) mark(t *touched) error {
	rec, err := p.f.store.host(t.id)
	if err != nil {
		return err
	}
	if rec == nil {
		return fmt.Errorf("host %016x of a retry: %w", t.id, errCorrupt)
	}
	t.rec = *rec
	if t.rec.readyAt != 0 {
		return nil
	}
	t.marked = true
	t.rec.readyAt = max(t.rec.state.notBefore, p.now, 1)
	return errors.Join(
		p.batch.Set(readyKey(t.rec.readyAt, t.id), nil, nil),
		p.batch.Set(hostKey(t.id), encodeHost(&t.rec), nil))
}

func (p *promotion) finish() {
	for _, t := range p.hosts {
		h := p.f.hosts[t.id]
		if h == nil && t.marked {
			h = p.f.admit(t.id, &t.rec)
		}
		if h == nil {
			continue
		}
		for _, it := range t.added {
			p.f.add(h, it)
		}
		p.f.replace(h, p.now)
	}
}
