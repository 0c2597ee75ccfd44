package crawler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
)

// worker visits one request at a time.
type worker struct {
	engine  *Engine
	fetcher Fetcher
	weight  int64    // what the page in hand holds of the engine's memory
	small   bool     // and that this is of the part for small pages
	said    any      // what its host states, by the verdict that let it go
	counted ticket   // what the rules for traps have counted it as
	visit   visit    // what is known of the page in hand from earlier runs
	file    Transfer // of a request of KindFile
	stop    error    // why the run cannot go on, once it cannot
}

// finished is what a worker hands to the committer: a settled lease, or
// (lease 0) only what fetching a robots.txt cost.
type finished struct {
	lease   uint64
	host    string
	state   HostState
	outcome Outcome
	// elsewhere is a further host whose time was taken, and its state.
	elsewhere      string
	elsewhereState HostState
	left           urls.Key  // of a page that was left to its canonical URL, else zero
	urgent         bool      // a host asks to be left alone, which a crash must not lose
	trap           *trapFind // of an outcome as trapped
	sitemap        bool
	kept           KeptFile // of a file that is complete, or failed
	file           *Request // of KindFile
	note           string   // about a request that must not be sent twice, which its outcome takes back
	found          []Request
	seen           int64 // further links, to what the run has seen
	records        []Record
	rejects        []Record
	tallied        any      // what the tally notes of the page
	joined         bool     // the answer of a batch was taken apart
	unanswered     []Member // the rows that it has nothing for
	given          []int    // how many records each row has, with those of earlier pages
	continued      bool     // a further page answers for the rows
	unjoinable     bool     // it has several pages, which rows cannot be joined to
	known          *Known
	forget         urls.Key // of a page that is known no more
	revisit        RevisitTotals
	rewritten      []string          // keys of records that an earlier run has written
	marks          map[string][]byte // of rows that it gives, by their keys

	entries     []Entry
	requests    int64
	bytes       int64
	unfit       string // why the page gave no record
	outOfScope  int64
	fieldErrors int64
	nearly      bool  // a near-duplicate, whose links were left alone
	size        int64 // estimate of its memory, for the batch's bound
	weight      int64 // what it holds of the engine's memory until it is committed
	small       bool  // and that this is of the part for small pages
}

// serve takes one leased request through politeness, fetch and extraction and
// reports whether it counts as a page. A fault of ours fails this page alone.
func (w *worker) serve(flight context.Context, l *Lease) (page bool) {
	var granted Grant
	defer func() {
		if fault := recover(); fault != nil {
			w.engine.Log.Error("a page failed by a fault in amble",
				"url", l.URL.Redacted(), "fault", fault, "stack", string(debug.Stack()))
			if granted != nil {
				granted.Cancel() // does nothing where it is done
			}
			w.visit = visit{done: true}
			w.settle(l, finished{weight: w.weight, small: w.small}, Outcome{Class: ClassInternal, Detail: fmt.Sprint(fault)})
			page = false
		}
	}()
	e := w.engine
	w.weight, w.small, w.counted, w.visit, w.file = 0, false, ticket{}, visit{ctx: flight}, nil
	if l.Kind == KindFault {
		w.fault(l)
		return false
	}
	if rule, in := e.inScope(&l.Request); !in {
		w.settle(l, finished{}, Outcome{Class: ClassOutOfScope, Detail: rule})
		return false
	}
	if sent, err := w.uncertain(l); err != nil || sent {
		return w.leaveUncertain(l, err)
	}
	if l.Kind == KindFile && w.beginFile(flight, l) {
		return false
	}
	v := e.Politeness.Decide(&l.Request)
	granted = v.Grant
	switch v.Action {
	case Skip:
		e.Frontier.Free(l.ID, v.State)
		entry := v.Entry
		entry.Kind, entry.URL, entry.Host = l.Kind.String(), l.URL.Redacted(), l.Host()
		entry.Method, entry.Call = methodOf(l.Call), l.Call.Digest()
		entry.Withheld, entry.Reason, entry.Start = true, v.Reason, e.Clock.Now()
		f := finished{state: v.State, entries: []Entry{entry}}
		w.settle(l, f, Outcome{Class: v.Class, Detail: v.Reason})
		return false
	case Wait:
		e.Frontier.Free(l.ID, v.State)
		e.Frontier.GiveBack(l.ID)
		return false
	case FetchRobots:
		w.fetchRobots(flight, l, v)
		return false
	}
	w.said, w.visit.stated = v.Said, v.Stated
	counted, trap, err := e.traps.admit(&l.Request)
	w.counted = counted
	switch {
	case err != nil:
		w.stop = trapsLost(err)
		e.Frontier.Free(l.ID, v.Grant.Cancel())
		e.Frontier.GiveBack(l.ID)
		return false
	case trap != nil:
		state := v.Grant.Cancel()
		e.Frontier.Free(l.ID, state)
		w.settle(l, finished{state: state, trap: trap}, Outcome{Class: ClassTrapped, Detail: trap.detail()})
		return false
	}
	due, err := w.due(l)
	if err != nil || !due {
		return w.unasked(l, v.Grant, err)
	}
	return w.fetchPage(flight, l, v.Grant)
}

