package frontier

import "container/heap"

// line is the queue of ready hosts. A host that was leased from goes to its
// end, so that ready hosts take turns whatever their number.
type line struct {
	head, tail *host
	n          int
}

func (l *line) push(h *host) {
	h.prev, h.next = l.tail, nil
	if l.tail == nil {
		l.head = h
	} else {
		l.tail.next = h
	}
	l.tail = h
	l.n++
}

func (l *line) remove(h *host) {
	if h.prev == nil {
		l.head = h.next
	} else {
		h.prev.next = h.next
	}
	if h.next == nil {
		l.tail = h.prev
	} else {
		h.next.prev = h.prev
	}
	h.prev, h.next = nil, nil
	l.n--
}

// dueHeap orders the waiting hosts by NotBefore.
type dueHeap []*host

func (d dueHeap) Len() int           { return len(d) }
func (d dueHeap) Less(i, j int) bool { return d[i].state.notBefore < d[j].state.notBefore }
func (d dueHeap) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

func (d *dueHeap) Push(x any) {
	h := x.(*host)
	h.index = len(*d)
	*d = append(*d, h)
}

func (d *dueHeap) Pop() any {
	old := *d
	h := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return h
}

// unplace takes the host out of line and heap.
func (f *Frontier) unplace(h *host) {
	switch h.place {
	case waiting:
		heap.Remove(&f.waiting, h.index)
	case ready:
		f.ready.remove(h)
	}
	h.place = idle
}

// replace puts the host where its state says. A host that stays ready keeps its
// turn.
func (f *Frontier) replace(h *host, now int64) {
	to := idle
	if h.leasable() {
		to = ready
		if h.state.notBefore > now {
			to = waiting
		}
	}
	if to == h.place && to != waiting {
		return
	}
	f.unplace(h)
	switch to {
	case waiting:
		heap.Push(&f.waiting, h)
	case ready:
		f.ready.push(h)
	}
	h.place = to
}

// arrive moves the waiting hosts whose time has come into line.
func (f *Frontier) arrive(now int64) {
	for len(f.waiting) > 0 && f.waiting[0].state.notBefore <= now {
		f.replace(f.waiting[0], now)
	}
}
