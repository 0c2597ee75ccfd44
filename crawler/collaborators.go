package crawler

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Action is what politeness lets the engine do with a leased request.
type Action uint8

// The answers of politeness.
const (
	Go          Action = iota // fetch now, under the grant
	Skip                      // never: settle as disallowed, with the reason
	Wait                      // give the request back; the host is off until Verdict.Until
	FetchRobots               // fetch Verdict.Robots once under the grant, then ask again
)

// Politeness is the one owner of time and permission.
type Politeness interface {
	// Decide answers for one leased request, without blocking.
	Decide(r *Request) Verdict
}

// Verdict is one answer of Politeness.
type Verdict struct {
	Action Action
	Reason string      // of a Skip or Wait, one line for people
	Class  Class       // of a Skip
	Until  time.Time   // of a Wait
	Robots string      // of FetchRobots: the URL
	File   string      // of FetchRobots: what the file is where it is not robots.txt, for the ledger
	Header http.Header // of FetchRobots: fields to send with it
	State  HostState   // of a Skip or Wait: the host's state as the frontier is to hold it
	Entry  Entry       // of a Skip: what the ledger is to say of it
	Grant  Grant       // of Go and FetchRobots
	Said   any         // of Go: what the host states of its pages' use, for PagePolicy
	Stated uint64      // a sum of what Said says of the page, another when that changes
}

// Grant permits exactly one exchange with exactly one URL. One of Done and
// Cancel is called exactly once.
type Grant interface {
	// Context carries the permission to the transport guard.
	Context(ctx context.Context) context.Context
	// Done tells how the exchange went and returns the state of the leased
	// request's host. resp is nil after an error.
	Done(resp *Response, err error) HostState
	// Cancel tells that nothing was sent.
	Cancel() HostState
	// Elsewhere gives, after Done, the further host whose time the exchange took,
	// "" without one: a redirect led there from a robots.txt. Its state is to be
	// kept too.
	Elsewhere() (host string, state HostState)
	// Entry gives, after Done, what the ledger is to say of the time that was
	// owed and paid. The engine adds what it knows of the exchange.
	Entry() Entry
}

// FetchOptions bound one exchange.
type FetchOptions struct {
	// MaxBody is the most bytes of body after decoding; 0 takes the fetcher's default.
	MaxBody int64
	// Truncate cuts a longer body instead of failing with ClassTooLarge.
	Truncate bool
	// Raw leaves the bytes as they are after content decoding: no charset conversion.
	Raw bool
	// Header fields are added to the request.
	Header http.Header
	// Method is the request's, GET when empty, and Body what it sends.
	Method string
	Body   string
	// Receive takes the body of an answer with status 200 or 206 as it comes, without
	// any decoding; it may return before the end, which ends the exchange. Such a body
	// has no bound but Receive's own, and is not part of the response. length is -1
	// where it is unknown. nil: bodies become part of the response.
	Receive func(status int, header http.Header, length int64, body io.Reader) error
	// Timeout bounds the exchange with Receive; 0 takes the fetcher's own.
	Timeout time.Duration
	// Admit is asked once, when the response has been received and before its
	// body is brought to memory as a whole. It may wait; its error ends the fetch.
	// nil: there is always room.
	Admit func(ctx context.Context, body Arrived) error
}

// Fetcher performs single exchanges for one worker goroutine. It follows no
// redirect, keeps no cookies and never retries.
type Fetcher interface {
	// Fetch answers with the response whatever its status. Errors are
	// *FetchError, or ctx.Err() when the caller's context ended, or wrap
	// ErrNotSent.
	Fetch(ctx context.Context, u urls.URL, opt FetchOptions) (*Response, error)
}

// Pipeline runs a crawl's extractors over one page.
type Pipeline interface {
	// Run appends records, links and field errors to r. A returned error
	// means that the page's extraction failed: its records are not kept.
	Run(ctx context.Context, p *Page, r *Result) error
	// Types lists the record types that Run can emit.
	Types() []RecordType
}

// PagePolicy reads what a site says on a page about its use. It is asked before
// the page is extracted.
type PagePolicy interface {
	Judge(p *Page) PageVerdict
}

// PageVerdict is what a page permits.
type PageVerdict struct {
	NoRecords bool   // nothing may be kept of the page
	NoFollow  bool   // none of its links may be followed
	Usage     string // what the site states, for the records' _usage
	// Canonical is the URL that the page names as its own, zero without one.
	Canonical urls.URL
	Reason    string // who forbids what, one line for people; empty when all is permitted
}
