package crawler

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"sync"

	"github.com/amblecrawl/amble/crawler/urls"
)

// keyTraps, followed by a host, is where hostTraps are kept.
const keyTraps = "traps/"

// maxTrapHosts bounds the hosts whose counts are in memory; the others are read
// again. Hosts with counts not yet committed stay: as many at most as pages are
// in flight or in a batch.
const maxTrapHosts = 512

// traps applies the rules to what is leased, and learns from what is read. The
// counts of a host are written with the batch of its pages. What a crash takes
// with it are counts of pages that are requested again.
type traps struct {
	rules TrapRules
	canon *urls.Canon
	state Frontier

	mu    sync.Mutex
	hosts map[string]*hostTraps
	// dirty are the hosts whose counts are not committed, each with the number
	// of its last change.
	dirty   map[string]uint64
	changes uint64
}

func newTraps(rules TrapRules, canon *urls.Canon, state Frontier) *traps {
	return &traps{rules: rules, canon: canon, state: state, hosts: map[string]*hostTraps{}, dirty: map[string]uint64{}}
}

// ticket is what one admitted page was counted as, so that it can be taken back.
type ticket struct{ host, path, pattern string }

// admit counts a request that is about to be made, or tells what it is trapped
// in. Seeds and what sitemaps list are meant to be fetched, and what was tried
// before was admitted before. The pages of a row have a bound of their own.
func (t *traps) admit(r *Request) (tk ticket, find *trapFind, err error) {
	if r.Depth == 0 || r.Kind != KindPage || r.Attempt > 0 || r.Row != 0 {
		return tk, nil, nil
	}
	if find = t.rules.circles(r.URL); find != nil {
		return tk, find, nil
	}
	tk = t.kept(r)
	if tk.path == "" && tk.pattern == "" {
		return tk, nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.host(tk.host)
	if err != nil {
		return tk, nil, err
	}
	var path *pathCount
	if tk.path != "" {
		path = h.path(tk.path)
		_, names := t.canon.ParamNames(r.URL)
		path.note(names)
		find = t.rules.facets(path)
	}
	if find == nil && tk.pattern != "" {
		p := h.pattern(tk.pattern)
		if find = t.rules.through(p); find == nil {
			p.Pages++
		}
	}
	if find == nil && path != nil {
		path.Pages++
	}
	t.changed(tk.host)
	return tk, find, nil
}

// kept tells what is kept of a request: the path of several parameters, and the
// pattern where it is reached through itself.
func (t *traps) kept(r *Request) (tk ticket) {
	if !r.URL.IsHTTP() {
		return tk // the config alone says what there is of it
	}
	if t.rules.Facets > 0 && r.URL.Query() != "" {
		if path, names := t.canon.ParamNames(r.URL); len(names) > 1 {
			tk.path = path
		}
	}
	if t.rules.Stale > 0 || t.rules.Pattern > 0 {
		if r.Through >= throughFrom || r.Depth >= deepFrom {
			if pattern, general := t.canon.Generalise(r.URL); general {
				tk.pattern = pattern
			}
		}
	}
	if tk != (ticket{}) {
		tk.host = r.Host()
	}
	return tk
}

// withdraw takes back what admit has counted: nothing was requested.
func (t *traps) withdraw(tk ticket) {
	if tk == (ticket{}) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.host(tk.host)
	if err != nil {
		return // the next commit meets the same failure
	}
	if tk.path != "" {
		p := h.path(tk.path)
		p.Pages = max(0, p.Pages-1)
	}
	if tk.pattern != "" {
		p := h.pattern(tk.pattern)
		p.Pages = max(0, p.Pages-1)
	}
	t.changed(tk.host)
}

// host gives what is known of a host. t.mu is held.
func (t *traps) host(name string) (*hostTraps, error) {
	if h := t.hosts[name]; h != nil {
		return h, nil
	}
	h := &hostTraps{}
	if _, err := getJSON(t.state, keyTraps+name, h); err != nil {
		return nil, err
	}
	for old := range t.hosts {
		if len(t.hosts) < maxTrapHosts {
			break
		}
		if t.dirty[old] == 0 {
			delete(t.hosts, old)
		}
	}
	t.hosts[name] = h
	return h, nil
}

// changed marks a host's counts as not committed. t.mu is held.
func (t *traps) changed(host string) {
	t.changes++
	t.dirty[host] = t.changes
}

// put adds what has changed to a batch; committed is called when it is durable.
func (t *traps) put(put map[string][]byte) (committed func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for host := range t.dirty {
		if put[keyTraps+host], err = json.Marshal(t.hosts[host]); err != nil {
			return nil, fmt.Errorf("writing the trap counts of %s: %w", host, err)
		}
	}
	written := maps.Clone(t.dirty)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		maps.DeleteFunc(t.dirty, func(host string, change uint64) bool { return written[host] == change })
	}, nil
}

// readPage is what the rules are told of a page that was read.
type readPage struct {
	request *Request
	result  *Result
	found   []Request // its links in scope
	print   uint64
	words   int
}

