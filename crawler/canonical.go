package crawler

import (
	"sync"

	"github.com/amblecrawl/amble/crawler/urls"
)

// CanonicalRule says what is done about a page that names another URL as the one
// to know it by (RFC 6596).
type CanonicalRule uint8

const (
	// CanonicalIgnore does nothing.
	CanonicalIgnore CanonicalRule = iota
	// CanonicalFollow follows it like a link, whatever links the crawl follows.
	CanonicalFollow
	// CanonicalOnly does so too, and makes no records of the page itself.
	CanonicalOnly
)

// elsewhere are the pages that were left to their canonical URLs and are not
// committed yet. Two pages may name each other: were both left to the other one,
// neither would give records.
type elsewhere struct {
	mu    sync.Mutex
	pages map[urls.Key]struct{} // no more than are in flight
}

func (s *elsewhere) remove(key urls.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pages, key)
}

// canonical turns a page's canonical URL into a found request within scope, at
// the page's own depth since it is the same page, unless it answers more than a
// plain GET. It reports whether the page is
// left to it.
func (w *worker) canonical(l *Lease, target urls.URL, f *finished) (left bool) {
	e := w.engine
	target = target.WithoutFragment()
	key := e.Canon.Key(target)
	if e.set.Canonical == CanonicalIgnore || l.Call != nil || l.Row != 0 || key == l.Key || target.Fetch() == l.URL.Fetch() {
		return false
	}
	if !e.Scope.Check(target, int(l.Depth)).In {
		f.outOfScope++
		return false
	}
	f.found = append(f.found, Request{URL: target, Key: key, Depth: l.Depth, Priority: l.Priority, Referrer: l.Key, Carry: l.Carry, Types: l.Types})
	f.size += int64(len(target.String())) + requestOverhead
	if e.set.Canonical != CanonicalOnly {
		return false
	}
	e.elsewhere.mu.Lock()
	defer e.elsewhere.mu.Unlock()
	if _, back := e.elsewhere.pages[key]; back || e.fruitless(target, key) {
		return false
	}
	if e.elsewhere.pages == nil {
		e.elsewhere.pages = make(map[urls.Key]struct{})
	}
	e.elsewhere.pages[l.Key], f.left = struct{}{}, l.Key
	return true
}

// fruitless reports whether a URL is known to give no records: it was left to
// another page, led away, or failed.
func (e *Engine) fruitless(u urls.URL, key urls.Key) bool {
	s, err := e.Frontier.Lookup(u.Origin(), key)
	return err != nil || s.State == "settled" && s.Class != ClassFetched
}
