package crawler

import (
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Known is what a state knows of a page from the runs before: a batch keeps it with
// the page's outcome, and it outlives the run.
type Known struct {
	// Request is what was asked for, with what its link carried. Key, Depth and
	// Priority are those it was found with.
	Request Request
	// Class is that of the last answer: fetched, canonical_elsewhere or redirected.
	Class Class
	// ETag and LastModified are the validators as they were sent (RFC 9110 section
	// 8.8), empty without one, or where it is not good for a conditional request.
	ETag, LastModified string
	Hash               [16]byte // of the decoded body
	Print              uint64   // of its text, where Words is not 0
	Words              int

	// Rules, Stated, Headers and Given are sums of what else decides on what a page
	// gives: the config, the host's statements of use, header fields, and what the
	// link carried. A page for which one of them is another is read anew.
	Rules, Stated, Headers, Given uint64

	FirstSeen time.Time
	Changed   time.Time // when its last change was seen; FirstSeen without one
	Visited   time.Time // when it was last answered for
	Fetched   time.Time // when the body was received that its contents are from
	Visits    int64     // answers after the first
	Changes   int64     // of them, those worth coming back for
	Watched   time.Duration
	// Doubts counts the lastmods of sitemaps that were no help with the page;
	// doubtsBeyond is beyond doubt.
	Doubts     uint8
	Seed       bool  // the config names it
	OutOfScope int64 // links that were left out
	// Whole tells that the contents have all that the page gives. Without it they
	// name its records alone, and the page is asked for without conditions.
	Whole bool
	Size  int64 // of the contents, in bytes as encoded
	// Contents are written where they are not nil, and stay as they are otherwise.
	Contents *Contents
}

// Contents is what a page gave.
type Contents struct {
	// Links are as found, before any that traps cut. As Contents gives them back, their
	// Depth counts from the page and their Referrer is not set.
	Links   []Request
	Records []Record
	Rejects []Record // as they were written
	Matched []string // Result.Matched
	// Seen counts links that were left out, see UnseenLinks. It is not kept.
	Seen int
}

// Links says which links of a page's contents are wanted: most of a page that is as
// it was lead to what the run has found before, and reading them costs more than
// all the rest.
type Links uint8

// The links that may be wanted.
const (
	AllLinks    Links = iota
	UnseenLinks       // without those that Past.Seen tells of
	NoLinks
)

// Past is what a frontier knows of pages from runs before.
type Past interface {
	// Recall gives what is known of a page, without its contents; nil for nothing.
	Recall(key urls.Key) (*Known, error)
	// Contents gives those of a page that is known, with the links that are wanted.
	Contents(key urls.Key, links Links) (*Contents, error)
	// Seen tells whether this run has a request, as far as that is known without a
	// look into the store: false means nothing.
	Seen(key urls.Key) bool
	// EachKnown calls f with the known pages in the order of their keys, from the
	// one after a key on, until f returns false. Nothing may be committed meanwhile
	// by f itself.
	EachKnown(after urls.Key, f func(*Known) (more bool, err error)) error
}
