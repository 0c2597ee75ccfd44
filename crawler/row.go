package crawler

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler/urls"
)

// A row of a dataset is a seed that gets an answer whatever becomes of it: the
// records of its page keep the row's values, and a row without any gets a record
// that says why. It is written with the row's outcome, and so exactly once.

// The fields of a row's record that say why nothing else is in it: the class of
// the outcome, and what happened in words.
const (
	FieldError       = "error"
	FieldErrorDetail = "error_detail"
)

// classNoRecord is the error of a row whose page was read and gave no record: an
// API that answered in HTML, or with nothing.
const classNoRecord = "no_record"

// answerPrefix begins the name of a page's field that has the name of a column.
const answerPrefix = "answer_"

// maxRowPages bounds the pages that follow upon the page of one row.
const maxRowPages = 10_000

// maxColumnValues bounds the values that a row's columns have in the records of one
// page: as many as 50,000 records with 100 columns.
const maxColumnValues = 5_000_000

// rowURL stands for the URL of a row that makes no request.
const rowURL = "http://row.invalid/"

// heads reports whether the request is the one that a row stands for, or what that
// was redirected to, and not a page behind it.
func (r *Request) heads() bool { return r.Row != 0 && r.Referrer == (urls.Key{}) }

// Identity is the key that the request's records are known by: that of a row is the
// same in every run, wherever it was redirected to.
func (r *Request) Identity() urls.Key {
	if r.heads() {
		return KeyOf(urls.Key{}, r.Row)
	}
	return r.Key
}

// Shown is the request as people are told of it: its URL, or where the row stands
// that makes none.
func (r *Request) Shown() string {
	if r.Kind == KindFault {
		return r.Requested
	}
	return r.URL.Redacted()
}

// keyOfHop is the key of what a row's request was redirected to. Each hop has its
// own, so that rows which lead to one page each get it, and circles end at MaxHops.
func (r *Request) keyOfHop() urls.Key {
	return KeyOf(KeyOf(r.Key, r.Row), uint64(r.Hops)+1)
}

// request makes a seed a request of the run.
func (s *Seed) request(e *Engine) Request {
	r := Request{URL: s.URL.WithoutFragment(), Kind: s.Kind, Carry: s.Carry, Types: s.Types, Row: s.Row}
	if s.Fault != nil {
		r.URL, _ = urls.Parse(rowURL)
		r.Kind, r.Call, r.Requested = KindFault, nil, s.Place
		r.Carry = withFault(s.Carry, s.Fault.Error())
	} else if !s.Call.Plain() {
		r.Call = s.Call
		if s.Idempotent {
			call := *s.Call
			if call.Header, call.Repeat = call.Header.Clone(), true; call.Header == nil {
				call.Header = http.Header{}
			}
			call.Header.Set("Idempotency-Key", idempotencyKey(e.run.ID, s.Row))
			r.Call = &call
		}
	}
	r.Key = KeyOf(KeyOf(e.Canon.Key(r.URL), r.Call.Digest()), r.Row)
	if len(s.Members) > 0 {
		r.Carry = carryMembers(s.Batch, s.Members)
	}
	if r.Row != 0 { // one request, whatever the row holds when it is read again
		r.Key = KeyOf(urls.Key{}, r.Row)
	}
	if r.Kind == KindFile {
		r.Key = FileKey(r.Key)
	}
	return r
}

// MaxFault bounds what is kept of the reason why a row makes no request.
const MaxFault = 1000

// withFault are the values that a row's record can have, and the reason why it has no
// other, which names those that are left out.
func withFault(fields []Field, fault string) []Field {
	var kept []Field
	var left []string
	for room, i := MaxRow, 0; i < len(fields); i++ {
		size := SizeOfValues(fields[i : i+1])
		if size > room {
			left = append(left, firstBytes(fields[i].Name, 40))
			continue
		}
		room -= size
		kept = append(kept, fields[i])
	}
	note := ""
	if n := len(left); n > 0 {
		note = "; left out here: " + strings.Join(left[:min(n, 5)], ", ")
		if n > 5 {
			note += fmt.Sprintf(" and %d more", n-5)
		}
	}
	return append(kept, Field{Name: FieldErrorDetail, Value: firstBytes(fault, MaxFault-len(note)) + note})
}

