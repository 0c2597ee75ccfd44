package crawler

import "sync"

// pageBudget hands out at most the pages that a run may still fetch. A worker
// takes one before leasing and gives it back saying whether a page came of it,
// so that the bound is exact however many workers there are.
type pageBudget struct {
	mu        sync.Mutex
	change    *sync.Cond
	unlimited bool
	stopped   bool
	left      int64 // pages not yet promised
	out       int64 // promised, not yet told
}

func newPageBudget(most, done int64) *pageBudget {
	b := &pageBudget{unlimited: most <= 0, left: max(0, most-done)}
	b.change = sync.NewCond(&b.mu)
	return b
}

// take waits for a page to be free; false means that no more will be.
func (b *pageBudget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.stopped {
		switch {
		case b.unlimited:
			return true
		case b.left > 0:
			b.left--
			b.out++
			return true
		case b.out == 0:
			return false
		}
		b.change.Wait()
	}
	return false
}

// give returns what take took; used tells whether it became a page.
func (b *pageBudget) give(used bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unlimited {
		return
	}
	b.out--
	if !used {
		b.left++
	}
	b.change.Broadcast()
}

func (b *pageBudget) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	b.change.Broadcast()
}
