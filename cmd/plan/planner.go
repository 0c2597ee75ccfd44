package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/feeds"
	"github.com/amblecrawl/amble/politeness/robots"
)

const (
	// sitemapsInMemory bounds the sitemaps that are read at once.
	sitemapsInMemory = 4
	// sitemapLevels and sitemapHops are those of a run.
	sitemapLevels = 5
	sitemapHops   = 10
	// sitemapAgain is the wait before a sitemap that failed is asked for again,
	// doubling, as a run has it.
	sitemapAgain = 2 * time.Second
	// longestPlanWait is the longest that a plan waits for its turn with a host.
	longestPlanWait = 10 * time.Minute
)

// planner asks the hosts of a crawl for their robots.txt and their sitemaps, and
// counts what these say. A host is visited by one worker at a time.
type planner struct {
	crawl   *crawl.Crawl
	reading *semaphore.Weighted

	mu     sync.Mutex // guards the census and all below
	change *sync.Cond
	todo   []*site // to be visited
	busy   int     // visits under way
	census
}

// sitemap is one that is to be read.
type sitemap struct {
	url   urls.URL
	depth int // indexes above it
	hops  int // redirects before it
	offer *offer
}

func newPlanner(c *crawl.Crawl) *planner {
	p := &planner{crawl: c, reading: semaphore.NewWeighted(sitemapsInMemory), census: newCensus()}
	p.change = sync.NewCond(&p.mu)
	return p
}

// meet makes sure that a URL's host is visited.
func (p *planner) meet(u urls.URL) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.site(u); s != nil && !s.learnt {
		p.queue(s)
	}
}

// queue has a host visited. p.mu is held.
func (p *planner) queue(s *site) {
	if !s.queued && !s.visited { // a visit looks for more before it ends
		s.queued = true
		p.todo = append(p.todo, s)
		p.change.Signal()
	}
}

// addSitemap has a sitemap read, unless it is known by now. again tells that it
// is another spelling of one that is known, which its server tells apart.
func (p *planner) addSitemap(m sitemap, again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !again && !p.newSitemap(p.crawl.Canon.Key(m.url)) {
		return
	}
	if s := p.site(m.url); s != nil {
		s.sitemaps = append(s.sitemaps, m)
		p.queue(s)
	}
}

// drain visits hosts until none has anything left to be read.
func (p *planner) drain(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.change.Broadcast()
	})()
	var workers errgroup.Group
	for range p.crawl.Config.Fetch.Workers {
		workers.Go(func() error { return p.work(ctx) })
	}
	return workers.Wait()
}

func (p *planner) work(ctx context.Context) error {
	var s *crawl.Single
	for {
		host := p.take(ctx)
		if host == nil {
			return ctx.Err()
		}
		if s == nil {
			s = p.crawl.Single(func(string, ...any) {})
			s.Heard, s.Longest = p.heard, longestPlanWait
		}
		p.visit(ctx, s, host)
		p.mu.Lock()
		host.visited = false
		if len(host.sitemaps) > 0 && ctx.Err() == nil {
			p.queue(host)
		}
		p.busy--
		p.change.Broadcast()
		p.mu.Unlock()
	}
}

// take waits for a host to visit; nil when there will be none.
func (p *planner) take(ctx context.Context) *site {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ctx.Err() == nil {
		if len(p.todo) > 0 {
			s := p.todo[0]
			p.todo = p.todo[1:]
			s.queued, s.visited = false, true
			p.busy++
			return s
		}
		if p.busy == 0 {
			return nil
		}
		p.change.Wait()
	}
	return nil
}

// visit reads a host's robots.txt, and then its sitemaps.
func (p *planner) visit(ctx context.Context, s *crawl.Single, host *site) {
	if !host.learnt {
		err := s.Learn(ctx, host.probe)
		if ctx.Err() != nil {
			return
		}
		p.learnt(host, err)
	}
	for {
		p.mu.Lock()
		if len(host.sitemaps) == 0 || ctx.Err() != nil {
			p.mu.Unlock()
			return
		}
		m := host.sitemaps[0]
		host.sitemaps = host.sitemaps[1:]
		p.mu.Unlock()
		err := p.read(ctx, s, host, m)
		if ctx.Err() != nil {
			return
		}
		p.readSitemap(m, err)
	}
}