// idempotencyKey is the same for a row throughout a run, in the form of a UUID
// (RFC 9562 version 8), which most servers ask for.
func idempotencyKey(run string, row uint64) string {
	h := xxh3.HashString128Seed(run, row).Bytes()
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i, c := range h {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b.WriteByte('-')
		}
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// columns gives the records of a row's pages the row's values.
func (w *worker) columns(l *Lease, f *finished, links []Link) {
	if l.Row == 0 {
		return
	}
	if rule, members := l.members(); members != nil {
		w.join(l, f, rule, members, slices.ContainsFunc(links, func(l Link) bool { return l.Row != 0 }))
		return
	}
	if most := max(1, maxColumnValues/max(1, len(l.Carry))); len(f.records) > most {
		left := len(f.records) - most
		w.engine.Log.Warn("an answer has more records than its row, of so many columns, can have", "url", l.Shown(), "columns", len(l.Carry), "records", len(f.records), "left_out", left)
		f.fieldErrors += int64(left)
		f.records = f.records[:most]
	}
	for i := range f.records {
		r := &f.records[i]
		r.Fields = withColumns(l.Carry, r.Fields)
	}
	f.size += int64(len(f.records)) * fieldsSize(l.Carry)
}

// withColumns puts a row's values before the fields of a page. Names of columns
// stay, so that rows can be joined by them; a field of the page that has one is
// renamed.
func withColumns(columns, fields []Field) []Field {
	all := append(make([]Field, 0, len(columns)+len(fields)), columns...)
	for _, f := range fields {
		for slices.ContainsFunc(all, func(c Field) bool { return c.Name == f.Name }) {
			f.Name = answerPrefix + f.Name
		}
		all = append(all, f)
	}
	return all
}

// answerRow gives a row its record where its outcome leaves it without, and each
// row of a batch.
func (w *worker) answerRow(l *Lease, f *finished, o *Outcome) {
	if !l.answersRows() || o.Disposition != Done || len(l.Types) == 0 {
		return
	}
	if f.continued {
		return // by the last page
	}
	_, members := l.members()
	batch := members != nil
	if given := l.handed(); given != nil {
		members = without(members, given)
	}
	reason, detail := string(o.Class), o.Detail
	switch {
	case o.Class == ClassRedirected && len(f.found) > 0, o.Class == ClassSplit, !batch && len(f.records) > 0:
		return
	case o.Class == ClassRedirected:
		reason = string(ClassOutOfScope)
	case o.Class == ClassFetched:
		reason = classNoRecord
		detail = cmp.Or(f.unfit, detail)
	case f.unfit != "" && o.Status >= 400:
		detail += ": " + f.unfit
	}
	if f.joined {
		members = f.unanswered
	}
	for _, m := range members {
		w.answerOne(l, f, m, reason, detail)
	}
	if batch {
		return
	}
	fields := l.Carry
	if n := len(fields); l.Kind == KindFault && n > 0 {
		fields = fields[:n-1] // the last one is the reason
	}
	w.answerOne(l, f, Member{Row: l.Row, Fields: fields}, reason, detail)
}

// answerOne writes that a row has nothing else.
func (w *worker) answerOne(l *Lease, f *finished, m Member, reason, detail string) {
	r := Record{
		Type: l.Types[0], Run: w.engine.run.ID, FetchedAt: w.engine.Clock.Now().UTC(),
		Fields: withColumns(m.Fields, []Field{{FieldError, reason}, {FieldErrorDetail, w.engine.hide(detail)}}),
		Key:    RecordKey(l.Types[0], KeyOf(urls.Key{}, m.Row), 0),
		Failed: true,
	}
	if l.Kind != KindFault {
		r.URL, r.Requested = w.engine.hide(l.URL.Redacted()), w.engine.hide(l.Origin())
	}
	f.records = append(f.records, r)
	f.size += recordSize(&r)
}

// fault settles a row that makes no request.
func (w *worker) fault(l *Lease) {
	detail := ""
	if n := len(l.Carry); n > 0 {
		detail, _ = l.Carry[n-1].Value.(string)
	}
	w.engine.Frontier.Free(l.ID, HostState{Concurrency: w.engine.set.Workers})
	w.settle(l, finished{}, Outcome{Class: ClassBadRow, Detail: detail})
}

// firstBytes keeps the first bytes of a text, whole characters only.
func firstBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// hide keeps what is secret out of what is written.
func (e *Engine) hide(text string) string {
	if e.Hide == nil {
		return text
	}
	return e.Hide(text)
}

// unfit says why an answer gave no record.
func unfit(resp *Response, r *Result) string {
	if len(r.Errors) > 0 {
		return r.Errors[0].Place() + ": " + r.Errors[0].Err.Error()
	}
	return "the answer, of type " + cmp.Or(resp.MediaType, "unknown") + ", gave no record"
}

// recordTypes are those of the pipeline, with the columns of rows.
func (e *Engine) recordTypes() []RecordType {
	types := slices.Clone(e.Pipeline.Types())
	if e.Files != nil {
		types = append(types, e.Files.Type())
	}
	for i := range types {
		for _, rows := range e.Rows {
			t := &types[i]
			if rows.Name != t.Name {
				continue
			}
			if rows.Fields == nil || t.Fields == nil {
				t.Fields = nil
				continue
			}
			t.Fields = joinNames(rows.Fields, t.Fields)
		}
	}
	if e.Aggregate != nil {
		types = append(types, e.Aggregate.Types()...)
	}
	return types
}

// joinNames are the names that withColumns gives to fields, and those of errors.
func joinNames(columns, fields []string) []string {
	named := func(names []string) (list []Field) {
		for _, n := range names {
			list = append(list, Field{Name: n})
		}
		return list
	}
	var all []string
	for _, f := range withColumns(named(columns), named(append(slices.Clone(fields), FieldError, FieldErrorDetail))) {
		all = append(all, f.Name)
	}
	return all
}
