package plan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/plan"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Revisits is what earlier runs know of pages, and what the next run asks for
// therefore.
type Revisits struct {
	Known   int64 `json:"known"` // pages and sitemaps; the others are parts of it
	Due     int64 `json:"due"`
	NotDue  int64 `json:"not_due"`
	LeftOut int64 `json:"left_out"` // by the scope as it is now
	// New are pages that the plan lists and nobody knows, those of datasets among them.
	New       int64   `json:"new"`
	Requests  int64   `json:"requests"` // of the next run, links that it finds not among them
	ShortestS float64 `json:"shortest_s"`
	// NextDue is when the first of the pages is due that are not, InDay and InWeek how
	// many are by then.
	NextDue   *time.Time `json:"next_due,omitempty"`
	InDay     int64      `json:"due_in_a_day"`
	InWeek    int64      `json:"due_in_a_week"`
	LastVisit *time.Time `json:"last_visit,omitempty"`
	Trouble   string     `json:"trouble,omitempty"` // why it is not known
	// Unheard counts pages whose lastmod is not reckoned with, as there are too many.
	Unheard int64 `json:"lastmods_not_counted,omitempty"`

	shortest time.Duration
	dueOf    map[string]int64 // by host
	probes   map[string]string
}

// knows tells whether earlier runs know a page; nil where none are known over runs.
func knows(c *crawl.Crawl, kept *crawl.Kept) func(urls.Key) bool {
	if !c.Config.Revisit.On() || kept.Snapshot == nil {
		return nil
	}
	return func(key urls.Key) bool {
		k, err := kept.Snapshot.Recall(key)
		return err == nil && k != nil // what cannot be read is told of by revisits
	}
}

// readsAnew tells whether a run asks for a sitemap again. Of one that is not due it has
// what was said then.
func readsAnew(c *crawl.Crawl, kept *crawl.Kept, now time.Time) func(urls.URL) bool {
	rules := c.Config.RevisitRules(version.Program())
	return func(u urls.URL) bool {
		if kept.Snapshot == nil {
			return true
		}
		k, err := kept.Snapshot.Recall(c.Canon.Key(u))
		return err != nil || k == nil || !k.Whole || rules.Due(k, u, time.Time{}, now).Now
	}
}

// revisits goes through what a state knows; nil where the crawl revisits nothing.
func (p *planner) revisits(kept *crawl.Kept, now time.Time) *Revisits {
	c := p.crawl
	rules := c.Config.RevisitRules(version.Program())
	if !rules.On {
		return nil
	}
	r := &Revisits{dueOf: map[string]int64{}, probes: map[string]string{}}
	if kept.Snapshot == nil {
		if !errors.Is(kept.Err, fs.ErrNotExist) { // else there was no run yet
			r.Trouble = format.Clip(kept.Err.Error(), format.MaxDetail)
		}
		return r
	}
	err := kept.Snapshot.EachKnown(urls.Key{}, func(k *crawler.Known) (bool, error) {
		r.add(c, &rules, k, p.lastmodOf(k), now)
		return true, nil
	})
	if err != nil {
		r.Trouble = format.Clip(err.Error(), format.MaxDetail)
	}
	r.Unheard = p.unheard
	return r
}

func (r *Revisits) add(c *crawl.Crawl, rules *crawler.RevisitRules, k *crawler.Known, modified, now time.Time) {
	r.Known++
	if visited := k.Visited.UTC(); r.LastVisit == nil || visited.After(*r.LastVisit) {
		r.LastVisit = &visited
	}
	if !k.Seed && k.Request.Kind == crawler.KindPage && !c.Scope.Check(k.Request.URL, int(k.Request.Depth)).In {
		r.LeftOut++
		return
	}
	d := rules.Due(k, k.Request.URL, modified, now)
	if d.Now || !k.Whole {
		r.Due++
		host := k.Request.Host()
		r.dueOf[host]++
		if r.probes[host] == "" {
			r.probes[host] = k.Request.URL.Fetch()
		}
		return
	}
	r.NotDue++
	if at := d.At.UTC(); r.NextDue == nil || at.Before(*r.NextDue) {
		r.NextDue = &at
	}
	if wait := d.At.Sub(now); wait <= 7*24*time.Hour {
		r.InWeek++
		if wait <= 24*time.Hour {
			r.InDay++
		}
	}
}

// sumRevisits reckons what the next run comes to. p.mu is held.
func (r *Report) sumRevisits(p *planner, start time.Time) {
	v := r.Revisit
	if v == nil {
		return
	}
	parts := make([]plan.Host, 0, len(r.Hosts))
	rest := v.dueOf
	for i := range r.Hosts {
		h := &r.Hosts[i]
		part := h.part
		part.Pages = h.Pages - h.Known + rest[h.Host]
		v.New += h.Pages - h.Known
		delete(rest, h.Host)
		v.Requests += part.Pages + part.Others
		parts = append(parts, part)
	}
	for host, due := range rest { // that neither seeds nor sitemaps lead to
		x := p.crawl.Gate.Explain(host, v.probes[host])
		part := plan.Host{Pages: due, Others: 1, Pace: plan.Pace{Delay: x.Least}, Group: x.Group}
		part.GroupPace.Delay = x.GroupDelay
		if x.Hours.String() != "" {
			part.Pace.Hours, part.GroupPace.Hours = x.Hours, x.Hours
		}
		v.Requests += part.Pages + part.Others
		parts = append(parts, part)
	}
	v.shortest = plan.Total(start, parts, r.MaxPages)
	v.ShortestS = v.shortest.Seconds()
}

func (r *Report) printRevisits(w io.Writer) {
	v := r.Revisit
	switch {
	case v == nil:
		return
	case v.Known == 0 && v.Trouble == "":
		fmt.Fprintln(w, "  known\tno page from earlier runs: all are new")
		return
	}
	if v.Trouble != "" {
		fmt.Fprintf(w, "  known\tcannot be read: %s\n", v.Trouble)
		return
	}
	parts := []string{format.Count(v.Due) + " due", format.Count(v.NotDue) + " not due"}
	if v.LeftOut > 0 {
		parts = append(parts, format.Count(v.LeftOut)+" out of scope by now")
	}
	fmt.Fprintf(w, "  known\t%s from earlier runs, the last visit at %s: %s\n", format.Plural(v.Known, "page"), v.LastVisit.Format(time.RFC3339), strings.Join(parts, ", "))
	if v.Unheard > 0 {
		fmt.Fprintf(w, "  \tthe lastmod of %s is not reckoned with: there are too many\n", format.Plural(v.Unheard, "page"))
	}
	if v.NextDue != nil {
		fmt.Fprintf(w, "  next due\t%s; %s within a day, %s within a week\n", v.NextDue.Format(time.RFC3339), format.Count(v.InDay), format.Count(v.InWeek))
	}
	fmt.Fprintf(w, "  next run\t%s: %s, %s new, the rest for robots.txt and sitemaps; at least %s\n", format.Plural(v.Requests, "request"), format.Count(v.Due)+" due", format.Count(v.New), atLeast(v.shortest))
}
