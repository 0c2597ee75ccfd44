package crawler

import (
	"errors"
	"time"
)

// storedIn names where an answer, or a failure, was kept; "" when there was an
// exchange.
func storedIn(resp *Response, err error) string {
	switch {
	case resp != nil:
		return resp.Stored
	case errors.Is(err, ErrStored):
		return "the archive"
	}
	return ""
}

// unsent makes an entry that of a request which was not sent.
func (e *Entry) unsent(from string, now time.Time) {
	e.Withheld, e.Reason = true, "not sent: it is in "+from
	e.Start, e.Decided, e.Bytes, e.RetryAfter, e.Failed = now, time.Time{}, 0, 0, false
}

// unsent tells that a request which had left its queue was not sent.
func (w *worker) unsent(l *Lease) {
	if f := w.engine.Observer.Unsent; f != nil {
		f(&l.Request)
	}
}
