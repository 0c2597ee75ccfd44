package crawler

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler/urls"
)

// visit is what a worker knows of the page in hand from earlier runs, and gathers of
// it for later ones.
type visit struct {
	ctx      context.Context // of the flight: bounds the wait for memory
	done     bool            // nothing is to be kept of this visit
	recalled bool
	known    *Known
	contents *Contents // of known, once loaded
	replayed bool      // known's contents stand for the answer
	asked    bool      // the request had a condition
	why      string    // it is not due

	stated  uint64
	resp    *Response // the last answer
	links   []Request // found on the page, before any were cut
	matched []string
	print   uint64 // of its text
	words   int
}

// remembers tells whether pages such as this one are known over runs: those that a
// plain GET of the web asks for. What rows, forms and queries ask for is always new.
func (e *Engine) remembers(r *Request) bool {
	return e.set.Revisit.On && r.Call == nil && r.Row == 0 && r.Kind != KindFault && r.Kind != KindFile && r.URL.IsHTTP()
}

// recall looks up the page in hand, once.
func (w *worker) recall(l *Lease) error {
	v := &w.visit
	if v.recalled || !w.engine.remembers(&l.Request) {
		return nil
	}
	var err error
	if v.known, err = w.engine.Frontier.Recall(l.Key); err != nil {
		return fmt.Errorf("looking up what is known of a page: %w", err)
	}
	v.recalled = true
	return nil
}

// size is that of what is known of the page.
func (v *visit) size() int64 {
	if v.known == nil {
		return 0
	}
	return v.known.Size
}

// load reads what the known page gave, within the memory of pages; false means that
// the run ends.
func (w *worker) load(l *Lease, f *finished, links Links) bool {
	v := &w.visit
	if v.contents != nil {
		return true
	}
	if w.weight == 0 {
		if w.hold(v.ctx, w.engine.weigh(Arrived{Size: v.size()}, 0)) != nil {
			return false
		}
		f.weight, f.small = w.weight, w.small
	}
	var err error
	if v.contents, err = w.engine.Frontier.Contents(l.Key, links); err != nil {
		w.stop = fmt.Errorf("reading what is known of a page: %w", err)
	}
	return err == nil && v.contents != nil
}

// due tells whether the page in hand is to be asked for.
func (w *worker) due(l *Lease) (bool, error) {
	if err := w.recall(l); err != nil {
		return false, err
	}
	v := &w.visit
	if v.known == nil || !w.fresh(l) {
		return true, nil
	}
	d := w.engine.set.Revisit.Due(v.known, l.URL, l.Modified, w.engine.Clock.Now())
	v.why = d.Why
	if !d.At.IsZero() {
		v.why = "not before " + d.At.UTC().Format(time.RFC3339) + ": " + d.Why
	}
	return d.Now, nil
}

// fresh tells whether what the page gave is what it would give today, if its body is
// still the same.
func (w *worker) fresh(l *Lease) bool {
	k, rules := w.visit.known, &w.engine.set.Revisit
	return k.Whole && k.Rules == rules.Sum && k.Stated == w.visit.stated && k.Given == givenSum(&l.Request) &&
		k.Request.Kind == l.Kind && k.Request.URL.Fetch() == l.URL.Fetch() && (!rules.Depth || k.Request.Depth == l.Depth)
}

// unasked settles a page that is not due, whose grant is not used.
func (w *worker) unasked(l *Lease, grant Grant, err error) (page bool) {
	state := grant.Cancel()
	w.engine.Frontier.Free(l.ID, state)
	if err != nil {
		w.stop = err
		w.engine.Frontier.GiveBack(l.ID)
		return false
	}
	w.settle(l, finished{state: state}, Outcome{Class: ClassNotDue, Detail: w.visit.why})
	return l.Kind == KindPage
}

// ask makes the request a conditional one (RFC 9110 section 13.1) where the answer
// that nothing has changed is of use.
func (w *worker) ask(l *Lease, opt *FetchOptions) {
	v := &w.visit
	if v.known == nil {
		return
	}
	if !w.fresh(l) || v.known.Class == ClassRedirected {
		return
	}
	header := http.Header{}
	if v.known.ETag != "" {
		header.Set("If-None-Match", v.known.ETag)
	}
	if v.known.LastModified != "" {
		header.Set("If-Modified-Since", v.known.LastModified)
	}
	if v.asked = len(header) > 0; v.asked {
		opt.Header = header
	}
}

