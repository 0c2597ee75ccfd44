package frontier

import (
	"context"
	"fmt"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Lease implements crawler.Frontier. Each turn of a host gives one request.
func (f *Frontier) Lease(ctx context.Context, n int) ([]crawler.Lease, error) {
	n = max(n, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.notifyOne()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.usable(); err != nil {
			return nil, err
		}
		now := f.clock.now()
		more, err := f.prepare(now, n)
		if err != nil {
			return nil, err
		}
		leases, err := f.take(now, n)
		if err != nil || len(leases) > 0 {
			return leases, err
		}
		if f.counts.seen == f.counts.settled {
			return nil, crawler.ErrDrained
		}
		if more {
			f.mu.Unlock() // let others in between two steps
			f.mu.Lock()
			continue
		}
		f.waitToLease(ctx, now, f.untilDue(now))
	}
}

// prepare brings in whatever has become due, a bounded amount; more says that
// calling again at once may bring in more.
func (f *Frontier) prepare(now int64, n int) (more bool, err error) {
	if f.retryDue <= now {
		if more, err = f.promote(now); err != nil {
			return false, err
		}
	}
	f.arrive(now)
	if f.ready.n < n && f.spillDue <= now {
		rotated, err := f.rotate(now, n)
		if err != nil {
			return false, err
		}
		more = more || rotated
	}
	return more, nil
}

// take leases up to n requests from the ready hosts, turn by turn.
func (f *Frontier) take(now int64, n int) ([]crawler.Lease, error) {
	var out []crawler.Lease
	for len(out) < n && f.ready.head != nil {
		h := f.ready.head
		if err := f.refill(h); err != nil {
			return out, err
		}
		f.unplace(h)
		if len(h.buf) > 0 {
			l, err := f.lend(h, now)
			if err != nil {
				return out, err
			}
			out = append(out, l)
		}
		f.replace(h, now)
	}
	return out, nil
}

// lend leases the host's first buffered request.
func (f *Frontier) lend(h *host, now int64) (crawler.Lease, error) {
	it := f.pop(h)
	req, err := decodeRequest(h.name, &it.order, it.row)
	if err != nil {
		return crawler.Lease{}, f.store.broken(err)
	}
	f.lastLease++
	l := &lease{id: f.lastLease, host: h, item: it, attempt: req.Attempt}
	f.leases[l.id] = l
	f.leased[leaseKey{h.id, req.Key}] = l
	h.out++
	h.held++
	if h.state.spacing > 0 {
		h.state.notBefore = max(h.state.notBefore, now) + h.state.spacing
		h.dirty = true
	}
	return crawler.Lease{Request: req, ID: l.id}, nil
}

// untilDue is the time until the next host or retry is due, zero when only an
// event can bring one. What is due already waits for an event.
func (f *Frontier) untilDue(now int64) time.Duration {
	next := never
	consider := func(at int64) {
		if at > now {
			next = min(next, at)
		}
	}
	consider(f.retryDue)
	consider(f.spillDue)
	if len(f.waiting) > 0 {
		consider(f.waiting[0].state.notBefore)
	}
	if next == never {
		return 0
	}
	return time.Duration(next - now)
}

// Free implements crawler.Frontier. The state replaces what the frontier held.
func (f *Frontier) Free(id uint64, state crawler.HostState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.leases[id]
	if l == nil || l.freed || f.closed {
		return
	}
	h := l.host
	h.state = f.fromState(state)
	h.told, h.dirty = true, true
	f.free(l)
	f.replace(h, f.clock.now())
	f.notifyOne()
}

func (f *Frontier) free(l *lease) {
	if !l.freed {
		l.freed = true
		l.host.out--
	}
}

// GiveBack implements crawler.Frontier. Leases that a commit under way settles
// stay settled.
func (f *Frontier) GiveBack(ids ...uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	now := f.clock.now()
	for _, id := range ids {
		l := f.leases[id]
		if l == nil || l.settled {
			continue
		}
		f.end(l)
		f.add(l.host, l.item)
		f.replace(l.host, now)
	}
	f.notify()
}

// end forgets a lease.
func (f *Frontier) end(l *lease) {
	f.free(l)
	l.host.held--
	delete(f.leases, l.id)
	delete(f.leased, leaseKey{l.host.id, l.item.order.fp()})
}

// beginWrite takes the right to write. f.mu is held.
func (f *Frontier) beginWrite(ctx context.Context) error {
	for {
		if err := f.usable(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("committing: %w", err)
		}
		if !f.writing {
			f.writing = true
			return nil
		}
		f.wait(ctx)
	}
}

// endWrite gives the right to write back. f.mu is held.
func (f *Frontier) endWrite() {
	f.writing = false
	f.notify()
}
