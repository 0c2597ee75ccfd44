package crawler

import (
	"context"
	"fmt"
)

// allowance is the memory that a page may take while it is read: the weight that it
// was let in with, and more by Reserve.
type allowance struct {
	engine *Engine
	weight int64
	used   int64
	extra  int64 // beyond the weight, of the engine's memory
	turn   bool  // it is the one page that may take more than there is
}

// outsize is the share of the room that the page whose turn it is may take beyond
// what its body lets expect.
const outsize = 2

// most is what the page may have in all, whatever others take.
func (a *allowance) most() int64 { return max(a.weight, a.engine.roomForPages()/outsize) }

// take adds to what the page uses. Whether it may does not depend on other pages;
// when it may does.
func (a *allowance) take(ctx context.Context, size int64) error {
	need := a.used + size
	if most := a.most(); need > most {
		return errRoom(need, most)
	}
	if more := need - a.weight - a.extra; more > 0 && !a.turn {
		if a.engine.memory.TryAcquire(more) {
			a.extra += more
		} else if err := a.engine.outsize.Acquire(ctx, 1); err != nil {
			return context.Cause(ctx)
		} else {
			a.turn = true
		}
	}
	a.used = need
	return nil
}

// give takes back what take added.
func (a *allowance) give(size int64) {
	a.used -= size
	if a.turn && a.used <= a.weight+a.extra {
		a.turn = false
		a.engine.outsize.Release(1)
	}
	if spare := min(a.extra, a.weight+a.extra-a.used); spare > 0 && !a.turn {
		a.extra -= spare
		a.engine.memory.Release(spare)
	}
}

// end gives everything back but the weight, which goes with the page's records.
func (a *allowance) end() { a.give(a.used) }

// Reserve asks for memory that reading the page takes beside its body and its tree:
// bytes that done gives back. Who reads a page whose type and length do not let expect
// what it makes of it asks before it is made. It waits while too many other pages have
// grown, until ctx ends; a page that would need more than fetch.memory leaves to it is
// refused at once, with an error that says so. Outside of a run there is no bound. It
// may be called several times, like all of Page by one goroutine at a time.
func (p *Page) Reserve(ctx context.Context, bytes int64) (done func(), err error) {
	a := p.memory
	if a == nil {
		return func() {}, nil
	}
	if err := a.take(ctx, bytes); err != nil {
		return nil, err
	}
	return func() { a.give(bytes) }, nil
}

// Spare is how many bytes Reserve gives for certain and at once.
func (p *Page) Spare() int64 {
	if p.memory == nil {
		return 1 << 60
	}
	return p.memory.weight + p.memory.extra - p.memory.used
}

func errRoom(size, most int64) error {
	return fmt.Errorf("it would take about %d MiB of memory, and %d MiB are left to it (fetch.memory)", (size+1<<20-1)>>20, most>>20)
}
