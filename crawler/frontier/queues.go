package frontier

import (
	"cmp"
	"slices"
	"time"
)

// queueRows bounds the rows that are counted of one host's queue.
const queueRows = 1000

// HostQueue is the queue of one host at a moment.
type HostQueue struct {
	Host   string
	Queued int64 // requests that are not leased
	// More says that there are more than were counted.
	More bool
	// InFlight are the requests that occupy the host.
	InFlight int
	// NotBefore is when the host may be leased from again, zero when it may now.
	NotBefore time.Time
}

// Queues gives hosts of the working set with what they have queued, those with most
// first, at most most. It is for people who watch: it looks at no more than 1,000
// requests of a host, and lets others in between. A closed frontier has none.
func (f *Frontier) Queues(most int) []HostQueue {
	var all []HostQueue
	for _, id := range f.longest(most) {
		if q, ok := f.queueOf(id); ok {
			all = append(all, q)
		}
	}
	slices.SortStableFunc(all, func(a, b HostQueue) int {
		return cmp.Or(cmp.Compare(b.Queued, a.Queued), cmp.Compare(a.Host, b.Host))
	})
	return all
}

// longest picks the hosts that seem to have most, by what is in memory of them.
func (f *Frontier) longest(most int) []uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.usable() != nil {
		return nil
	}
	var busy []*host
	for _, h := range f.hosts {
		if h.held > 0 || len(h.buf) > 0 || !h.exhausted() {
			busy = append(busy, h)
		}
	}
	ahead := func(h *host) int { // what was read ahead grows with what is asked for
		if h.exhausted() {
			return len(h.buf)
		}
		return maxChunk + h.chunk
	}
	slices.SortFunc(busy, func(a, b *host) int {
		return cmp.Or(cmp.Compare(ahead(b), ahead(a)), cmp.Compare(b.held, a.held), cmp.Compare(a.name, b.name))
	})
	ids := make([]uint64, 0, most)
	for _, h := range busy[:min(most, len(busy))] {
		ids = append(ids, h.id)
	}
	return ids
}

func (f *Frontier) queueOf(id uint64) (q HostQueue, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[id]
	if h == nil || f.usable() != nil {
		return q, false
	}
	q = HostQueue{Host: h.name, Queued: int64(len(h.buf)), InFlight: h.out}
	if now := f.clock.now(); h.state.notBefore > now {
		q.NotBefore = f.clock.outside(h.state.notBefore)
	}
	if h.exhausted() {
		return q, true
	}
	lower := append(queueKey(h.id, &h.covered), 0)
	seen := 0
	err := f.store.scan(lower, append(queueKey(h.id, &lastOrder), 0), func(k, _ []byte) (bool, error) {
		var order orderKey
		if copy(order[:], k[9:]) != len(order) {
			return false, errCorrupt
		}
		if _, leased := f.leased[leaseKey{h.id, order.fp()}]; !leased {
			q.Queued++
		}
		seen++
		q.More = seen >= queueRows
		return !q.More, nil
	})
	return q, err == nil
}