// learn tells a pattern's counts whether a page of it said something new: a
// text unlike the last ones, a record of a type that only chosen pages have, or
// a link to an unknown page of another pattern.
func (t *traps) learn(pattern string, p *readPage) error {
	t.mu.Lock()
	h, err := t.host(p.request.Host())
	if err != nil {
		t.mu.Unlock()
		return err
	}
	t.changed(p.request.Host())
	c := h.pattern(pattern)
	if !c.Text.near(p.print) {
		c.Text.add(p.print)
		c.Same, c.Stale = 0, 0
		t.mu.Unlock()
		return nil
	}
	c.Same++
	fresh := slices.ContainsFunc(p.result.Records, func(r Record) bool { return slices.Contains(t.rules.News, r.Type) })
	var others []Request
	if !fresh {
		others = t.others(h, pattern, p)
	}
	t.mu.Unlock()
	for i := range others {
		if fresh {
			break
		}
		standing, err := t.state.Lookup(others[i].Host(), others[i].Key)
		if err != nil {
			return err
		}
		fresh = standing.State == "unknown"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, err = t.host(p.request.Host()); err != nil {
		return err
	}
	if c = h.pattern(pattern); fresh {
		c.Stale = 0
	} else {
		c.Stale++
	}
	return nil
}

// maxAsked bounds the links that are looked up for one page.
const maxAsked = 64

// others are the links to pages of other patterns, but for those whose pages
// have long had nothing new to say themselves. t.mu is held.
func (t *traps) others(h *hostTraps, pattern string, p *readPage) []Request {
	var others []Request
	for i := range p.found {
		r := &p.found[i]
		if len(others) == maxAsked {
			break
		}
		if r.Through > 0 { // of the page's own pattern
			continue
		}
		if r.Host() == p.request.Host() {
			other, _ := t.canon.Generalise(r.URL)
			if c := h.known(other); other == pattern || c != nil && c.Same >= sameEnough {
				continue
			}
		}
		others = append(others, *r)
	}
	return others
}

// repeated tells whether a page is nearly one before it, and remembers it.
func (t *traps) repeated(p *readPage) (bool, error) {
	if p.words < fewWords {
		return false, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.host(p.request.Host())
	if err != nil {
		return false, err
	}
	// A page that a crash made us read again is no duplicate of itself.
	key := binary.BigEndian.Uint64(p.request.Key[:8])
	if slices.ContainsFunc(h.Seen, func(s seenText) bool { return s.Key != key && distance(s.Print, p.print) <= similar }) {
		return p.request.Depth > 0, nil
	}
	if len(h.Seen) >= maxPrints {
		h.Seen = slices.Delete(h.Seen, 0, 1)
	}
	h.Seen = append(h.Seen, seenText{Print: p.print, Key: key})
	t.changed(p.request.Host())
	return false, nil
}

func distance(a, b uint64) int { return bits.OnesCount64(a ^ b) }

// alike tells which URLs are of a request's own pattern.
type alike struct {
	canon   *urls.Canon
	request *Request
	pattern string // general; "" when there is no other URL of it
	prefix  string // of the pattern, up to its first part that varies
}

// alike looks at the pattern only where traps are looked for, and pages lead on.
func (t *traps) alike(r *Request) alike {
	if t.rules.Stale <= 0 && t.rules.Pattern <= 0 || r.Kind != KindPage || !r.URL.IsHTTP() {
		return alike{}
	}
	pattern, general := t.canon.Generalise(r.URL)
	if !general {
		return alike{}
	}
	end := strings.IndexAny(pattern, "{?")
	if end < 0 {
		end = 0
	}
	return alike{canon: t.canon, request: r, pattern: pattern, prefix: pattern[:end]}
}

// is reports whether u is of the pattern. Most links are not, as their
// beginning tells; in the spelling of others anything may stand.
func (a alike) is(u urls.URL) bool {
	if a.pattern == "" || u.Origin() != a.request.Host() {
		return false
	}
	if path := u.Path(); !strings.HasPrefix(path, a.prefix) && !strings.ContainsAny(path, "%;(") {
		return false
	}
	pattern, _ := a.canon.Generalise(u)
	return pattern == a.pattern
}

// compare looks at a page's text beside those before it, where the rules ask
// for it. The first of what was found are not the page's links.
func (w *worker) compare(page *Page, r *Result, f *finished, o *Outcome, others int) {
	print := w.engine.Print
	if print == nil {
		return
	}
	w.comparePrint(page.Request, r, f, o, others, func() (uint64, int, bool) {
		ok := w.visit.words > 0
		if !ok {
			w.visit.print, w.visit.words, ok = print(page)
		}
		return w.visit.print, w.visit.words, ok
	})
}

// comparePrint does so for a page of which the print is known.
func (w *worker) comparePrint(q *Request, r *Result, f *finished, o *Outcome, others int, print func() (uint64, int, bool)) {
	e := w.engine
	rules := &e.set.Traps
	var pattern string
	if rules.Stale > 0 && q.Depth > 0 && q.Kind == KindPage {
		pattern = e.traps.kept(q).pattern
	}
	read := o.Class == ClassFetched || o.Class == ClassUnchanged || o.Class == ClassNotDue
	if !q.URL.IsHTTP() || !read || pattern == "" && !rules.NearDuplicates || q.Kind != KindPage || q.Row != 0 {
		return
	}
	p := readPage{request: q, result: r, found: f.found[others:]}
	var ok bool
	if p.print, p.words, ok = print(); !ok {
		return
	}
	var err error
	if pattern != "" {
		err = e.traps.learn(pattern, &p)
	}
	nearly := false
	if rules.NearDuplicates && err == nil {
		nearly, err = e.traps.repeated(&p)
	}
	if nearly {
		f.found, f.nearly = f.found[:others], true
		o.Detail = strings.TrimPrefix(o.Detail+"; nearly the text of a page before: its links were not followed", "; ")
	}
	if err != nil {
		w.stop = trapsLost(err)
	}
}

// trapsLost is the end of a run whose counts cannot be read.
func trapsLost(err error) error { return fmt.Errorf("looking for traps: %w", stopping(err)) }
