package crawler

import "time"

// Observer is told what happens, as net/http/httptrace does it: a struct of
// optional functions. They are called from many goroutines, must return at
// once and must not keep what they are given.
type Observer struct {
	// Leased: a request left the frontier.
	Leased func(r *Request)
	// Unsent: a request that had left came back without an exchange, since its time was
	// over or its answer was at hand.
	Unsent func(r *Request)
	// Exchanged: one HTTP exchange ended, robots.txt and sitemaps included.
	Exchanged func(e Exchange)
	// Settled: a page's outcome was decided (not yet committed).
	Settled func(r *Request, o Outcome, records int)
	// FieldError: a value was not as asked.
	FieldError func(e RecordError)
	// Committing: a batch is about to be written, which settles these leases. Where some of
	// them were lost it is told again, without these.
	Committing func(leases []uint64)
	// Committed: a batch is durable; totals are the run's, over all processes.
	Committed func(t Totals, f FrontierStats)
	// Short: a page in hand begins to wait for memory, or has stopped waiting.
	Short func(waits bool)
}

// Exchange is one request sent and its answer.
type Exchange struct {
	URL      string
	Robots   bool
	Status   int
	Class    Class // of the failure, empty without one
	Bytes    int64
	Start    time.Time
	Duration time.Duration
}
