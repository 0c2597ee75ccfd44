package config

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Revisit is how a run uses what earlier runs knew of pages.
type Revisit struct {
	Mode        string        `yaml:"mode,scalar" default:"off" enum:"off,always,adaptive" doc:"Whether pages are known over runs: always asks for each page in each run, with a condition where it can, adaptive for those that are due. docs/revisit.md has the rules."`
	Output      string        `yaml:"output" default:"all" enum:"all,changes" doc:"What a run writes: the records of all pages, also of those that are as they were, or those alone that are new or changed, and tombstones (_deleted) for those that are no more."`
	MinInterval time.Duration `yaml:"min_interval" default:"1h" min:"0s" max:"8760h" doc:"The shortest time between two visits of a page, where adaptive."`
	MaxInterval time.Duration `yaml:"max_interval" default:"720h" min:"1s" max:"87600h" doc:"The longest time between two visits of a page, where adaptive."`
	MaxAge      []MaxAge      `yaml:"max_age" doc:"The longest time between two visits of the pages that a path glob matches, such as \"/news/**\": 1h, where adaptive. The first that matches counts."`
	Lastmod     string        `yaml:"lastmod" default:"use" enum:"use,ignore" doc:"Whether the lastmod of sitemaps makes pages due, or puts them off until max_interval or max_age, where adaptive."`
	Unlinked    string        `yaml:"unlinked" default:"keep" enum:"keep,drop" doc:"What becomes of a known page that no page of a whole run leads to: keep asks for it when it is due, drop takes it for gone."`
}

// MaxAge is the bound for some pages.
type MaxAge struct {
	Glob string        `yaml:",key"`
	Age  time.Duration `yaml:"age,scalar" required:"true" min:"1s" max:"87600h" doc:"The longest time between two visits."`
}

// On reports whether pages are known over runs.
func (r *Revisit) On() bool { return r.Mode != "" && r.Mode != "off" }

// RevisitRules are the engine's; program names the version that reads the pages.
func (c *Config) RevisitRules(program string) crawler.RevisitRules {
	r := &c.Revisit
	if !r.On() {
		return crawler.RevisitRules{}
	}
	rules := crawler.RevisitRules{
		On: true, Adaptive: r.Mode == "adaptive", Min: r.MinInterval, Max: max(r.MinInterval, r.MaxInterval),
		Lastmod: r.Lastmod == "use", Changes: r.Output == "changes", DropUnlinked: r.Unlinked == "drop",
		Sum: c.reading.sum(program, slices.Sorted(slices.Values(c.ScopeRules().Hosts))), Depth: c.Scope.MaxDepth > 0,
	}
	for _, l := range c.Links.Rules {
		rules.Depth = rules.Depth || l.MaxDepth > 0
	}
	type bound struct {
		glob urls.Glob
		age  time.Duration
	}
	var bounds []bound
	for _, m := range r.MaxAge {
		if g, err := urls.NewGlob(m.Glob); err == nil { // a config that loaded has no other
			bounds = append(bounds, bound{g, m.Age})
		}
	}
	if bounds != nil {
		rules.MaxAge = func(u urls.URL) time.Duration {
			for i := range bounds {
				if bounds[i].glob.Match(u) {
					return bounds[i].age
				}
			}
			return 0
		}
	}
	return rules
}

func (l *loader) checkRevisit(c *Config) {
	r := &c.Revisit
	n := l.at("revisit")
	if !l.given("revisit") || n.broken {
		return
	}
	if n.kind == mappingKind && len(n.entries) > 0 && !l.given("revisit", "mode") {
		l.errorf(n.place, "write mode: always, or mode: adaptive", "revisit: there is no mode")
		return
	}
	for _, m := range r.MaxAge {
		if _, err := urls.NewGlob(m.Glob); err != nil {
			l.errorf(l.keyPlace("revisit", "max_age", m.Glob), "", "revisit.max_age: %s", bare(err))
		}
	}
	if l.given("revisit", "max_interval") && r.MaxInterval < r.MinInterval {
		l.errorf(l.at("revisit", "max_interval").place, "", "revisit.max_interval: it is shorter than min_interval, which is %s", r.MinInterval)
	}
	if r.Output == "changes" && len(c.Aggregate) > 0 {
		l.errorf(l.at("revisit", "output").place, "write output: all, or take the aggregate out", "revisit.output: changes leaves nothing to aggregate but changes")
	}
	if r.Mode != "adaptive" {
		for _, key := range []string{"min_interval", "max_interval", "max_age", "lastmod"} {
			if l.given("revisit", key) {
				l.warnf(l.keyPlace("revisit", key), "write mode: adaptive", "revisit.%s is for adaptive alone", key)
			}
		}
	}
	if c.IsWeb() && !slices.ContainsFunc(c.Seeds, func(s Seed) bool { return s.Rows.empty() && s.Query == "" }) {
		l.warnf(n.place, "", "revisit does nothing for rows and queries: they are asked for in each run")
	}
}

// reading is what decides on what a page gives.
type reading struct {
	root   *node
	others []string // texts from elsewhere
}

// readingKeys are the keys that decide on it.
var readingKeys = [][]string{
	{"extract"}, {"links"}, {"scope"}, {"output"}, {"queries"},
	{"politeness", "agent"}, {"politeness", "nofollow"}, {"politeness", "rel_nofollow"}, {"politeness", "noindex"},
	{"politeness", "noarchive"}, {"politeness", "usage"}, {"fetch", "max_body"},
}

// sum is another when one of them is written otherwise, or the hosts of the crawl are
// others. Of outputs it matters only whether there are any.
func (r *reading) sum(program string, hosts []string) uint64 {
	h := xxh3.New()
	_, _ = fmt.Fprintf(h, "%q %q", program, hosts) // a hash takes all
	for _, path := range readingKeys {
		n := r.root
		for _, key := range path {
			e := n.get(key)
			if n = nil; e == nil {
				break
			}
			n = e.value
		}
		_, _ = fmt.Fprintf(h, "\n%q: ", path)
		switch {
		case n == nil:
		case path[0] == "output":
			_, _ = io.WriteString(h, "given")
		default:
			n.write(h)
		}
	}
	for _, text := range r.others {
		_, _ = fmt.Fprintf(h, "\n%q", text)
	}
	return h.Sum64()
}

// write writes a value in one form, whatever its spelling.
func (n *node) write(w io.Writer) {
	switch n.kind {
	case listKind:
		_, _ = io.WriteString(w, "[")
		for _, item := range n.items {
			item.write(w)
		}
		_, _ = io.WriteString(w, "]")
	case mappingKind:
		_, _ = io.WriteString(w, "{")
		for _, e := range n.entries {
			_, _ = fmt.Fprintf(w, "%q:", e.key)
			e.value.write(w)
		}
		_, _ = io.WriteString(w, "}")
	default:
		_, _ = fmt.Fprintf(w, "%d%q", n.kind, n.text)
	}
}
