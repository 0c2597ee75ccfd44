package crawler

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// Result collects what extractors make of one page.
type Result struct {
	Records []Record
	Links   []Link
	Errors  []RecordError
	Rejects []Reject // records that are not to be written
	// Matched are the record types that were looked for on the page, whether
	// it had any or not.
	Matched []string
	// Seeds are requests that the config alone stands for, such as rows that a
	// query gives. There is no scope for them.
	Seeds []Seed
}

// Extractor turns a page into fields and links. The struct that implements it
// is its configuration: exported fields with yaml tags are decoded from the
// crawl config, then Validate runs once (where present), then Extract runs for
// many pages at once from several goroutines, then Close (where it is an
// io.Closer). Before the first page of a run Open is called (where present).
type Extractor interface {
	// Extract reads the page and emits records through e. An error fails the
	// page's extraction by this extractor alone and is reported; the page
	// still counts. The page's tree and body must not be changed or kept.
	Extract(ctx context.Context, p *Page, e *Emitter) error
}

// Emitter receives what one extractor finds on one page.
type Emitter struct {
	recordType string
	url        string
	result     *Result
}

// NewEmitter collects records of one type into r.
func NewEmitter(recordType string, p *Page, r *Result) *Emitter {
	return &Emitter{recordType: recordType, url: p.URL.Redacted(), result: r}
}

// Record adds a record with these fields.
func (e *Emitter) Record(fields ...Field) {
	e.result.Records = append(e.result.Records, Record{Type: e.recordType, Fields: fields})
}

// Link adds a link to follow, subject to scope, robots and dedup.
func (e *Emitter) Link(l Link) { e.result.Links = append(e.result.Links, l) }

// Seed adds a request that the config stands for. Only what reads answers of the
// crawl's own transports may do so: pages of the web lead on by links.
func (e *Emitter) Seed(s Seed) { e.result.Seeds = append(e.result.Seeds, s) }

// FieldError reports a value that was not as asked. Where the record is dropped
// for it, and its other fields are known, Reject tells more.
func (e *Emitter) FieldError(field, value string, dropped bool, err error) {
	if dropped {
		e.Reject(nil, Problem{Field: field, Value: value, Err: err})
		return
	}
	e.result.Errors = append(e.result.Errors, RecordError{
		Type: e.recordType, Field: field, Value: excerpt(value), URL: e.url, Err: err,
	})
}

// excerpt bounds a value in a message.
func excerpt(value string) string {
	if len(value) > 200 {
		return strings.ToValidUTF8(value[:200], "")
	}
	return value
}

// Validator is an optional interface of plugins. Validate runs after decoding
// and before use; it returns ConfigErrors (several joined by errors.Join) so
// that each can be shown at its place in the file.
type Validator interface{ Validate() error }

// Opener is an optional interface of extractors: Open is called once before the
// first page, to load a model, say, or to open a file. Its error ends the run
// before anything is fetched. Lint and explain do not call it.
type Opener interface {
	Open(ctx context.Context) error
}

// FieldLister is an optional interface of extractors that know their fields
// before the first page; column formats use it for their header.
type FieldLister interface{ FieldNames() []string }

// TreeReader is an optional interface of extractors: NeedsTree false promises
// that Extract never calls Page.Document, so that a page may go unparsed.
type TreeReader interface{ NeedsTree() bool }

// Weigher is an optional interface of extractors that take memory of their own for a
// page beside its body, its tree and what they emit: Weigh gives its bytes for a page
// of that type and length, 0 for one that they do not read. The page waits for them
// before it is in memory, and before its time begins. What only its content tells is
// asked for by Page.Reserve.
type Weigher interface {
	Weigh(mediaType string, size int64) int64
}

// ConfigError is a mistake at a place inside a plugin's own configuration.
type ConfigError struct {
	Path []string // keys from the plugin's mapping down; list positions as numbers
	Msg  string
	Hint string // what to do, may be empty
}

func (e *ConfigError) Error() string {
	s := e.Msg
	if len(e.Path) > 0 {
		s = strings.Join(e.Path, ".") + ": " + s
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// RunInfo tells a sink which run it serves.
type RunInfo struct {
	Crawl   string // the config's name
	ID      string
	Started time.Time
	Types   []RecordType // every record type the run can emit, in config order
	// Folder is for what a sink keeps from one process of the run to the next. It is
	// this sink's own, may not be there yet, and is "" where there is no place for it.
	Folder string
	// Changes tells that the run writes what has changed since the run before: what
	// is at the destination stays, records replace those of the same key, and those
	// that are Deleted take them away. Tombstones tells that the crawl's runs may
	// write such records, also where this one writes everything.
	Changes, Tombstones bool
	// Log is for what a sink waits for while the run stands still. nil: nobody listens.
	Log *slog.Logger
}

// RecordType is a type with the fields known before the first record.
type RecordType struct {
	Name   string
	Fields []string // nil when only the pages will tell
}

// Sink writes records to one destination. The engine calls its methods from
// one goroutine at a time.
//
// Exactly-once: the engine calls Write, then Flush, then commits the returned
// position with the pages' outcomes. After a crash Open gets the last committed
// position and must bring the destination back to it.
type Sink interface {
	// Open prepares the destination. position is nil for a fresh run, which
	// replaces what an earlier run left at the same place. An error names the
	// path and what to do, and comes before the first fetch.
	Open(ctx context.Context, run RunInfo, position []byte) error
	// Write adds records; they may stay buffered.
	Write(ctx context.Context, records []Record) error
	// Flush makes everything written durable and returns the position.
	Flush(ctx context.Context) (position []byte, err error)
	// Places lists where the records went, for the closing report.
	Places() []string
	Close() error
}

// Deliverer is an optional interface of sinks that keep records until they are
// committed, and then hand them on in parts: to places that take nothing back.
type Deliverer interface {
	// Deliver hands on the parts that the last Flush closed. It is called once its
	// position is committed, and again by Open after a crash: what it hands on then is
	// the same, under the same name. An error ends the run, resumably.
	Deliver(ctx context.Context) error
	// Seal has the next Flush close the part that is open, however small it is: the
	// process ends.
	Seal()
}
