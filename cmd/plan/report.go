package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler/plan"
)

// Report is a plan as --json prints it. docs/plan.md explains it. Keys are
// added, never renamed.
type Report struct {
	Name            string           `json:"name"`
	PlannedAt       time.Time        `json:"planned_at"`
	Pages           int64            `json:"pages"`
	Requests        int64            `json:"requests"`
	RobotsRequests  int64            `json:"robots_requests"`
	FileRequests    int64            `json:"file_requests"`
	SitemapRequests int64            `json:"sitemap_requests"`
	ShortestS       float64          `json:"shortest_s"`
	ShortestBy      string           `json:"shortest_by"`
	MaxPages        int64            `json:"max_pages"`
	Workers         int              `json:"workers"`
	WorkersS        float64          `json:"workers_s"`
	FollowsLinks    bool             `json:"follows_links"`
	ListsBuckets    bool             `json:"lists_buckets,omitempty"`
	Entries         int64            `json:"entries"`
	Duplicates      int64            `json:"duplicates"`
	OutOfScope      int64            `json:"out_of_scope"`
	Disallowed      int64            `json:"disallowed"`
	Unreachable     int64            `json:"unreachable"`
	OutOfScopeBy    []Count          `json:"out_of_scope_by"`
	Hosts           []Host           `json:"hosts"`
	Groups          []Group          `json:"groups"`
	SitemapsRead    int64            `json:"sitemaps_read"`
	SitemapTroubles []SitemapTrouble `json:"sitemap_troubles"`
	NotSeeded       []Offer          `json:"not_seeded"`
	Limits          []string         `json:"limits"`
	// Revisit is nil where pages are not known over runs.
	Revisit *Revisits `json:"revisit,omitempty"`

	shortest, workers time.Duration
}

// Count counts the URLs that a rule keeps out.
type Count struct {
	Line int    `json:"line,omitempty"` // of robots.txt
	Rule string `json:"rule"`
	URLs int64  `json:"urls"`
}

// Host is one host of a plan.
type Host struct {
	Host            string  `json:"host"`
	Pages           int64   `json:"pages"`
	Known           int64   `json:"known,omitempty"` // of pages, from earlier runs
	Requests        int64   `json:"requests"`
	RobotsRequests  int64   `json:"robots_requests"`
	FileRequests    int64   `json:"file_requests"`
	SitemapRequests int64   `json:"sitemap_requests"`
	DelayS          float64 `json:"delay_s"`
	DelayBy         string  `json:"delay_by"`
	Hours           string  `json:"hours,omitempty"`
	Group           string  `json:"group,omitempty"`
	ShortestS       float64 `json:"shortest_s"`
	Disallowed      int64   `json:"disallowed"`
	DisallowedBy    []Count `json:"disallowed_by"`
	Unreachable     int64   `json:"unreachable"`
	Trouble         string  `json:"trouble,omitempty"`
	API             bool    `json:"api,omitempty"` // robots.txt does not apply

	shortest, delay time.Duration
	part            plan.Host
	answer          time.Duration
}

// Group is what the hosts that share one delay come to.
type Group struct {
	Group     string  `json:"group"`
	Hosts     int     `json:"hosts"`
	Requests  int64   `json:"requests"`
	DelayS    float64 `json:"delay_s"`
	ShortestS float64 `json:"shortest_s"`

	shortest, delay time.Duration
}

// Offer is a sitemap that robots.txt names and the seeds do not.
type Offer struct {
	URL        string `json:"url"`
	NamedBy    string `json:"named_by"`
	Counted    bool   `json:"counted"`
	Pages      int64  `json:"pages"` // that the plan does not have
	Known      int64  `json:"known"`
	Disallowed int64  `json:"disallowed"`
	OutOfScope int64  `json:"out_of_scope"`
	Trouble    string `json:"trouble,omitempty"`
}

// report puts the census together, for a run that starts at an instant.
func (p *planner) report(start time.Time, known *Revisits) *Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	cfg := p.crawl.Config
	r := &Report{
		Name: cfg.Name, PlannedAt: start.UTC(), MaxPages: cfg.Scope.MaxPages, Workers: cfg.Fetch.Workers,
		FollowsLinks: !cfg.Links.Off, ListsBuckets: len(cfg.Listings()) > 0, Entries: p.entries, Duplicates: p.duplicates, SitemapsRead: p.sitemapsRead,
		OutOfScopeBy: []Count{}, Hosts: []Host{}, Groups: []Group{}, NotSeeded: []Offer{},
		SitemapTroubles: append([]SitemapTrouble{}, p.troubles...), Limits: p.limits(), Revisit: known,
	}
	for rule, n := range p.outOfScope {
		r.OutOfScope += n
		r.OutOfScopeBy = append(r.OutOfScopeBy, Count{Rule: rule, URLs: n})
	}
	slices.SortFunc(r.OutOfScopeBy, byURLs)
	for _, s := range p.sites {
		if h := p.host(s, start); h.Requests+h.Unreachable+h.Disallowed > 0 || h.Trouble != "" {
			r.Hosts = append(r.Hosts, h)
		}
	}
	slices.SortFunc(r.Hosts, func(a, b Host) int {
		return cmp.Or(cmp.Compare(b.shortest, a.shortest), cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Host, b.Host))
	})
	r.sum(start)
	r.sumRevisits(p, start)
	for _, o := range p.offers {
		r.NotSeeded = append(r.NotSeeded, Offer{
			URL: o.url.Redacted(), NamedBy: o.by, Counted: p.offering && !o.foreign,
			Pages: o.pages, Known: o.known, Disallowed: o.disallowed, OutOfScope: o.outOfScope, Trouble: o.trouble,
		})
	}
	return r
}

