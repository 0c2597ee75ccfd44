package crawler

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// accountEvery is how long an entry waits for others at most until it is written. What
// is written is in the ledger although the process is killed, whatever the batch waits for.
const accountEvery = 25 * time.Millisecond

// accounting writes the entries of what the workers have sent and withheld to the
// ledger, a moment after they hand it over, and makes it durable before a batch is committed.
type accounting struct {
	ledger Ledger
	clock  Clock
	begun  chan struct{} // there are entries to write, where there were none

	mu      sync.Mutex
	entries []Entry
	spare   []Entry // the memory of those that were written last

	writing sync.Mutex
	dirty   bool // something is written and may not be durable; under writing
}

func newAccounting(l Ledger, c Clock) *accounting {
	return &accounting{ledger: l, clock: c, begun: make(chan struct{}, 1)}
}

// add takes entries. The caller has a bound to what it adds before they are written.
func (a *accounting) add(entries []Entry) {
	if a == nil || len(entries) == 0 {
		return
	}
	a.mu.Lock()
	first := len(a.entries) == 0
	a.entries = append(a.entries, entries...)
	a.mu.Unlock()
	if first {
		select {
		case a.begun <- struct{}{}:
		default:
		}
	}
}

// loop writes what is added, until the context ends.
func (a *accounting) loop(ctx context.Context) error {
	for {
		select {
		case <-a.begun:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-a.clock.After(accountEvery):
		case <-ctx.Done():
			return nil
		}
		if err := a.write(); err != nil {
			return err
		}
	}
}

// write has the ledger take what was added. It is kept where that fails.
func (a *accounting) write() error {
	a.writing.Lock()
	defer a.writing.Unlock()
	a.mu.Lock()
	batch := a.entries
	a.entries, a.spare = a.spare[:0], nil
	a.mu.Unlock()
	if len(batch) == 0 {
		a.keep(batch)
		return nil
	}
	if err := a.ledger.Append(batch); err != nil {
		a.mu.Lock()
		a.entries = append(batch, a.entries...)
		a.mu.Unlock()
		return fmt.Errorf("writing the ledger: %w", stopping(err))
	}
	a.dirty = true
	clear(batch)
	a.keep(batch)
	return nil
}

// keep has the memory of a batch used again, unless it is large.
func (a *accounting) keep(batch []Entry) {
	if cap(batch) > 4096 {
		return
	}
	a.mu.Lock()
	a.spare = batch[:0]
	a.mu.Unlock()
}

// settle writes all that was added and makes it durable.
func (a *accounting) settle() error {
	if a == nil {
		return nil
	}
	if err := a.write(); err != nil {
		return err
	}
	a.writing.Lock()
	defer a.writing.Unlock()
	if !a.dirty {
		return nil
	}
	if err := a.ledger.Sync(); err != nil {
		return fmt.Errorf("writing the ledger: %w", stopping(err))
	}
	a.dirty = false
	return nil
}
