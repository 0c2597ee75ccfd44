package crawler

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/amblecrawl/amble/crawler/urls"
)

const (
	// maxKept bounds what is kept of what a page gave, in bytes as estimated. Of a
	// page beyond it the records' names are kept alone.
	maxKept = 8 << 20
	// maxValidator bounds an ETag or Last-Modified.
	maxValidator = 512
	// maxKeptDepth bounds values within each other.
	maxKeptDepth = 16
	// nearText is the distance of two prints up to which two texts are one.
	nearText = 3
)

// learn keeps what the page in hand gave, and tells it from what it gave before.
func (w *worker) learn(l *Lease, f *finished, o *Outcome) bool {
	e, v := w.engine, &w.visit
	before := &Contents{}
	if v.known != nil {
		if !w.load(l, f, AllLinks) {
			return false
		}
		before = v.contents
	}
	if v.links == nil {
		v.links = f.found
	}
	now := e.Clock.Now()
	k := Known{
		Class: o.Class, Hash: hashOf(v.resp), Print: v.print, Words: v.words, Rules: e.set.Revisit.Sum, Stated: v.stated,
		Headers: headersSum(v.resp.Header), Given: givenSum(&l.Request), FirstSeen: now, Changed: now, Visited: now,
		Fetched: v.resp.FetchedAt, OutOfScope: f.outOfScope,
	}
	k.found(&l.Request)
	k.Contents, k.Whole = kept(&Contents{Links: v.links, Records: f.records, Rejects: f.rejects, Matched: v.matched})
	diff := compareRecords(before.Records, f.records)
	k.compare(v.known, f, l, &diff, before, now)
	k.validators(v.resp)
	f.known = &k
	f.size += keptOverhead
	if e.changes {
		w.onlyChanges(l, f, &diff)
	}
	return true
}

// keptOverhead is about what a known page takes beside what it gave.
const keptOverhead = 512

// compare carries on the history of a page that was known, and counts what became of
// it.
func (k *Known) compare(old *Known, f *finished, l *Lease, diff *recordDiff, before *Contents, now time.Time) {
	f.revisit.RecordsNew += int64(len(diff.added))
	if old == nil {
		if l.Unlinked {
			k.Request = l.Request
		}
		f.revisit.New++
		return
	}
	f.revisit.RecordsChanged += int64(len(diff.changed))
	f.revisit.RecordsDeleted += int64(len(diff.deleted))
	if l.Unlinked {
		f.revisit.Unlinked++
		k.Request, k.Seed = old.Request, old.Seed
	}
	k.FirstSeen, k.Changed, k.Visited = old.FirstSeen, old.Changed, old.Visited
	k.Visits, k.Changes, k.Watched, k.Doubts = old.Visits, old.Changes, old.Watched, old.Doubts
	if old.Hash == k.Hash && old.Class == k.Class {
		f.revisit.Unchanged++
		k.visited(now, false, l.Modified)
		return
	}
	f.revisit.Changed++
	// A body that differs in what nobody asked for, such as a token, is no reason to
	// come back sooner.
	near := old.Words > 0 && k.Words > 0 && bits.OnesCount64(old.Print^k.Print) <= nearText
	idle := near && diff.none() && old.Class == k.Class && sameLinks(before.Links, k.Contents.Links)
	k.visited(now, !idle, l.Modified)
}

// validators keeps those of a response, where they are good for a request.
func (k *Known) validators(resp *Response) {
	if resp == nil {
		return
	}
	fit := func(s string) bool { return s != "" && len(s) <= maxValidator && httpguts.ValidHeaderFieldValue(s) }
	if tag := resp.Header.Get("Etag"); fit(tag) {
		k.ETag = tag
	} else if resp.Status != http.StatusNotModified {
		k.ETag = ""
	}
	modified := resp.Header.Get("Last-Modified")
	if modified == "" && resp.Status == http.StatusNotModified {
		return
	}
	k.LastModified = ""
	at, err := http.ParseTime(modified)
	if err != nil || !fit(modified) {
		return
	}
	// The page may have changed again within the second that it names (RFC 9110
	// section 8.8.2.2).
	sent, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		sent = resp.FetchedAt
	}
	if sent.Sub(at) >= time.Second {
		k.LastModified = modified
	}
}

