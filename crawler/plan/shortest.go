package plan

import (
	"math"
	"time"
)

// Horizon is the longest time that is told apart from others.
const Horizon = 10 * 365 * 24 * time.Hour

// Window is the part of the day in which requests may begin.
type Window interface {
	// Next is the first instant from t on within the window.
	Next(t time.Time) time.Time
	// Closes is the first instant after Next(t) outside of it, zero for none.
	Closes(t time.Time) time.Time
}

// Pace is how fast a host may be asked: the delay between two requests, within a
// window. A nil window is the whole day.
type Pace struct {
	Delay time.Duration
	Hours Window
}

// Shortest is the least time from start until the last of n requests begins, at
// most Horizon; 0 for none.
func (p Pace) Shortest(start time.Time, n int64) time.Duration {
	if n <= 0 {
		return 0
	}
	end := start.Add(Horizon)
	for at := start; ; {
		opens, closes := p.open(at, end)
		if !opens.Before(end) {
			return Horizon
		}
		if fit := p.fit(closes.Sub(opens)); fit < n {
			n -= fit
			at = p.after(opens, closes, fit)
			continue
		}
		return min(opens.Sub(start)+times(p.Delay, n-1), Horizon)
	}
}

// Within is how many requests can begin from start on until d has passed, the
// instant itself included.
func (p Pace) Within(start time.Time, d time.Duration) int64 {
	end := start.Add(min(d, Horizon) + 1)
	var n int64
	for at := start; ; {
		opens, closes := p.open(at, end)
		if !opens.Before(end) {
			return n
		}
		fit := p.fit(closes.Sub(opens))
		if fit > math.MaxInt64-n {
			return math.MaxInt64
		}
		n += fit
		at = p.after(opens, closes, fit)
	}
}

// open is the part of the window that comes next, up to end.
func (p Pace) open(at, end time.Time) (opens, closes time.Time) {
	if p.Hours == nil {
		return at, end
	}
	opens, closes = p.Hours.Next(at), p.Hours.Closes(at)
	if closes.IsZero() || closes.After(end) {
		closes = end
	}
	return opens, closes
}

// fit is how many requests can begin within d, its end excluded.
func (p Pace) fit(d time.Duration) int64 {
	switch {
	case d <= 0:
		return 0
	case p.Delay <= 0:
		return math.MaxInt64
	}
	return int64((d-1)/p.Delay) + 1
}

// after is from when on the request may begin that comes after n in an open part:
// the delay after the last of them may reach beyond the time until it opens again.
func (p Pace) after(opens, closes time.Time, n int64) time.Time {
	if owed := opens.Add(times(p.Delay, n)); owed.After(closes) {
		return owed
	}
	return closes
}

// times is n delays, at most Horizon.
func times(delay time.Duration, n int64) time.Duration {
	if delay > 0 && n > int64(Horizon/delay) {
		return Horizon
	}
	return delay * time.Duration(n)
}