func byURLs(a, b Count) int {
	return cmp.Or(cmp.Compare(b.URLs, a.URLs), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule))
}

// host is one host's part of the plan. p.mu is held.
func (p *planner) host(s *site, start time.Time) Host {
	x := p.crawl.Gate.Explain(s.host, s.probe.Fetch())
	h := Host{
		Host: s.host, Pages: s.pages, Known: s.recalled, RobotsRequests: s.robots, FileRequests: s.files, SitemapRequests: s.sitemapRequests,
		Requests: s.pages + s.robots + s.files + s.sitemapRequests, Disallowed: s.disallowed, Unreachable: s.unreachable,
		DelayS: x.Least.Seconds(), DelayBy: x.LeastBy, Hours: x.Hours.String(), Group: x.Group, Trouble: s.trouble,
		API:          p.crawl.Gate.API(s.host),
		DisallowedBy: []Count{}, delay: x.Least, answer: s.answer,
	}
	for rule, n := range s.rules {
		h.DisallowedBy = append(h.DisallowedBy, Count{rule.Line, rule.Text, n})
	}
	slices.SortFunc(h.DisallowedBy, byURLs)
	h.part = plan.Host{Pages: s.pages, Others: s.robots + s.files + s.sitemapRequests, Pace: plan.Pace{Delay: x.Least}, Group: x.Group}
	h.part.GroupPace.Delay = x.GroupDelay
	if x.Hours.String() != "" {
		h.part.Pace.Hours, h.part.GroupPace.Hours = x.Hours, x.Hours
	}
	h.shortest = h.part.Pace.Shortest(start, h.Requests)
	h.ShortestS = h.shortest.Seconds()
	return h
}

// sum adds the hosts up.
func (r *Report) sum(start time.Time) {
	parts := make([]plan.Host, 0, len(r.Hosts))
	var work time.Duration
	for i := range r.Hosts {
		h := &r.Hosts[i]
		r.Pages += h.Pages
		r.RobotsRequests += h.RobotsRequests
		r.FileRequests += h.FileRequests
		r.SitemapRequests += h.SitemapRequests
		r.Disallowed += h.Disallowed
		r.Unreachable += h.Unreachable
		parts = append(parts, h.part)
		if work += h.answer * time.Duration(min(h.Requests, int64(plan.Horizon/max(h.answer, 1)))); work > plan.Horizon {
			work = plan.Horizon
		}
	}
	groups := plan.Groups(start, parts)
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g := groups[name]
		r.Groups = append(r.Groups, Group{
			Group: name, Hosts: g.Hosts, Requests: g.Requests, DelayS: g.Pace.Delay.Seconds(),
			ShortestS: g.Shortest.Seconds(), shortest: g.Shortest, delay: g.Pace.Delay,
		})
	}
	slices.SortStableFunc(r.Groups, func(a, b Group) int { return cmp.Compare(b.shortest, a.shortest) })
	r.Requests = r.Pages + r.RobotsRequests + r.FileRequests + r.SitemapRequests
	r.shortest = plan.Total(start, parts, r.MaxPages)
	r.ShortestS = r.shortest.Seconds()
	r.ShortestBy = r.slowest()
	r.workers = work / time.Duration(max(r.Workers, 1))
	r.WorkersS = r.workers.Seconds()
}

// slowest names what the shortest time rests on, "" for nothing.
func (r *Report) slowest() string {
	switch {
	case r.shortest == 0:
		return ""
	case r.MaxPages > 0 && r.Pages > r.MaxPages:
		return fmt.Sprintf("scope.max_pages %d", r.MaxPages)
	case len(r.Groups) > 0 && r.Groups[0].shortest > r.Hosts[0].shortest:
		return r.Groups[0].Group
	}
	return r.Hosts[0].Host
}

// limits says which bounds of the census were met. p.mu is held.
func (p *planner) limits() []string {
	limits := []string{}
	for _, l := range []struct {
		n    int64
		text string
	}{
		{p.untold, "URLs are counted as new although they may not be: only the first " + format.Count(int64(p.most.told)) + " are told apart"},
		{p.elsewhere, "URLs are not among the pages: they lie on hosts beyond the first " + format.Count(int64(p.most.sites))},
		{p.unheld, "URLs are not among the pages: they waited for robots.txt beyond " + format.Size(int64(p.most.held))},
		{p.forgotten, "URLs are taken as allowed: the robots.txt of their hosts did not fit in memory"},
		{p.unread, "sitemaps are not read: there are more than " + format.Count(int64(p.most.sitemaps))},
		{p.unshown, "sitemaps that could not be read are not listed"},
		{p.unnamed, "sitemaps that robots.txt names are not listed"},
	} {
		if l.n > 0 {
			limits = append(limits, format.Count(l.n)+" "+l.text)
		}
	}
	return limits
}