// leaveUncertain settles a lease whose request an earlier process may have sent.
func (w *worker) leaveUncertain(l *Lease, err error) (page bool) {
	if err != nil {
		w.stop = err
		w.engine.Frontier.GiveBack(l.ID)
		return false
	}
	w.settle(l, finished{}, Outcome{Class: ClassUncertain, Detail: unrepeated(l, "an earlier process ended while it was sent")})
	return false
}

// inScope asks again what was asked when the link was found: the config of a
// resumed run may have changed since. Seeds need no scope, and what is no page of
// the web has none.
func (e *Engine) inScope(r *Request) (rule string, in bool) {
	if r.Kind == KindSitemap || r.Depth == 0 && r.Referrer == (urls.Key{}) || !r.URL.IsHTTP() {
		return "", true
	}
	v := e.Scope.Check(r.URL, int(r.Depth))
	return v.Rule, v.In
}

// fetchPage performs the exchange and settles the lease by its answer.
func (w *worker) fetchPage(flight context.Context, l *Lease, grant Grant) (page bool) {
	e := w.engine
	if f := e.Observer.Leased; f != nil {
		f(&l.Request)
	}
	opt := FetchOptions{Admit: w.admit(l)}
	if l.Kind == KindSitemap {
		opt.MaxBody, opt.Raw = e.set.MaxSitemap, true
	}
	if c := l.Call; c != nil {
		opt.Method, opt.Header, opt.Body = c.Method, c.Header, c.Body
	}
	w.ask(l, &opt)
	w.fileOptions(&opt)
	if w.stop = w.announce(flight, l, true); w.stop != nil {
		w.unsent(l)
		w.lapsed(flight, l, grant, nil)
		return false
	}
	start := e.Clock.Now()
	resp, err := w.fetcher.Fetch(grant.Context(flight), l.URL, opt)
	if errors.Is(err, ErrNotSent) {
		w.stop = w.announce(flight, l, false)
		w.unsent(l)
		w.lapsed(flight, l, grant, err)
		return false
	}
	from := storedIn(resp, err)
	var state HostState
	if from != "" {
		state = grant.Cancel() // it costs the host nothing
		w.unsent(l)
	} else {
		state = grant.Done(resp, err)
		w.observe(l.URL.Redacted(), false, start, resp, err)
	}
	e.Frontier.Free(l.ID, state)
	entry := grant.Entry()
	entry.Kind, entry.URL, entry.Host, entry.Attempt = l.Kind.String(), l.URL.Redacted(), l.Host(), int(l.Attempt)
	entry.Method, entry.Call = methodOf(l.Call), l.Call.Digest()
	f := finished{state: state, weight: w.weight, small: w.small, requests: requestsSent(err), entries: []Entry{sent(entry, resp, err)}}
	f.urgent = asksForTime(&f.entries[0])
	if from != "" {
		f.requests, f.urgent = 0, false
		f.entries[0].unsent(from, start)
	}
	if errors.Is(err, ErrStop) {
		w.stop = err
	}
	if err != nil && (flight.Err() != nil || w.stop != nil) {
		// The run is over before the answer came.
		w.giveUp(l, f)
		return false
	}
	if err != nil {
		w.settle(l, f, w.failure(l, err))
		return false
	}
	e.shortage.over()
	if from == "" {
		f.bytes = resp.Wire
	}
	if w.admitUnasked(flight, l, resp) != nil {
		w.giveUp(l, f)
		return false
	}
	f.weight, f.small = w.weight, w.small
	outcome := w.answer(flight, l, resp, &f)
	if from != "" && outcome.Detail == "" {
		outcome.Detail = "from " + from
	}
	if outcome.Class == ClassExtract && flight.Err() != nil || outcome.Class == "" || w.stop != nil {
		// The run was over before the page was read, which is no fault of it.
		w.giveUp(l, f.accounted())
		return false
	}
	w.settle(l, f, outcome)
	return l.Kind == KindPage && (outcome.Status/100 == 2 || outcome.Class == ClassUnchanged)
}

// answer decides the outcome of a response and reads what it holds into f.
func (w *worker) answer(ctx context.Context, l *Lease, resp *Response, f *finished) Outcome {
	w.visit.resp = resp
	switch {
	case len(resp.Header[HeaderLoggedOut]) > 0:
		return w.loggedOut(l, resp)
	case w.file != nil && w.file.Takes(resp.Status):
		return w.endFile(ctx, l, resp, f)
	case resp.Status == http.StatusNotModified:
		return w.notModified(resp)
	case resp.Location.IsHTTP():
		o := w.redirect(l, resp, f)
		if resp.Status/100 == 2 && o.Class == ClassRedirected {
			// A page that refreshes elsewhere is still a page.
			page := w.extract(ctx, l, resp, f)
			page.Detail = o.Detail
			return page
		}
		return o
	case resp.Status/100 == 2:
		return w.extract(ctx, l, resp, f)
	case resp.Status/100 == 3:
		return Outcome{Class: ClassRedirectBad, Status: resp.Status, Detail: "a redirect without a usable Location"}
	}
	if l.Row != 0 {
		f.unfit = strings.Join(strings.Fields(excerpt(string(resp.Body[:min(len(resp.Body), 1000)]))), " ") // what an API says about it
	}
	if o, split := w.split(l, resp, f); split {
		return o
	}
	return w.refusal(l, resp, f.state)
}

