package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// book is a ledger in memory.
type book struct {
	mu       sync.Mutex
	appended int
	synced   int
	refuse   int // calls of Append that fail from now on
	heard    chan int
}

func (b *book) Append(entries []crawler.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse > 0 {
		b.refuse--
		return errors.New("no space left")
	}
	b.appended += len(entries)
	if b.heard != nil {
		b.heard <- b.appended
	}
	return nil
}

func (b *book) Sync() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.synced = b.appended
	return nil
}

func (b *book) durable() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.synced
}

// What was sent is in the ledger, where a kill leaves it, long before its batch is due.
func TestRequestsAreAccountedForAtOnce(t *testing.T) {
	r := newRig(t)
	const pages = 20
	r.web.site(host, pages)
	r.seeds = nil
	for i := range pages {
		r.seeds = append(r.seeds, fmt.Sprintf("%s/%d", host, i))
	}
	b := &book{heard: make(chan int, pages)}
	r.ledger, r.set.BatchInterval, r.set.BatchPages = b, time.Hour, 1000
	outcomes := 0
	r.wrap = func(f crawler.Frontier) crawler.Frontier {
		return committing{f, func(batch *crawler.Batch) { outcomes += len(batch.Outcomes) }}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { _, err := r.run(ctx); ended <- err }()
	patience := time.After(time.Minute)
	for n := 0; n < pages; {
		select {
		case n = <-b.heard:
		case <-patience:
			t.Fatalf("%d of %d requests are in the ledger", n, pages)
		}
	}
	if b.durable() != 0 {
		t.Error("a batch was committed before it was due")
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if outcomes != pages || b.durable() != pages {
		t.Errorf("%d outcomes, %d entries", outcomes, b.durable())
	}
}

// committing looks at each batch before it is committed.
type committing struct {
	crawler.Frontier
	look func(*crawler.Batch)
}

func (c committing) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	c.look(b)
	return c.Frontier.Commit(ctx, b)
}

// No batch is committed whose requests are not in the ledger for good.
func TestLedgerIsDurableBeforeTheBatch(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 100)
	b := &book{}
	r.ledger, r.set.BatchPages = b, 7
	outcomes := 0
	r.wrap = func(f crawler.Frontier) crawler.Frontier {
		return committing{f, func(batch *crawler.Batch) {
			if outcomes += len(batch.Outcomes); outcomes > b.durable() {
				t.Errorf("%d outcomes, %d entries", outcomes, b.durable())
			}
		}}
	}
	r.finish()
	r.exactly(100)
	if b.durable() < 100 {
		t.Errorf("%d entries", b.durable())
	}
}

// A ledger that cannot be written stops the run, and has what was sent as soon as it can.
func TestLedgerThatCannotBeWritten(t *testing.T) {
	r := newRig(t)
	r.web.site(host, 100)
	b := &book{refuse: 1}
	r.ledger = b
	sent := 0
	r.observer.Exchanged = func(crawler.Exchange) { b.mu.Lock(); sent++; b.mu.Unlock() }
	if _, err := r.run(t.Context()); !errors.Is(err, crawler.ErrStop) {
		t.Fatalf("the run goes on: %v", err)
	}
	if b.durable() != sent || sent == 0 {
		t.Errorf("%d requests were sent, %d entries", sent, b.durable())
	}
	r.finish()
	r.exactly(100)
}
