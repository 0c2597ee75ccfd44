package crawler

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Files keeps what requests of KindFile bring, which is never in memory as a whole.
// Its methods are safe for concurrent use, but for Keep and Committed, which the
// committer alone calls.
//
// Exactly-once: a Transfer leaves what it received, complete or not, where a later
// process finds it again. What is complete is put in its place by Keep, after which
// the batch is committed; a crash between the two has the request leased again, and
// Keep puts the same file in the same place.
type Files interface {
	// Type is the record type of the manifest, which has a record for each file.
	Type() RecordType
	// Begin looks at a request before an attempt. Errors are *FetchError, which settle
	// the request, or wrap ErrStop.
	Begin(r *Request) (Transfer, error)
	// Failed tells that a request ends without its file, and how.
	Failed(r *Request, o Outcome) FileEnd
	// Keep puts complete files in their places, durably, and notes them in put. The
	// errors are those of single files, by their place in the list; nil: there are
	// none. err stops the run. A batch that is refused is kept again.
	Keep(ctx context.Context, files []KeptFile, put map[string][]byte) (lost []error, err error)
	// Committed tells that the batch of the last Keep is.
	Committed(files []KeptFile)
}

// KeptFile is what Files wants to have back when a file's outcome is committed.
type KeptFile any

// Transfer is one attempt at a file, or at a part of one.
type Transfer interface {
	// Ready reports that there is nothing to ask for: Finish ends the request.
	Ready() bool
	// Header is what the request says beside the URL, such as a range.
	Header() http.Header
	// Timeout bounds the exchange.
	Timeout() time.Duration
	// Receive takes the body of an answer with status 200 or 206, as it comes. It may
	// return before its end, which ends the exchange. length is -1 where it is unknown.
	Receive(status int, header http.Header, length int64, body io.Reader) error
	// Takes reports whether Finish knows what to make of a status.
	Takes(status int) bool
	// Finish ends the attempt after an answer, which is nil where nothing was asked.
	Finish(ctx context.Context, resp *Response) FileEnd
}

// FileEnd is what becomes of a request of KindFile.
type FileEnd struct {
	// Outcome has Class, Status and Detail. Err, when it is not nil, decides instead:
	// a *FetchError, ErrStop, or that of the context that ended.
	Outcome Outcome
	Err     error
	// Fields are the file's record, nil where there is none, such as for a part.
	Fields []Field
	// Errors are what is not as asked, although there is a record.
	Errors []RecordError
	// Found are requests for the rest of the file.
	Found []Request
	// Kept is given to Keep, nil where there is nothing to keep.
	Kept KeptFile
	// Sent are requests that Finish has made, such as those that bring a file to a
	// bucket. They have been permitted as the engine's own are, and all went to one host.
	Sent []Sent
}

// Sent is a request that was made, or withheld, beside that of a lease.
type Sent struct {
	Entry Entry
	State HostState // of Entry.Host, after it
}

// fileDigest tells the request for a file from that for a page at the same URL.
const fileDigest = 0x66696c65

// FileKey is the dedup key of the file at the page's URL with this key.
func FileKey(page urls.Key) urls.Key { return KeyOf(page, fileDigest) }

// beginFile asks what is to be done for a file, and settles the request where nobody
// has to be asked.
func (w *worker) beginFile(ctx context.Context, l *Lease) (settled bool) {
	e := w.engine
	if e.Files == nil {
		w.settle(l, finished{}, Outcome{Class: ClassFile, Detail: "the config keeps no files any more"})
		return true
	}
	t, err := e.Files.Begin(&l.Request)
	switch {
	case errors.Is(err, ErrStop):
		w.stop = err
		e.Frontier.GiveBack(l.ID)
		return true
	case err != nil:
		w.settle(l, finished{}, w.failure(l, err))
		return true
	}
	w.file = t
	if !t.Ready() {
		return false
	}
	var f finished
	switch o := w.endFile(ctx, l, nil, &f); {
	case o.Class != "":
		w.settle(l, f, o)
	case len(f.entries) > 0:
		w.giveUp(l, f.accounted())
	default:
		e.Frontier.GiveBack(l.ID)
	}
	return true
}

