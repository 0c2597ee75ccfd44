package frontier

import (
	"bytes"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Requests read ahead for one host: few at first, more for hosts that use them.
const (
	minChunk = 4
	maxChunk = 64
)

// item is a queued request in memory: a q row.
type item struct {
	order orderKey
	row   []byte
}

// weight is what an item counts for in Options.MaxBuffered: one, and more where
// the request brings a body or values along.
func (it *item) weight() int { return 1 + len(it.row)/512 }

// place says where a host in memory stands.
type place uint8

const (
	idle    place = iota // at its concurrency, or nothing queued
	waiting              // in the heap of hosts that are not yet due
	ready                // in line for the next lease
)

// host is one host of the working set. All of it is guarded by Frontier.mu.
type host struct {
	id    uint64
	name  string
	state hostState
	// told: Free gave the state since the host was loaded. What the owner of
	// time said then is newer than what a batch carries.
	told bool
	// dirty: state is newer than the h row.
	dirty   bool
	readyAt int64 // the time in the r row
	leaving bool  // a commit under way removes the host's last request

	out  int // leases that occupy the host
	held int // leases without outcome

	// buf holds, sorted, every queued request up to covered that is not
	// leased. Requests beyond covered are on disk only.
	buf     []item
	covered orderKey
	chunk   int

	place place
	index int   // in the waiting heap
	prev  *host // in the ready line
	next  *host
}

func (h *host) exhausted() bool { return h.covered == lastOrder }

// leasable: some request may be queued and the host has room for it.
func (h *host) leasable() bool {
	return h.out < h.state.concurrency && (len(h.buf) > 0 || !h.exhausted()) && !h.leaving
}

// refill reads the next requests when none is buffered. Leased rows are still
// on disk and are passed over.
func (f *Frontier) refill(h *host) error {
	if len(h.buf) > 0 || h.exhausted() {
		return nil
	}
	h.chunk = min(max(2*h.chunk, minChunk), maxChunk)
	limit := max(1, min(h.chunk, f.opt.MaxBuffered-f.buffered))
	lower := append(queueKey(h.id, &h.covered), 0)
	upper := append(queueKey(h.id, &lastOrder), 0)
	full, weight := false, 0
	err := f.store.scan(lower, upper, func(k, v []byte) (bool, error) {
		var it item
		if copy(it.order[:], k[9:]) != len(it.order) {
			return false, errCorrupt
		}
		h.covered = it.order
		if _, leased := f.leased[leaseKey{h.id, it.order.fp()}]; leased {
			return true, nil
		}
		it.row = bytes.Clone(v)
		h.buf = append(h.buf, it)
		f.buffered += it.weight()
		weight += it.weight()
		full = weight >= limit
		return !full, nil
	})
	if err == nil && !full {
		h.covered = lastOrder
	}
	return err
}

func compareOrder(it item, k orderKey) int { return bytes.Compare(it.order[:], k[:]) }

// add makes sure that a queued row of the host's will be found: in buf when it
// lies in the covered part, else by a later refill. Adding a row twice, or one
// that is leased, changes nothing.
func (f *Frontier) add(h *host, it item) {
	if bytes.Compare(it.order[:], h.covered[:]) > 0 {
		return
	}
	if _, leased := f.leased[leaseKey{h.id, it.order.fp()}]; leased {
		return
	}
	at, found := slices.BinarySearchFunc(h.buf, it.order, compareOrder)
	if found {
		return
	}
	h.buf = slices.Insert(h.buf, at, it)
	f.buffered += it.weight()
	if n := len(h.buf); n > 1 && (n > maxChunk || f.buffered > f.opt.MaxBuffered) {
		f.buffered -= h.buf[n-1].weight()
		h.buf[n-1] = item{}
		h.buf = h.buf[:n-1]
		h.covered = h.buf[n-2].order
	}
}

// pop takes the first buffered request.
func (f *Frontier) pop(h *host) item {
	it := h.buf[0]
	h.buf[0] = item{}
	if h.buf = h.buf[1:]; len(h.buf) == 0 {
		h.buf = nil
	}
	f.buffered -= it.weight()
	return it
}

// merge takes in the state that a batch keeps. Batches come late: a state told
// by Free is newer, and NotBefore never moves back by a commit.
func (h *host) merge(s hostState) {
	notBefore := max(h.state.notBefore, s.notBefore)
	if !h.told {
		h.state = s
	}
	h.state.notBefore = notBefore
	h.dirty = true
}

// save writes the h row.
func (h *host) save(b *pebble.Batch) error {
	h.dirty = false
	rec := hostRecord{name: h.name, state: h.state, readyAt: h.readyAt}
	return b.Set(hostKey(h.id), encodeHost(&rec), nil)
}

// enter adds a host to the working set, with what a commit under way knows.
func (f *Frontier) enter(id uint64, rec *hostRecord) *host {
	h := &host{id: id, name: rec.name, state: rec.state, readyAt: rec.readyAt}
	if s := f.pending[id]; s != nil {
		h.merge(*s)
	}
	f.hosts[id] = h
	return h
}

// leave drops a host from the working set. What it knew must be on disk.
func (f *Frontier) leave(h *host) {
	f.unplace(h)
	for i := range h.buf {
		f.buffered -= h.buf[i].weight()
	}
	delete(f.hosts, h.id)
}
