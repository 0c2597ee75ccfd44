package politeness

import "time"

// Account is how one request stood with its host's time, for a ledger.
type Account struct {
	// Start and End are the instants that the delays are counted from, by the
	// outside clock; zero where the request did not get that far.
	Start, End time.Time
	// Decided is when the grant was given, Answered when the header of the answer
	// was there, and Booked when Grant.Done drew its conclusions; zero where the
	// request did not get that far.
	Decided, Answered, Booked time.Time
	// Failed says that the host counts as failing by this request.
	Failed bool
	// Owed is the delay that had to pass since the host's last request began or
	// ended, and By who asked for it; Paid is what did pass, 0 for the first
	// request of this process.
	Owed, Paid time.Duration
	By         string
	// Concurrency is how many requests at once the host was allowed.
	Concurrency int
	// RetryAfter is what is left at the end of the response of the wait that its
	// header asked for, before any cap; where it asked, a microsecond at least. A
	// quota of which nothing is left asks in the same way.
	RetryAfter time.Duration
	// Problem tells of a Retry-After that cannot be read (an answer that is about
	// load then puts the host off by growing times), or of the quota that asked for
	// RetryAfter; "" without one.
	Problem string
	// Group names what shares the host's budget, "" without one.
	Group string
}

// Account tells how the request went so far. It is complete after Done.
func (gr *Grant) Account() Account {
	g := gr.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	a := gr.account
	a.Decided, a.Answered, a.Booked = g.clock.outside(gr.decided), g.clock.outside(gr.answeredAt), g.clock.outside(gr.booked)
	a.Failed, a.Concurrency = gr.failed, gr.limit
	if !gr.began.IsZero() {
		a.Start = g.clock.outside(gr.began)
	}
	if gr.stage == ended && !gr.finished.IsZero() {
		a.End = g.clock.outside(gr.finished)
	}
	return a
}

// account is what a request that begins now owes and pays.
func (h *host) account(now time.Time) Account {
	owed, by := h.ownOwed()
	a := Account{Owed: owed, By: h.name(by), Paid: h.paid(now)}
	if h.group == nil {
		return a
	}
	a.Group = h.group.key
	// Two delays had to pass: the one that left less to spare is told.
	d, asks := h.group.owed()
	if paid := h.group.paid(now); paid > 0 && (a.Paid == 0 || paid-d < a.Paid-owed) {
		a.Owed, a.By, a.Paid = d, h.name(claim{by: asks, shared: true}), paid
	}
	return a
}

// paid is the time since the lane's last request, 0 where there was none.
func (l *lane) paid(now time.Time) time.Duration {
	if l.last.IsZero() || l.inherits {
		return 0
	}
	return now.Sub(l.last)
}
