package crawler

import (
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Disposition is what the frontier does with a settled lease.
type Disposition uint8

// A lease ends in exactly one of these.
const (
	Done  Disposition = iota // final: the reason is kept, the URL never leaves again
	Retry                    // queued again, not before Outcome.NotBefore
)

// Class is the reason of an outcome, a short stable name that the summary
// counts by and the documentation explains.
type Class string

// Classes of outcomes. The first group is no failure.
const (
	ClassFetched    Class = "fetched"    // a 2xx answer
	ClassRedirected Class = "redirected" // a 3xx answer; its target is a found link
	// ClassUnchanged is the answer to a conditional request that the page is as it
	// was, and ClassNotDue a page that is known and was not to be asked for yet.
	ClassUnchanged Class = "unchanged"
	ClassNotDue    Class = "not_due"
	// ClassCanonicalElsewhere is a 2xx answer whose records were left to the URL
	// that the page names as canonical.
	ClassCanonicalElsewhere Class = "canonical_elsewhere"
	ClassDisallowed         Class = "disallowed" // robots.txt or a usage policy forbids it
	// ClassOutOfScope is a URL whose scope the config took back after it was found.
	ClassOutOfScope Class = "out_of_scope"
	// ClassTrapped is a URL that belongs to a trap: more of what was seen too often.
	ClassTrapped Class = "trapped"
	// ClassSplit is a batch of rows that was refused, and whose halves are asked for.
	ClassSplit Class = "split"

	ClassHTTP4xx       Class = "http_4xx"
	ClassHTTP5xx       Class = "http_5xx"
	ClassRateLimited   Class = "rate_limited"
	ClassTimeout       Class = "timeout"
	ClassDNS           Class = "dns"
	ClassRefused       Class = "refused"
	ClassReset         Class = "reset"
	ClassTLS           Class = "tls"
	ClassProtocol      Class = "protocol"        // garbage, bad framing, endless headers
	ClassTruncated     Class = "truncated"       // less body than announced
	ClassDecode        Class = "decode"          // a broken or unknown content encoding
	ClassTooLarge      Class = "too_large"       // over fetch.max_body after decoding
	ClassPrivate       Class = "private_address" // refused at dial time
	ClassRedirectLoop  Class = "redirect_loop"   // too many hops
	ClassRedirectBad   Class = "redirect_bad"    // a redirect without a usable target
	ClassExtract       Class = "extract"         // a plugin failed or panicked
	ClassUncertain     Class = "uncertain"       // sent, or perhaps sent, by a process that ended before the answer
	ClassQuery         Class = "query"           // the database refused the statement, or its result cannot be used
	ClassNetwork       Class = "network"         // any other transport error
	ClassRobotsUnknown Class = "robots_unreachable"
	ClassUnreachable   Class = "host_unreachable" // the host failed for hours and was given up
	ClassAuth          Class = "auth"             // no credentials could be had; nothing was sent
	ClassLoggedOut     Class = "logged_out"       // the answer was that for nobody, after each login anew
	ClassProxy         Class = "proxy"            // no proxy could be used, or it does not connect there; nothing was sent
	ClassNotRecorded   Class = "not_recorded"     // a replayed archive does not hold it
	ClassChecksum      Class = "checksum"         // a file is not what its server, or the file of sums, says
	ClassChanged       Class = "changed"          // a file changed while it was fetched, again and again
	ClassFile          Class = "file"             // there is no place for a file: its name, or another file
	ClassBadRow        Class = "bad_row"          // a row of a dataset that makes no request
	ClassInternal      Class = "internal"         // a fault in amble itself, with its stack in the log
)

// Failed reports whether the class counts among a run's failures.
func (c Class) Failed() bool {
	switch c {
	case ClassFetched, ClassRedirected, ClassUnchanged, ClassNotDue, ClassCanonicalElsewhere, ClassDisallowed, ClassOutOfScope, ClassTrapped, ClassSplit:
		return false
	}
	return true
}

// Lease is a request lent to this process. It returns to the queue by itself
// when the process dies; it must be settled by an Outcome or given back.
type Lease struct {
	Request
	ID uint64 // unique within the life of an open frontier
}

// Outcome settles one lease.
type Outcome struct {
	Lease       uint64
	Key         urls.Key
	Host        string
	Disposition Disposition
	NotBefore   time.Time // of a Retry
	Class       Class
	Status      int    // HTTP status, 0 without one
	Detail      string // one line for people, at most 200 bytes are kept
}