// notModified is the outcome of a 304 (RFC 9110 section 15.4.5).
func (w *worker) notModified(resp *Response) Outcome {
	if !w.visit.asked {
		return Outcome{Class: ClassProtocol, Status: resp.Status, Detail: "not modified, though the request had no condition"}
	}
	return Outcome{Class: ClassUnchanged, Status: resp.Status}
}

// same tells whether an answer is what it was at the last visit.
func (w *worker) same(l *Lease, resp *Response) bool {
	k := w.visit.known
	return k != nil && k.Class != ClassRedirected && w.fresh(l) &&
		k.Hash == hashOf(resp) && k.Headers == headersSum(resp.Header)
}

// remember does what the outcome of a page asks for by what is known of it. false
// means that the page cannot be settled, since the run ends.
func (w *worker) remember(l *Lease, f *finished, o *Outcome) bool {
	v := &w.visit
	if v.done || o.Disposition != Done || !w.engine.remembers(&l.Request) {
		return true
	}
	if err := w.recall(l); err != nil {
		w.stop = err
		return false
	}
	switch {
	case v.replayed, v.known != nil && (o.Class == ClassUnchanged || o.Class == ClassNotDue):
		return w.unchanged(l, f, o)
	case o.Class == ClassFetched, o.Class == ClassCanonicalElsewhere, o.Class == ClassRedirected:
		return w.learn(l, f, o)
	case v.known == nil:
		return true
	case o.Class == ClassOutOfScope, o.Status == http.StatusNotFound, o.Status == http.StatusGone:
		return w.lose(l, f)
	}
	// It was not had, which says nothing of it.
	f.revisit.Kept++
	return w.replay(l, f, o)
}

// unchanged keeps a page as it is.
func (w *worker) unchanged(l *Lease, f *finished, o *Outcome) bool {
	v := &w.visit
	if !w.replay(l, f, o) {
		return false
	}
	if o.Class == ClassNotDue {
		f.revisit.NotDue++
		return true
	}
	f.revisit.Unchanged++
	k := *v.known
	k.visited(w.engine.Clock.Now(), false, l.Modified)
	k.found(&l.Request)
	if v.replayed {
		k.Fetched = v.resp.FetchedAt
	}
	k.validators(v.resp)
	f.known = &k
	return true
}

// found notes how the page was found.
func (k *Known) found(r *Request) {
	if r.Unlinked {
		return
	}
	k.Seed = r.Depth == 0 && r.Referrer == (urls.Key{}) && r.Requested == ""
	k.Request = *r
	k.Request.Referrer, k.Request.Attempt, k.Request.Modified = urls.Key{}, 0, time.Time{}
}

// replay gives the page in hand what the known one gave.
func (w *worker) replay(l *Lease, f *finished, o *Outcome) bool {
	v := &w.visit
	links := UnseenLinks
	if v.known.Words > 0 {
		links = AllLinks // the rules for traps look at them, see comparePrint
	}
	if !w.load(l, f, links) {
		return false
	}
	f.seen += int64(v.contents.Seen)
	if l.Unlinked {
		f.revisit.Unlinked++
	}
	f.outOfScope += v.known.OutOfScope
	others := len(f.found)
	f.found = slices.Grow(f.found, len(v.contents.Links))
	for i := range v.contents.Links {
		r := again(&l.Request, v.contents.Links[i])
		if r.Requested != "" || r.Depth == l.Depth && l.Kind == KindPage {
			others++ // it is no link, but where the page itself is
		}
		f.found = append(f.found, r)
		f.size += int64(len(r.URL.String())) + requestOverhead + r.heldSize()
	}
	result := Result{Records: v.contents.Records, Matched: v.contents.Matched}
	if o.Class != ClassExtract { // which has told of itself
		w.replayRecords(l, f, &result)
	}
	if o.Class.Failed() || o.Class == ClassDisallowed || o.Class == ClassTrapped {
		return true
	}
	w.comparePrint(&l.Request, &result, f, o, others, func() (uint64, int, bool) { return v.known.Print, v.known.Words, v.known.Words > 0 })
	return w.stop == nil
}

