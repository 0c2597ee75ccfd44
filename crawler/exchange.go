package crawler

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// observe tells of one exchange.
func (w *worker) observe(url string, robots bool, start time.Time, resp *Response, err error) {
	tell := w.engine.Observer.Exchanged
	if tell == nil {
		return
	}
	x := Exchange{URL: url, Robots: robots, Start: start, Duration: w.engine.Clock.Now().Sub(start)}
	if resp != nil {
		x.Status, x.Bytes = resp.Status, resp.Wire
	}
	if err != nil {
		x.Class = classOf(err)
	}
	tell(x)
}

// lapsed gives back a request that was not sent: its permission ended, or this
// machine could not connect. It leaves again when its host may be asked again.
func (w *worker) lapsed(flight context.Context, l *Lease, grant Grant, err error) {
	w.engine.traps.withdraw(w.counted)
	w.engine.Frontier.Free(l.ID, grant.Cancel())
	w.engine.Frontier.GiveBack(l.ID)
	if errors.Is(err, ErrStop) && w.stop == nil {
		w.stop = err
	}
	if errors.Is(err, ErrShort) && w.stop == nil {
		w.stop = w.engine.shortage.wait(flight, w.engine.Clock, err)
	}
}

// giveUp returns a lease whose request was sent: the page is not settled, and
// the next run asks for it again. One that must not be asked for again is settled.
func (w *worker) giveUp(l *Lease, f finished) {
	if !l.Call.Repeatable() {
		w.settle(l, f, Outcome{Class: ClassUncertain, Detail: unrepeated(l, "the run ended before its answer was read")})
		return
	}
	w.engine.traps.withdraw(w.counted)
	w.engine.Frontier.GiveBack(l.ID)
	f.host = l.Host()
	w.engine.hand(f)
}

// methodOf is a call's method as the ledger has it.
func methodOf(c *Call) string {
	if c.method() == http.MethodGet {
		return ""
	}
	return c.Method
}

// kindRobots is the kind of a ledger entry that no leased request stands for.
const kindRobots = "robots"

// sent completes the entry of a request that was sent with what came of it.
func sent(e Entry, resp *Response, err error) Entry {
	if resp != nil {
		e.Status, e.Bytes = resp.Status, resp.Wire
	}
	if err != nil {
		e.Class = classOf(err)
	}
	return e
}

// asksForTime reports whether an answer asks for its host to be left alone.
func asksForTime(e *Entry) bool {
	return e.RetryAfter > 0 || e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
}

// requestsSent is 1 unless the exchange failed before there was anybody to send
// a request to.
func requestsSent(err error) int64 {
	if err != nil {
		switch classOf(err) {
		case ClassDNS, ClassPrivate, ClassRefused, ClassAuth:
			return 0
		case ClassProxy:
			if fe := (*FetchError)(nil); errors.As(err, &fe) && !fe.Sent {
				return 0
			}
		}
	}
	return 1
}

func classOf(err error) Class {
	var fe *FetchError
	if errors.As(err, &fe) {
		return fe.Class
	}
	return ClassNetwork
}

func isTemporaryStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return status > 511 // what proxies make up: 520 to 530, 598, 599
}
