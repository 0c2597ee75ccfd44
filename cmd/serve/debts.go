package serve

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/politeness"
)

const (
	// leastDebt is how long a host must ask to be left alone to be remembered: each
	// crawl waits its own delay after a start as it is.
	leastDebt = 500 * time.Millisecond
	// longestDebt bounds what an earlier process may have written down.
	longestDebt = 31 * 24 * time.Hour
	debtsIn     = 30 * time.Second // one write
	maxUnkept   = 10_000
)

// debtBook keeps for the next process which hosts asked to be left alone. The state of
// a crawl knows what was said to that crawl; what was said to one holds for all.
type debtBook struct {
	log     *slog.Logger
	history *history.History

	mu     sync.Mutex
	unkept map[string]time.Time
	closed bool
	kick   chan struct{}
	over   chan struct{}
}

// recallDebts takes up what an earlier process kept, and begins to keep more.
func recallDebts(ctx context.Context, h *history.History, common *politeness.Common, log *slog.Logger) (*debtBook, error) {
	owed, err := h.Debts(ctx, time.Now())
	if err != nil {
		return nil, fmt.Errorf("the history of runs: %w", err)
	}
	for host, until := range owed {
		common.Owe(host, until, longestDebt)
	}
	b := &debtBook{log: log, history: h, unkept: map[string]time.Time{}, kick: make(chan struct{}, 1), over: make(chan struct{})}
	common.Noted = b.note
	go b.keep()
	return b, nil
}

// note is told of a debt, and returns at once.
func (b *debtBook) note(host string, until time.Time) {
	if time.Until(until) < leastDebt {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.unkept[host]; b.closed || !known && len(b.unkept) >= maxUnkept {
		return
	}
	b.unkept[host] = until
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// keep writes what was noted, until close.
func (b *debtBook) keep() {
	defer close(b.over)
	for range b.kick {
		b.mu.Lock()
		now := b.unkept
		b.unkept = map[string]time.Time{}
		b.mu.Unlock()
		for host, until := range now {
			ctx, cancel := context.WithTimeout(context.Background(), debtsIn)
			if err := b.history.Owe(ctx, host, until); err != nil {
				b.log.Error("that a host asks to be left alone could not be kept", "host", host, "error", err)
			}
			cancel()
		}
	}
}

// close writes what is left.
func (b *debtBook) close() {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.kick)
	}
	b.mu.Unlock()
	<-b.over
}
