package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Breach is what a violation breaks.
type Breach uint8

// The breaches.
const (
	// TooSoon: less than the owed delay after the last start or end.
	TooSoon Breach = iota
	// TooMany: more requests in flight than allowed.
	TooMany
	// DebtUnpaid: a Retry-After was not waited for.
	DebtUnpaid
	// BackoffUnpaid: a 429 or 503 without Retry-After was not waited for.
	BackoffUnpaid
	// RestBroken: a failing host was not left alone for as long as promised.
	RestBroken
	// OutOfHours: sent outside of the crawl window.
	OutOfHours
	// Disallowed: robots.txt disallows what was requested.
	Disallowed
	// NoRobots: requested before robots.txt was read.
	NoRobots
	// UnknownRobots: rests on a robots.txt that the ledger does not have.
	UnknownRobots
	// StaleRobots: rests on a robots.txt that was replaced or outlived.
	StaleRobots
	// WrongLine: another line of robots.txt decides than the entry says.
	WrongLine
	// WrongOwed: the entry owes less than what was promised or asked for.
	WrongOwed
	// WrongConcurrency: the entry allows more than what was promised.
	WrongConcurrency
	// WrongHost: the URL is not of the host that the entry counts it for.
	WrongHost
	// WrongTimes: the entry ends before it starts, or was decided after.
	WrongTimes
	// ClockJump: a process began before an earlier one ended, so that what lies
	// between them cannot be judged.
	ClockJump
	// OutOfOrder: the entry was appended so late that it cannot be judged.
	OutOfOrder
	breaches
)

var breachNames = [breaches]string{
	"too soon", "too many at once", "Retry-After unpaid", "backoff unpaid", "rest broken", "out of hours",
	"disallowed", "robots.txt not read",
	"robots.txt unknown", "robots.txt stale", "wrong line", "wrong delay", "wrong concurrency",
	"wrong host", "wrong times", "clock jump", "out of order",
}

// String names the breach.
func (b Breach) String() string {
	if b >= breaches {
		return "unknown"
	}
	return breachNames[b]
}

// Violation is one thing that should not have been.
type Violation struct {
	Breach Breach
	Host   string
	URL    string
	At     time.Time // the start of the request
	// Owed and Paid are the figures of TooSoon, DebtUnpaid, BackoffUnpaid,
	// RestBroken and WrongOwed.
	Owed, Paid time.Duration
	// Detail tells the rest, with figures.
	Detail string
}

// String is one printable line.
func (v Violation) String() string {
	what := v.URL
	if what == "" {
		what = v.Host
	}
	return printable(fmt.Sprintf("%s %s: %s: %s", stamp(v.At), what, v.Breach, v.Detail))
}

// stamp keeps the microseconds and sorts as text.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// printable keeps hostile text on its line.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) || r == '\uFFFD' }) < 0 {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