// extract runs the pipeline over a page and turns its links into requests.
func (w *worker) extract(ctx context.Context, l *Lease, resp *Response, f *finished) Outcome {
	e := w.engine
	o := Outcome{Class: ClassFetched, Status: resp.Status}
	if len(f.found) == 0 && w.same(l, resp) { // else it refreshes elsewhere
		w.visit.replayed, o.Class = true, w.visit.known.Class
		return o
	}
	page := NewPage(&l.Request, resp)
	page.Said = w.said
	defer w.fit(ctx, page)()
	var permits PageVerdict
	if e.PagePolicy != nil && l.Kind == KindPage {
		permits = e.PagePolicy.Judge(page)
		o.Detail = permits.Reason
		if permits.Reason != "" {
			f.entries[0].Reason = strings.TrimPrefix(f.entries[0].Reason+"; "+permits.Reason, "; ")
		}
	}
	var r Result
	if err := e.Pipeline.Run(ctx, page, &r); err != nil {
		o.Class, o.Detail = ClassExtract, err.Error()
		if ctx.Err() == nil {
			e.Log.Warn("extraction failed", "url", l.URL.Redacted(), "error", err)
		}
		r.Records, r.Rejects, r.Matched, r.Seeds = nil, nil, nil, nil
		if isBatch(&l.Request) {
			r.Links = slices.DeleteFunc(r.Links, func(l Link) bool { return l.Row != 0 }) // this page answers for the rows
		}
	}
	if c := permits.Canonical; !c.IsZero() && !permits.NoFollow && o.Class == ClassFetched && w.canonical(l, c, f) {
		o.Class, o.Detail = ClassCanonicalElsewhere, "to "+c.Redacted()
		permits.NoRecords = true
	}
	if permits.NoRecords {
		r.Records, r.Errors, r.Rejects, r.Matched = nil, nil, nil, nil
	}
	if permits.NoFollow {
		r.Links = nil
	}
	for i := range r.Records {
		r.Records[i].Run, r.Records[i].Usage = e.run.ID, permits.Usage
		f.size += recordSize(&r.Records[i])
	}
	for i := range r.Rejects {
		rejected := r.Rejects[i].Account()
		rejected.Run, rejected.Usage = e.run.ID, permits.Usage
		f.rejects = append(f.rejects, rejected)
		f.size += recordSize(&rejected)
	}
	if e.Tally != nil && len(r.Matched) > 0 {
		f.tallied = e.Tally.Note(page, &r)
	}
	w.notAsAsked(r.Errors, f)
	f.records = r.Records
	if len(f.records) == 0 && l.Row != 0 {
		f.unfit = cmp.Or(permits.Reason, unfit(resp, &r))
	}
	w.columns(l, f, r.Links)
	if err := w.sow(r.Seeds, f); err != nil {
		w.stop = fmt.Errorf("looking up rows: %w", err)
	}
	others := len(f.found)
	w.follow(l, r.Links, f)
	w.visit.links, w.visit.matched = f.found, r.Matched
	if e.Print != nil && w.visit.known != nil { // it costs more than the rest of a page: only those that change have one
		w.visit.print, w.visit.words, _ = e.Print(page)
	}
	w.compare(page, &r, f, &o, others)
	return o
}

// notAsAsked counts and tells values that were not as asked.
func (w *worker) notAsAsked(problems []RecordError, f *finished) {
	for _, problem := range problems {
		w.engine.Log.Info("a value was not as asked", "error", problem.Error())
		if tell := w.engine.Observer.FieldError; tell != nil {
			tell(problem)
		}
	}
	f.fieldErrors += int64(len(problems))
}

// settle hands the outcome to the committer.
func (w *worker) settle(l *Lease, f finished, o Outcome) {
	w.answerRow(l, &f, &o)
	if !w.remember(l, &f, &o) {
		w.giveUp(l, f.accounted())
		return
	}
	w.answerFile(l, &f, &o)
	w.visit = visit{done: true} // the page's memory is counted no longer than its commit
	o.Lease, o.Key, o.Host = l.ID, l.Key, l.Host()
	f.lease, f.host, f.outcome, f.sitemap, f.note = l.ID, o.Host, o, l.Kind == KindSitemap, l.note()
	if l.Kind == KindFile {
		f.file = &l.Request
	}
	if tell := w.engine.Observer.Settled; tell != nil {
		tell(&l.Request, o, len(f.records))
	}
	if o.Class.Failed() {
		w.engine.Log.Info("no page", "method", l.Method(), "url", l.Shown(), "class", o.Class, "status", o.Status,
			"again", o.Disposition == Retry, "detail", o.Detail)
	}
	w.engine.hand(f)
}
