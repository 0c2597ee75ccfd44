package crawler

import (
	"context"
	"fmt"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Frontier holds every URL a run has discovered and decides which leaves next.
// All methods are safe for concurrent use.
//
// Errors: everything not named below is a storage failure and wraps ErrStop.
type Frontier interface {
	// Lease waits until at least one request may leave and returns up to n.
	// A request may leave when its host has fewer leases out than
	// HostState.Concurrency and its NotBefore has passed. It returns
	// ErrDrained when nothing is queued, waiting or leased any more, and
	// ctx.Err() when the context ends first.
	Lease(ctx context.Context, n int) ([]Lease, error)

	// Free tells that a lease no longer occupies its host: the exchange is
	// over and the host may be leased from again by the given state, while
	// the lease itself stays out until its outcome is committed. Calling it
	// twice for one lease does nothing. It writes nothing to disk.
	Free(lease uint64, state HostState)

	// GiveBack returns leases to the queue as if they had never left; their
	// hosts are freed. Nothing is written.
	GiveBack(leases ...uint64)

	// Commit writes the batch, all of it or nothing, and returns once it is
	// durable. When some outcomes name leases this process no longer holds,
	// nothing is written and the error is a *LostError.
	Commit(ctx context.Context, b *Batch) (CommitResult, error)

	// Get returns a value that a batch has Put, or nil.
	Get(key string) ([]byte, error)

	// Lookup says where a URL stands, for explanations.
	Lookup(host string, key urls.Key) (Standing, error)

	// Past is what is known of pages from earlier runs.
	Past

	// Stats is a cheap snapshot of the counts.
	Stats() FrontierStats

	// Close frees the storage. Leases still out return to the queue.
	Close() error
}

// Batch is one atomic step of a run: what became of some pages, what they
// linked to, where the sinks stand. Seeds are a batch with only Found.
type Batch struct {
	Outcomes []Outcome
	Found    []Request            // unseen ones are queued, seen ones counted
	Seen     int64                // further ones that are known to have been seen
	Hosts    map[string]HostState // states to keep across restarts
	// Put are small named values: sink positions, totals. nil takes one away.
	Put map[string][]byte
	// Known are pages to be known in later runs, and Forget those that are not to
	// be known any more.
	Known  []Known
	Forget []urls.Key
}

// CommitResult counts what a batch did.
type CommitResult struct {
	Added      int // found requests that were new
	Duplicates int // found requests already seen
}

// FrontierStats counts requests by where they stand.
type FrontierStats struct {
	Queued  int64 // waiting for their turn, retries included
	Leased  int64 // out, outcome not yet committed
	Settled int64 // with a final outcome
	Seen    int64 // all of the above
	// Duplicates counts found requests that were already seen, in batches
	// that settle something: adding the seeds again counts nothing.
	Duplicates int64
	Hosts      int64 // hosts ever seen
	Waiting    int64 // hosts in the working set that wait for their not-before time
	// NextDueUnix is the next not-before instant in Unix nanoseconds among
	// waiting hosts and retries, 0 when nothing waits.
	NextDueUnix int64
}

// Standing is where one URL stands in the frontier.
type Standing struct {
	State   string // "unknown", "queued", "leased", "retry" or "settled"
	Class   Class  // of the last outcome
	Status  int
	Detail  string
	Attempt int
	Host    HostState
}

// LostError names the leases of a refused batch that this process no longer
// holds. The caller drops those pages and commits the rest.
type LostError struct{ Leases []uint64 }

func (e *LostError) Error() string {
	return fmt.Sprintf("%d leases of the batch were lost", len(e.Leases))
}