// replayRecords writes the records of the known page once more where a run writes
// all, and counts them like those of any page.
func (w *worker) replayRecords(l *Lease, f *finished, result *Result) {
	e, v := w.engine, &w.visit
	for i := range v.contents.Records {
		r := &v.contents.Records[i]
		r.Run, r.FetchedAt = e.run.ID, v.known.Fetched.UTC()
		if v.replayed {
			r.FetchedAt = v.resp.FetchedAt.UTC()
		}
		if v.known.Request.URL.Fetch() == l.URL.Fetch() {
			r.Requested = e.hide(l.Origin())
		}
		if e.changes && !e.rewrites.has(l.Key, r.Key) {
			continue
		}
		f.records = append(f.records, *r)
		f.size += recordSize(r)
		if e.changes {
			f.rewritten = append(f.rewritten, r.Key)
		}
	}
	for _, r := range v.contents.Rejects {
		r.Run = e.run.ID
		f.rejects = append(f.rejects, r)
		f.size += recordSize(&r)
		result.Rejects = append(result.Rejects, Reject{Record: Record{Type: r.Type}})
	}
	if e.Tally != nil && len(result.Matched) > 0 && f.tallied == nil {
		f.tallied = e.Tally.Note(&Page{Request: &l.Request, URL: l.URL}, result)
	}
}

// again is a link of the known page as the page leads to it in this run.
func again(page *Request, link Request) Request {
	if page.Kind != KindSitemap || link.Kind == KindSitemap {
		link.Depth = uint16(min(int(page.Depth)+int(link.Depth), 1<<16-1))
	}
	link.Referrer = page.Key
	if link.Requested != "" {
		link.Referrer, link.Requested, link.Hops = page.Referrer, page.Origin(), page.Hops+1
	}
	if link.Through > 0 {
		link.Through = page.Through + min(1, 255-page.Through)
	}
	return link
}

// lose forgets a page that is gone, and takes its records away.
func (w *worker) lose(l *Lease, f *finished) bool {
	if !w.load(l, f, NoLinks) {
		return false
	}
	w.engine.bury(f, l.Key, w.visit.contents)
	if l.Unlinked {
		f.revisit.Unlinked++
	}
	return true
}

// bury has a page forgotten and gives tombstones to its records.
func (e *Engine) bury(f *finished, key urls.Key, c *Contents) {
	f.forget = key
	f.revisit.Gone++
	f.revisit.RecordsDeleted += int64(len(c.Records))
	if e.changes {
		for i := range c.Records {
			f.delete(e, &c.Records[i])
		}
	}
}

// delete adds a tombstone.
func (f *finished) delete(e *Engine, r *Record) {
	f.records = append(f.records, Record{
		Type: r.Type, URL: r.URL, Requested: r.Requested, Key: r.Key, FetchedAt: e.Clock.Now().UTC(), Run: e.run.ID, Deleted: true,
	})
	f.rewritten = append(f.rewritten, r.Key)
	f.size += recordSize(r)
}

// hashOf is the sum of what a response says: of its decoded body, or of where it
// leads to.
func hashOf(resp *Response) [16]byte {
	if resp.Status/100 == 3 {
		return xxh3.HashString128(resp.Location.Fetch()).Bytes()
	}
	return xxh3.Hash128(resp.Body).Bytes()
}

// givenSum is a sum of what a link gave along, 0 for nothing.
func givenSum(r *Request) uint64 {
	if len(r.Carry) == 0 && len(r.Types) == 0 {
		return 0
	}
	h := xxh3.New()
	_, _ = fmt.Fprintf(h, "%q %#v", r.Types, r.Carry) // never fails
	return h.Sum64()
}

// spoken are the header fields, beside the body, that decide on what a page gives.
var spoken = []string{
	"Content-Type", "Link", "X-Robots-Tag", "Content-Usage", "Content-Signal", "Tdm-Reservation", "Tdm-Policy", "Refresh", "License",
}

func headersSum(h http.Header) uint64 {
	sum := xxh3.New()
	for i, name := range spoken {
		for _, v := range h[name] {
			_, _ = fmt.Fprintf(sum, "%d %q", i, v) // never fails
		}
	}
	return sum.Sum64()
}
