package crawler

import (
	"errors"
	"fmt"
	"time"
)

// The errors a caller acts on. Others wrap them with the place.
var (
	// ErrDrained ends a run: no request is queued, waiting or leased.
	ErrDrained = errors.New("the frontier is drained")
	// ErrStop means that the run cannot go on: a disk, sink or storage failed.
	// What is committed stays committed; the run can be resumed.
	ErrStop = errors.New("the run cannot go on")
	// ErrReaderGone means, along with ErrStop, that whoever read the records has gone
	// away: a pipe's other end. It is no failure but a wish, as an interrupt is.
	ErrReaderGone = errors.New("nobody reads them any more")
	// ErrOutput means that a sink could not be opened. Nothing was fetched: name
	// a place that can be written, or mend that one.
	ErrOutput = errors.New("cannot open output")
	// ErrNotSent means that a permission lapsed before its request was sent. The
	// permission is to be cancelled, and the request asked about again.
	ErrNotSent = errors.New("not sent")
	// ErrStored means that a failure was kept from an earlier exchange: nothing was sent.
	ErrStored = errors.New("kept from an earlier exchange")
	// ErrShort means, along with ErrNotSent, that this machine could not open
	// another connection: the limit of open files is reached.
	ErrShort = errors.New("too many files are open here")
	// ErrLocked means that another process holds the state.
	ErrLocked = errors.New("the state is in use")
	// ErrForeignState means that a state belongs to another crawl or to a
	// newer version of the program.
	ErrForeignState = errors.New("the state is not this crawl's")
)

// FetchError is a fetch that gave no page. Class is the outcome it leads to.
type FetchError struct {
	Class Class
	// Temporary errors are worth another attempt.
	Temporary bool
	// RetryAfter is a wait that the server asked for, zero without one.
	RetryAfter time.Duration
	// Sent tells of a proxy that failed when it had the request: the host may have it.
	Sent bool
	Err  error
}

func (e *FetchError) Error() string { return fmt.Sprintf("%s: %v", e.Class, e.Err) }

// Unwrap gives the cause.
func (e *FetchError) Unwrap() error { return e.Err }