// fileOptions are those of the exchange for a file.
func (w *worker) fileOptions(opt *FetchOptions) {
	if w.file != nil {
		opt.Header, opt.Timeout, opt.Receive, opt.Raw = w.file.Header(), w.file.Timeout(), w.file.Receive, true
	}
}

// endFile is the outcome of a file whose answer is here. It has no class where the
// run is over before that is known.
func (w *worker) endFile(ctx context.Context, l *Lease, resp *Response, f *finished) Outcome {
	end := w.file.Finish(ctx, resp)
	f.alsoSent(l, end.Sent)
	switch {
	case errors.Is(end.Err, ErrStop):
		w.stop = end.Err
		return Outcome{}
	case end.Err != nil && ctx.Err() != nil:
		return Outcome{}
	case end.Err != nil:
		return w.failure(l, end.Err)
	}
	for _, r := range end.Found {
		f.found = append(f.found, r)
		f.size += int64(len(r.URL.String())) + requestOverhead + r.heldSize()
	}
	for i := range end.Errors {
		end.Errors[i].URL = w.engine.hide(l.Origin())
	}
	w.notAsAsked(end.Errors, f)
	w.fileRecord(l, end, f)
	return end.Outcome
}

// alsoSent adds requests that were made for a lease beside its own.
func (f *finished) alsoSent(l *Lease, all []Sent) {
	for i := range all {
		e := &all[i].Entry
		f.entries = append(f.entries, *e)
		if !e.Withheld {
			f.requests++
		}
		f.urgent = f.urgent || asksForTime(e)
		if e.Host == l.Host() {
			f.state = all[i].State
		} else {
			f.elsewhere, f.elsewhereState = e.Host, all[i].State
		}
	}
}

// accounted is what holds of a page that is given back: what was sent for it.
func (f *finished) accounted() finished {
	return finished{
		state: f.state, elsewhere: f.elsewhere, elsewhereState: f.elsewhereState, weight: f.weight, small: f.small,
		requests: f.requests, bytes: f.bytes, entries: f.entries, urgent: f.urgent,
	}
}

// fileRecord gives a file its line of the manifest, and to Keep what it wants.
func (w *worker) fileRecord(l *Lease, end FileEnd, f *finished) {
	f.kept = end.Kept
	if end.Fields == nil {
		return
	}
	e := w.engine
	recordType := e.Files.Type().Name
	r := Record{
		Type: recordType, Fields: end.Fields, Run: e.run.ID, FetchedAt: e.Clock.Now().UTC(),
		URL: e.hide(l.URL.Redacted()), Requested: e.hide(l.Origin()),
		Key: RecordKey(recordType, FileKey(xxh3.HashString128(l.Origin()).Bytes()), 0),
	}
	f.records = append(f.records, r)
	f.size += recordSize(&r)
}

// answerFile gives a file its record where the outcome leaves it without one.
func (w *worker) answerFile(l *Lease, f *finished, o *Outcome) {
	if l.Kind != KindFile || o.Disposition != Done || w.engine.Files == nil {
		return
	}
	switch o.Class {
	case ClassFetched:
		return
	case ClassRedirected:
		if len(f.found) > 0 {
			return
		}
	}
	hidden := *o
	hidden.Detail = w.engine.hide(o.Detail)
	w.fileRecord(l, w.engine.Files.Failed(&l.Request, hidden), f)
}

// keep puts the batch's complete files in their places. One for which there is no
// place fails alone.
func (c *committer) keep(ctx context.Context, pages []finished, put map[string][]byte) ([]KeptFile, error) {
	e := c.engine
	if e.Files == nil {
		return nil, nil
	}
	var files []KeptFile
	var of []int
	for i := range pages {
		if pages[i].kept != nil {
			files, of = append(files, pages[i].kept), append(of, i)
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	lost, err := e.Files.Keep(ctx, files, put)
	if err != nil {
		return nil, stopping(err)
	}
	for i, err := range lost {
		if err == nil {
			continue
		}
		f := &pages[of[i]]
		f.outcome.Class, f.outcome.Status, f.outcome.Detail = classOf(err), 0, err.Error()
		failed := e.Files.Failed(f.file, f.outcome)
		for j := range f.records {
			f.records[j].Fields = failed.Fields
		}
	}
	return files, nil
}