// heard counts a request for robots.txt or tdmrep.json, and keeps the sitemaps
// that the first names.
func (p *planner) heard(host string, file crawl.HeardFile, resp *crawler.Response, err error) {
	var named []string
	if file.Robots && resp != nil && resp.Status/100 == 2 {
		named = robots.Parse(resp.Body, robots.RFC).Sitemaps()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if asked := p.sites[host]; asked != nil {
		p.nameSitemaps(asked, named)
	}
	if file.URL.IsZero() || !sentAtAll(err) || p.offering {
		return
	}
	at := p.site(file.URL)
	switch {
	case at == nil:
		return
	case file.Robots:
		at.robots++
	default:
		at.files++
	}
	if resp != nil && (at.answer == 0 || file.Took < at.answer) {
		at.answer = file.Took
	}
}

// sentAtAll tells whether a request was sent, as a run counts them.
func sentAtAll(err error) bool {
	var cause *crawler.FetchError
	if !errors.As(err, &cause) {
		return true
	}
	switch cause.Class {
	case crawler.ClassDNS, crawler.ClassPrivate, crawler.ClassRefused:
		return false
	}
	return true
}

// read fetches a sitemap and counts what it lists, trying again as a run does.
func (p *planner) read(ctx context.Context, s *crawl.Single, host *site, m sitemap) error {
	for attempt := 0; ; attempt++ {
		v, err := s.Permission(ctx, m.url)
		switch {
		case err != nil:
			return err
		case v.Action == crawler.Skip:
			return errors.New(v.Reason)
		}
		temporary, err := p.readOnce(ctx, s, host, m, v.Grant)
		if !temporary || attempt >= p.crawl.Config.Fetch.Retries {
			return err
		}
		if err := crawl.Pause(ctx, min(sitemapAgain<<min(attempt, 10), 10*time.Minute)); err != nil {
			return err
		}
	}
}

func (p *planner) readOnce(ctx context.Context, s *crawl.Single, host *site, m sitemap, grant crawler.Grant) (temporary bool, err error) {
	if err := p.reading.Acquire(ctx, 1); err != nil {
		grant.Cancel()
		return false, err
	}
	defer p.reading.Release(1)
	resp, err := s.Fetcher.Fetch(grant.Context(ctx), m.url, crawler.FetchOptions{MaxBody: feeds.MaxBytes, Raw: true})
	if errors.Is(err, crawler.ErrNotSent) {
		grant.Cancel()
		return true, err
	}
	grant.Done(resp, err)
	p.mu.Lock()
	if sentAtAll(err) && m.offer == nil {
		host.sitemapRequests++
	}
	p.mu.Unlock()
	if err != nil {
		var cause *crawler.FetchError
		return errors.As(err, &cause) && cause.Temporary, err
	}
	switch {
	case resp.Status/100 == 2:
		page := crawler.NewPage(&crawler.Request{URL: m.url, Kind: crawler.KindSitemap}, resp)
		said := lastmods{planner: p}
		if m.offer == nil && p.readAnew(m.url) { // else a run would not read it
			defer said.settle()
		}
		return false, feeds.Each(ctx, page, func(l crawler.Link) { said.add(l, p.listed(m, l)) })
	case resp.Status/100 == 3:
		return false, p.redirected(m, resp.Location)
	}
	return mayComeBack(resp.Status), fmt.Errorf("status %d", resp.Status)
}

// mayComeBack tells whether a status is about this moment only.
func mayComeBack(status int) bool {
	switch status {
	case 408, 425, 429, 500, 502, 503, 504:
		return true
	}
	return status > 511
}

// redirected has the target of a redirect read in a sitemap's place.
func (p *planner) redirected(m sitemap, to urls.URL) error {
	switch {
	case to.IsZero():
		return errors.New("a redirect without a usable Location")
	case m.hops == sitemapHops:
		return fmt.Errorf("more than %d redirects", sitemapHops)
	case to.Fetch() == m.url.Fetch():
		return errors.New("a redirect to itself")
	}
	next := sitemap{url: to.WithoutFragment(), depth: m.depth, hops: m.hops + 1, offer: m.offer}
	p.addSitemap(next, p.crawl.Canon.Key(to) == p.crawl.Canon.Key(m.url))
	return nil
}

// listed counts one entry of a sitemap, by the rules that a run goes by. It reports
// whether earlier runs know the page and nothing else has listed it.
func (p *planner) listed(m sitemap, l crawler.Link) (known bool) {
	v := p.crawl.Scope.Check(l.URL, 0)
	if l.Kind == crawler.KindSitemap {
		depth := m.depth + 1
		v = p.crawl.Scope.Check(l.URL, depth)
		if depth <= sitemapLevels && (v.In || l.URL.Origin() == m.url.Origin()) {
			p.addSitemap(sitemap{url: clone(l.URL), depth: depth, offer: m.offer}, false)
			return false
		}
		if v.In {
			v.Rule = fmt.Sprintf("sitemaps more than %d levels deep", sitemapLevels)
		}
		v.In = false
	}
	if !v.In {
		p.leaveOut(v.Rule, m.offer)
		return false
	}
	return p.page(l.URL, m.offer)
}

// clone frees a URL from the document that it was read from.
func clone(u urls.URL) urls.URL {
	own, err := urls.Parse(string(bytes.Clone([]byte(u.String()))))
	if err != nil {
		return u
	}
	return own
}
