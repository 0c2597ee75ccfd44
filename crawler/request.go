package crawler

import (
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Kind says what a request is for. Pages are extracted; sitemaps are only read
// for the URLs they list and do not count as pages.
type Kind uint8

// The kinds of request the frontier holds. robots.txt is not among them: it is
// fetched under the lease of the page that needs it.
const (
	KindPage Kind = iota
	KindSitemap
	KindFault // a row of a dataset that makes no request: it only settles
	KindFile  // a file: its body is kept, not read; see Files
)

// String names the kind as logs and explanations show it.
func (k Kind) String() string {
	switch k {
	case KindSitemap:
		return "sitemap"
	case KindFault:
		return "row"
	case KindFile:
		return "file"
	}
	return "page"
}

// Request is one URL to visit, and how: what the frontier stores, leases and settles.
type Request struct {
	URL  urls.URL // without fragment and credentials
	Key  urls.Key // the dedup key; two requests with one key are one request
	Kind Kind
	// Depth counts links from a seed; a redirect keeps the depth of its source.
	Depth uint16
	// Priority orders requests within a host: lower values leave first.
	Priority uint8
	// Hops counts the redirects between the URL that was discovered and this one.
	Hops uint8
	// Requested is the URL at the head of a redirect chain, empty without one.
	Requested string
	// Attempt counts the fetches that failed before this one.
	Attempt uint8
	// Through counts the pages of the URL's own pattern, each linking to the next,
	// that led to it. It stays at its greatest value.
	Through uint8
	// Referrer is the key of the page that linked here, zero for a seed.
	Referrer urls.Key
	// Call is what is sent, nil for a plain GET. Method and body are part of Key.
	Call *Call
	// Carry are values that the link brought along for the records of this page,
	// and Types the record types that it leads to. Neither is part of Key: of two
	// links to one request the first that is found counts.
	Carry []Field
	Types []string
	// Row is the row of a dataset that the request is made for, or that led to its
	// page, zero without one. It is part of Key: each row gets its own answer.
	// The records of its pages have all values of Carry.
	Row uint64
	// Modified is when a sitemap says that the page was last modified, zero where
	// none says so.
	Modified time.Time
	// Unlinked tells that no page of this run led here: it is known from another.
	Unlinked bool
}

// Method is that of the request: GET where nothing else was asked for.
func (r *Request) Method() string { return r.Call.method() }

// Host is the unit of politeness: scheme, host and port, such as
// "https://books.example" or "http://127.0.0.1:8080".
func (r *Request) Host() string { return r.URL.Origin() }

// Origin is the URL as it stood in the frontier before any redirect.
func (r *Request) Origin() string {
	if r.Requested != "" {
		return r.Requested
	}
	return r.URL.Fetch()
}

// HostState is what the owner of time says about one host after each event.
// The frontier stores it and leases by it; it never computes one.
type HostState struct {
	// NotBefore is the next instant at which a request may start.
	NotBefore time.Time
	// Spacing is the least time between two starts while several requests are
	// in flight. The frontier moves NotBefore by it at each lease.
	Spacing time.Duration
	// Concurrency is the most requests in flight at once; zero means one.
	Concurrency int
	// Opaque is politeness's own memory of the host (debts, backoff),
	// kept across restarts.
	Opaque []byte
	// Robots, when it is not nil, is what politeness has just learned of the
	// host's robots.txt and wants back after a restart. It is kept apart from
	// the state, which is written far more often.
	Robots []byte
	// File is the same of another file that is read beside robots.txt.
	File []byte
	// Group names what shares the host's budget, "" without one, and
	// GroupOpaque is politeness's memory of it.
	Group       string
	GroupOpaque []byte
}
