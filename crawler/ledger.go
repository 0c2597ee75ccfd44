package crawler

import "time"

// Entry is one line of a crawl's account with its hosts: a request that was
// sent, or one that was withheld and why.
type Entry struct {
	Host  string // scheme, host and port
	Group string // what shares the host's budget, "" when the host stands alone
	URL   string // without credentials
	Kind  string // "page", "sitemap", "robots", or another file read before pages

	Method string // empty for GET
	Call   uint64 // Call.Digest of what was sent, 0 for a GET without a body

	Withheld bool
	Reason   string // why it was withheld, or what its answer forbids or has wrong

	Start, End  time.Time     // of the exchange; a withheld request has only Start
	Decided     time.Time     // when politeness let it through
	Answered    time.Time     // when the header of the answer was there, zero without an answer
	Booked      time.Time     // when politeness learned what came of it
	Owed        time.Duration // the delay owed before the request
	By          string        // who asked for it
	Paid        time.Duration // the time the host was left alone before it, 0 for its first
	Concurrency int           // requests in flight that the host was allowed
	RetryAfter  time.Duration // the debt that the answer made
	Failed      bool          // the host did not answer in a way that may pass

	RobotsHash [16]byte // the version of robots.txt that decided, zero without one
	RobotsLine int      // its deciding line, 0 without one
	RobotsBody []byte   // of an answer to a request for robots.txt
	RobotsOf   string   // the host whose robots.txt was asked for, which a redirect may lead elsewhere

	Status  int
	Class   Class // of a failure, empty without one
	Bytes   int64 // of body, as received
	Attempt int   // attempts before this one
}

// Ledger keeps entries for good. The engine calls it by one goroutine at a time, soon
// after a request has ended and before the batch that it belongs to is committed: an
// account of what was sent is true whether or not the batch is.
type Ledger interface {
	// Append takes entries, which survive the end of the process from then on. Where it
	// fails none is taken.
	Append(entries []Entry) error
	// Sync makes durable what was appended, across a failure of power too.
	Sync() error
}

// NoteAtOnce makes an entry durable that belongs to no batch.
func NoteAtOnce(l Ledger, e *Entry) error {
	if err := l.Append([]Entry{*e}); err != nil {
		return err
	}
	return l.Sync()
}
