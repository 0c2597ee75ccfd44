package plan

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler/urls"
)

// censusBounds are what a plan keeps in memory. Beyond one it counts on as it
// can, and says so.
type censusBounds struct {
	told     int // URLs told apart, by 8 bytes each: about 200 MiB
	sites    int // hosts told apart, fewer than the gate remembers
	held     int // octets of URLs that wait for the robots.txt of their host
	sitemaps int // sitemaps read
	modified int // pages whose lastmod is kept, by some 50 bytes each
	named    int // sitemaps kept that one robots.txt names
	offers   int // and that all of them name
	rules    int // rules told of a host
	troubles int // sitemaps told that could not be read
}

var planBounds = censusBounds{
	told: 10_000_000, sites: 40_000, held: 64 << 20, sitemaps: 100_000,
	modified: 1_000_000, named: 100, offers: 1_000, rules: 20, troubles: 1_000,
}

// census counts what is to be asked for. The planner's lock guards it.
type census struct {
	most       censusBounds
	sites      map[string]*site
	told       map[uint64]struct{} // URLs counted so far
	sitemaps   map[urls.Key]struct{}
	outOfScope map[string]int64 // by rule
	offers     []*offer
	offering   bool // the offers are being read
	// recall tells whether earlier runs know a page, nil where none are known.
	recall func(urls.Key) bool
	// heedsLastmod tells that sitemaps have a say in what is due; modified is what they
	// say of pages that earlier runs know, and unheard of how many more.
	heedsLastmod bool
	readAnew     func(sitemap urls.URL) bool // whether a run asks for it
	modified     map[urls.Key]int64
	unheard      int64

	entries      int64 // of seeds and sitemaps, twice where they are twice
	duplicates   int64
	held         int // octets
	sitemapsRead int64
	troubles     []SitemapTrouble

	untold, elsewhere, unheld, unread, unnamed, forgotten, unshown int64 // beyond the bounds above
}

// site is what is known of one host.
type site struct {
	host     string
	probe    urls.URL // some URL of it
	queued   bool     // in the planner's todo
	visited  bool     // by a worker, now
	learnt   bool     // its robots.txt is known, or trouble says why not
	trouble  string
	held     []heldURL // waiting until learnt
	sitemaps []sitemap
	named    []urls.URL

	tally
	robots, files, sitemapRequests int64
	answer                         time.Duration // the quickest to a request for one of its files
}

type heldURL struct {
	url   urls.URL
	offer *offer
	known bool // from an earlier run
}

// tally counts URLs by what is to become of them.
type tally struct {
	pages, disallowed, unreachable int64
	recalled                       int64                 // of pages, those that earlier runs know
	rules                          map[polite.Rule]int64 // that disallow
}

// offer is a sitemap that robots.txt names and the seeds do not.
type offer struct {
	url        urls.URL
	by         string // the host whose robots.txt it is
	foreign    bool   // on a host that is none of the crawl's
	outOfScope int64
	known      int64 // listed elsewhere, too
	trouble    string
	tally
}

// SitemapTrouble is a sitemap that could not be read, or not to its end.
type SitemapTrouble struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
}

func newCensus() census {
	return census{
		most: planBounds, sites: map[string]*site{}, told: map[uint64]struct{}{},
		sitemaps: map[urls.Key]struct{}{}, modified: map[urls.Key]int64{}, readAnew: func(urls.URL) bool { return true }, outOfScope: map[string]int64{},
	}
}

// site is the host of a URL, nil where there are too many. p.mu is held.
func (p *planner) site(u urls.URL) *site {
	host := u.Origin()
	if s := p.sites[host]; s != nil {
		return s
	}
	if len(p.sites) >= p.most.sites {
		return nil
	}
	host = strings.Clone(host)
	s := &site{host: host, probe: clone(u)}
	p.sites[host] = s
	return s
}

// newURL tells whether a URL is counted for the first time. p.mu is held.
func (p *planner) newURL(k urls.Key) bool {
	short := binary.BigEndian.Uint64(k[:])
	if _, known := p.told[short]; known {
		return false
	}
	if len(p.told) >= p.most.told {
		p.untold++
		return true
	}
	p.told[short] = struct{}{}
	return true
}

// newSitemap tells whether a sitemap is to be read. A run knows a URL once,
// whether as a sitemap or as a page. p.mu is held.
func (p *planner) newSitemap(k urls.Key) bool {
	if _, known := p.sitemaps[k]; known {
		return false
	}
	if len(p.sitemaps) >= p.most.sitemaps {
		p.unread++
		return false
	}
	if !p.newURL(k) {
		return false
	}
	p.sitemaps[k] = struct{}{}
	return true
}

// page counts one URL that a seed or a sitemap in scope lists. It reports whether that
// is the first to list it, and earlier runs know it.
func (p *planner) page(u urls.URL, o *offer) (known bool) {
	return p.request(p.crawl.Canon.Key(u), u, o)
}

