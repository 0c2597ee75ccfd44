package frontiertest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// world is the model: what the contract says the frontier holds.
type world struct {
	entries map[urls.Key]entry
	hosts   map[string]hostEntry
	puts    map[string][]byte
	batch   byte // number of the last batch, put with it
	// duplicates counts what batches with outcomes found again.
	duplicates int64
}

type entry struct {
	req     crawler.Request // Attempt as the next lease will have it
	seq     int
	state   string    // "queued", "retry" or "settled"
	due     time.Time // of a retry
	last    crawler.Outcome
	retried bool
	lease   uint64 // not zero while leased
	freed   bool
}

type hostEntry struct {
	state crawler.HostState
	told  bool      // by Free, since the frontier was opened
	owed  time.Time // the least NotBefore that must survive the process
	out   int
	held  int
}

func newWorld() *world {
	return &world{entries: map[urls.Key]entry{}, hosts: map[string]hostEntry{}, puts: map[string][]byte{}}
}

func (w *world) clone() *world {
	return &world{maps.Clone(w.entries), maps.Clone(w.hosts), maps.Clone(w.puts), w.batch, w.duplicates}
}

// die forgets what only the process knew.
func (w *world) die() {
	for k, e := range w.entries {
		e.lease, e.freed = 0, false
		w.entries[k] = e
	}
	for name, h := range w.hosts {
		h.out, h.held, h.told = 0, 0, false
		w.hosts[name] = h
	}
}

// commit applies a batch whose leases are all held.
func (w *world) commit(b *crawler.Batch) (res crawler.CommitResult) {
	for _, r := range b.Found {
		if _, known := w.entries[r.Key]; known {
			res.Duplicates++
			if len(b.Outcomes) > 0 {
				w.duplicates++
			}
			continue
		}
		res.Added++
		w.entries[r.Key] = entry{req: r, seq: len(w.entries), state: "queued"}
		if _, known := w.hosts[r.Host()]; !known {
			w.hosts[r.Host()] = hostEntry{state: crawler.HostState{Concurrency: 1}}
		}
	}
	for _, o := range b.Outcomes {
		e := w.entries[o.Key]
		w.release(&e)
		e.last = o
		e.state = "settled"
		if o.Disposition == crawler.Retry {
			e.state, e.due, e.retried = "retry", o.NotBefore, true
			e.req.Attempt++
		}
		w.entries[o.Key] = e
	}
	for name, s := range b.Hosts {
		h := w.hosts[name]
		later := h.state.NotBefore
		if s.NotBefore.After(later) {
			later = s.NotBefore
		}
		if !h.told {
			h.state = s
		}
		h.state.NotBefore, h.owed = later, later
		w.hosts[name] = h
	}
	for name, value := range b.Put {
		if w.puts[name] = value; value == nil {
			delete(w.puts, name)
		}
	}
	return res
}

// free ends an entry's hold on its host.
func (w *world) free(e *entry) {
	if e.freed {
		return
	}
	e.freed = true
	h := w.hosts[e.req.Host()]
	h.out--
	w.hosts[e.req.Host()] = h
}

// release ends an entry's lease.
func (w *world) release(e *entry) {
	w.free(e)
	e.lease, e.freed = 0, false
	h := w.hosts[e.req.Host()]
	h.held--
	w.hosts[e.req.Host()] = h
}

// available: nothing but its host keeps the entry from leaving.
func (e *entry) available(now time.Time) bool {
	return e.lease == 0 && (e.state == "queued" || e.state == "retry" && !e.due.After(now))
}

// open says whether a host may be leased from.
func (w *world) open(name string, now time.Time, maxHosts int) bool {
	h := w.hosts[name]
	if maxHosts > 0 && h.held == 0 {
		held := 0
		for _, h := range w.hosts {
			if h.held > 0 {
				held++
			}
		}
		if held >= maxHosts {
			return false
		}
	}
	return h.out < max(h.state.Concurrency, 1) && !h.state.NotBefore.After(now)
}

// leasable says whether anything may leave.
func (w *world) leasable(now time.Time, maxHosts int) bool {
	for _, e := range w.entries {
		if e.available(now) && w.open(e.req.Host(), now, maxHosts) {
			return true
		}
	}
	return false
}

// nextDue is the next instant at which the clock alone lets something leave.
func (w *world) nextDue(now time.Time, maxHosts int) (next time.Time, ok bool) {
	for _, e := range w.entries {
		if e.lease != 0 || e.state == "settled" {
			continue
		}
		at := w.hosts[e.req.Host()].state.NotBefore
		if e.state == "retry" && e.due.After(at) {
			at = e.due
		}
		if at.After(now) && w.open(e.req.Host(), at, maxHosts) && (!ok || at.Before(next)) {
			next, ok = at, true
		}
	}
	return next, ok
}

// before is the order in which a host's requests leave.
func (e *entry) before(o *entry) bool {
	return cmp.Or(
		cmp.Compare(e.req.Priority, o.req.Priority),
		cmp.Compare(e.req.Depth, o.req.Depth),
		cmp.Compare(e.seq, o.seq)) < 0
}

// leases lists the entries that are out, by lease.
func (w *world) leases() []entry {
	var out []entry
	for _, e := range w.entries {
		if e.lease != 0 {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Compare(a.lease, b.lease) })
	return out
}

// stats are the exact counts.
func (w *world) stats() (s crawler.FrontierStats) {
	for _, e := range w.entries {
		s.Seen++
		switch {
		case e.lease != 0:
			s.Leased++
		case e.state == "settled":
			s.Settled++
		default:
			s.Queued++
		}
	}
	s.Hosts, s.Duplicates = int64(len(w.hosts)), w.duplicates
	return s
}