// kept is what can be kept of what a page gave; whole tells that it is all.
func kept(c *Contents) (_ *Contents, whole bool) {
	size := int64(0)
	whole = true
	for i := range c.Links {
		size += int64(len(c.Links[i].URL.String())) + c.Links[i].heldSize() + 32
		whole = whole && keepableFields(c.Links[i].Carry, 0)
	}
	for _, list := range [][]Record{c.Records, c.Rejects} {
		for i := range list {
			size += recordSize(&list[i])
			whole = whole && keepableFields(list[i].Fields, 0)
		}
	}
	if whole && size <= maxKept {
		return c, true
	}
	names := &Contents{}
	for _, r := range c.Records {
		names.Records = append(names.Records, Record{Type: r.Type, Key: r.Key, URL: r.URL, Requested: r.Requested})
	}
	return names, false
}

func keepableFields(fields []Field, depth int) bool {
	for i := range fields {
		if !keepable(fields[i].Value, depth) {
			return false
		}
	}
	return true
}

// keepable tells whether a value comes back as it was.
func keepable(v any, depth int) bool {
	switch v := v.(type) {
	case nil, bool, string, int64, float64, json.RawMessage:
		return true
	case []any:
		return depth < maxKeptDepth && !slices.ContainsFunc(v, func(item any) bool { return !keepable(item, depth+1) })
	case []Field:
		return depth < maxKeptDepth && keepableFields(v, depth+1)
	}
	return false
}

// recordDiff is what became of a page's records, by their keys.
type recordDiff struct {
	added, changed map[string]bool
	deleted        []*Record
}

func (d *recordDiff) none() bool { return len(d.added)+len(d.changed)+len(d.deleted) == 0 }

func compareRecords(before, now []Record) recordDiff {
	d := recordDiff{added: map[string]bool{}, changed: map[string]bool{}}
	old := make(map[string]*Record, len(before))
	for i := range before {
		old[before[i].Key] = &before[i]
	}
	for i := range now {
		r := &now[i]
		switch was := old[r.Key]; {
		case was == nil:
			d.added[r.Key] = true
		case !sameRecord(was, r):
			d.changed[r.Key] = true
		}
		delete(old, r.Key)
	}
	for i := range before {
		if old[before[i].Key] == &before[i] {
			d.deleted = append(d.deleted, &before[i])
		}
	}
	return d
}

func sameRecord(a, b *Record) bool {
	return a.Type == b.Type && a.Usage == b.Usage && a.URL == b.URL && sameFields(a.Fields, b.Fields)
}

func sameFields(a, b []Field) bool {
	return slices.EqualFunc(a, b, func(a, b Field) bool { return a.Name == b.Name && sameValue(a.Value, b.Value) })
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	case []Field:
		b, ok := b.([]Field)
		return ok && sameFields(a, b)
	case json.RawMessage:
		b, ok := b.(json.RawMessage)
		return ok && bytes.Equal(a, b)
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || a != a && b != b)
	case nil, bool, string, int64:
		return a == b
	}
	return false // what a plugin handed over by mistake
}

// sameLinks tells whether two pages lead to the same pages.
func sameLinks(a, b []Request) bool {
	keys := func(list []Request) map[urls.Key]bool {
		set := make(map[urls.Key]bool, len(list))
		for i := range list {
			set[list[i].Key] = true
		}
		return set
	}
	of, in := keys(a), keys(b)
	for key := range of {
		if !in[key] {
			return false
		}
	}
	return len(of) == len(in)
}

// onlyChanges leaves the records to be written that an earlier run has not written
// so, and adds tombstones.
func (w *worker) onlyChanges(l *Lease, f *finished, diff *recordDiff) {
	e := w.engine
	changed := make([]Record, 0, len(diff.added)+len(diff.changed)+len(diff.deleted))
	for i := range f.records {
		r := &f.records[i]
		written := !diff.added[r.Key] // by an earlier run
		if written && !diff.changed[r.Key] && !e.rewrites.has(l.Key, r.Key) {
			continue
		}
		if written {
			f.rewritten = append(f.rewritten, r.Key)
		}
		changed = append(changed, *r)
	}
	f.records = changed
	for _, r := range diff.deleted {
		f.delete(e, r)
	}
}