// request does the same for a request that is told apart by more than its URL.
func (p *planner) request(key urls.Key, u urls.URL, o *offer) (known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o == nil {
		p.entries++
	}
	if !p.newURL(key) {
		if o == nil {
			p.duplicates++
		} else {
			o.known++
		}
		return false
	}
	s := p.site(u)
	known = p.recall != nil && p.recall(key)
	switch {
	case s == nil:
		p.elsewhere++
	case s.learnt && !p.lacksFile(s, u):
		p.judge(s, heldURL{u, o, known})
	case p.held+len(u.String()) > p.most.held:
		p.unheld++
		p.queue(s)
	default:
		if s.learnt { // by a URL that robots.txt disallows: ask by this one
			s.learnt, s.probe = false, clone(u)
		}
		s.held = append(s.held, heldURL{clone(u), o, known})
		p.held += len(u.String())
		p.queue(s)
	}
	return known
}

// lacksFile tells whether a run would ask the host for a file by this URL that was
// not asked for yet: what robots.txt disallows needs none. p.mu is held.
func (p *planner) lacksFile(s *site, u urls.URL) bool {
	if !p.crawl.AsksFile || s.trouble != "" || p.crawl.Gate.File(s.host) != nil {
		return false
	}
	allowed, _, known := p.crawl.Allowed(u)
	return allowed && known
}

// leaveOut counts an entry of a sitemap that the scope leaves out.
func (p *planner) leaveOut(rule string, o *offer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o != nil {
		o.outOfScope++
		return
	}
	p.entries++
	p.outOfScope[rule]++
}

// learnt judges what waited for a host's robots.txt; err tells why there is none
// to go by.
func (p *planner) learnt(s *site, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.learnt = true
	if err != nil {
		s.trouble = format.Clip(err.Error(), format.MaxDetail)
	}
	for _, h := range s.held {
		p.judge(s, h)
		p.held -= len(h.url.String())
	}
	s.held = nil
}

// judge counts a URL of a host whose robots.txt has been asked for. p.mu is held.
func (p *planner) judge(s *site, h heldURL) {
	t := &s.tally
	if h.offer != nil {
		t = &h.offer.tally
	}
	if s.trouble != "" {
		t.unreachable++
		return
	}
	allowed, rule, known := p.crawl.Allowed(h.url)
	if !known && h.url.IsHTTP() {
		p.forgotten++
	}
	if allowed {
		t.pages++
		if h.known {
			t.recalled++
		}
		return
	}
	t.disallowed++
	if t.rules == nil {
		t.rules = map[polite.Rule]int64{}
	}
	if _, told := t.rules[rule]; !told && len(t.rules) >= p.most.rules {
		rule = polite.Rule{Text: "other rules"}
	}
	t.rules[rule]++
}

// readSitemap books the end of reading a sitemap.
func (p *planner) readSitemap(m sitemap, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.offer == nil {
		p.sitemapsRead++
	}
	switch {
	case err == nil:
	case m.offer != nil:
		m.offer.trouble = format.Clip(err.Error(), format.MaxDetail)
	case len(p.troubles) >= p.most.troubles:
		p.unshown++
	default:
		p.troubles = append(p.troubles, SitemapTrouble{m.url.Redacted(), format.Clip(err.Error(), format.MaxDetail)})
	}
}

// nameSitemaps keeps the sitemaps that a host's robots.txt names. p.mu is held.
func (p *planner) nameSitemaps(s *site, named []string) {
	for _, raw := range named {
		u, err := s.probe.Resolve(raw)
		switch {
		case err != nil || !u.IsHTTP():
		case len(s.named) >= p.most.named:
			p.unnamed++
		default:
			s.named = append(s.named, clone(u.WithoutFragment()))
		}
	}
}

// collectOffers finds the named sitemaps that were not read.
func (p *planner) collectOffers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	offered := map[urls.Key]bool{}
	for _, host := range slices.Sorted(maps.Keys(p.sites)) {
		s := p.sites[host]
		for _, u := range s.named {
			key := p.crawl.Canon.Key(u)
			if _, read := p.sitemaps[key]; read || offered[key] {
				continue
			}
			if len(p.offers) >= p.most.offers {
				p.unnamed++
				continue
			}
			offered[key] = true
			foreign := u.Origin() != host && !p.crawl.Scope.Check(u, 0).In
			p.offers = append(p.offers, &offer{url: u, by: host, foreign: foreign})
		}
	}
}

// readOffers has them read, except on hosts that are none of the crawl's.
func (p *planner) readOffers() {
	p.mu.Lock()
	p.offering = true
	offers := slices.Clone(p.offers)
	p.mu.Unlock()
	for _, o := range offers {
		if o.foreign {
			o.trouble = "not read: its host is not in the scope"
			continue
		}
		p.addSitemap(sitemap{url: o.url, offer: o}, false)
	}
}

// progress says how far the planner is.
func (p *planner) progress() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	learnt, sitemaps := 0, 0
	for _, s := range p.sites {
		if s.learnt {
			learnt++
		}
		sitemaps += len(s.sitemaps)
	}
	return fmt.Sprintf("robots.txt of %s of %s read, %s read and %s to go, %s so far",
		format.Count(int64(learnt)), format.Plural(int64(len(p.sites)), "host"), format.Plural(p.sitemapsRead, "sitemap"),
		format.Count(int64(sitemaps)), format.Plural(p.entries, "URL"))
}
