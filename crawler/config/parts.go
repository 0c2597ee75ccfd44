package config

import (
	"regexp"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// The forms that the parts of a crawl take their settings in.

// Settings are the engine's bounds.
func (c *Config) Settings() crawler.Settings {
	retries := c.Fetch.Retries
	if retries == 0 {
		retries = -1 // the engine's word for none
	}
	return crawler.Settings{
		Name: c.Name, Workers: c.Fetch.Workers, MaxPages: c.Scope.MaxPages, Canonical: canonicalRules[c.Scope.Canonical],
		Retries: retries, SkipRel: c.Politeness.RelNofollow == "skip", Grace: c.Grace, BatchPages: c.Commit.Pages,
		BatchBytes: int64(c.Commit.Bytes), BatchInterval: c.Commit.Interval,
		Traps: c.TrapRules(),
	}
}

var canonicalRules = map[string]crawler.CanonicalRule{
	"ignore": crawler.CanonicalIgnore, "follow": crawler.CanonicalFollow, "only": crawler.CanonicalOnly,
}

// TrapRules are the rules for what a site can make up, none when they are off.
func (c *Config) TrapRules() crawler.TrapRules {
	t := &c.Scope.Traps
	if t.off() {
		return crawler.TrapRules{}
	}
	rules := crawler.TrapRules{
		Repeats: t.Repeats, Facets: t.Facets, Stale: t.Stale, Pattern: t.Pattern,
		NearDuplicates: t.NearDuplicates == "cut",
	}
	for _, r := range c.Extract {
		if r.Match != nil || c.Links.leadTo(r.Type) {
			rules.News = append(rules.News, r.Type)
		}
	}
	return rules
}

func (t *Traps) off() bool { return t.Mode == "off" }

// Sinks are the outputs under names that stay the same from run to run.
func (c *Config) Sinks() []crawler.NamedSink {
	sinks := make([]crawler.NamedSink, len(c.Output))
	for i, o := range c.Output {
		sinks[i] = crawler.NamedSink{Name: o.Name, Sink: o.Sink}
	}
	return sinks
}

// ScopeRules are the scope, with the hosts of the seeds where it names none.
func (c *Config) ScopeRules() urls.ScopeRules { return c.Scope.rules() }

func (s *Scope) rules() urls.ScopeRules {
	return urls.ScopeRules{Hosts: s.Hosts, Include: patterns(s.Include), Exclude: patterns(s.Exclude), MaxDepth: s.MaxDepth}
}

func patterns(list []Pattern) []urls.Pattern {
	var out []urls.Pattern
	for _, p := range list {
		out = append(out, p.urls())
	}
	return out
}

// Canon is the rule by which two URLs are one page.
func (c *Config) Canon() *urls.Canon {
	t := &c.Scope.Traps
	return &urls.Canon{DropParams: c.Scope.DropParams, DropSessions: !t.off() && t.Sessions == "strip"}
}

// key is the host, and its port where it has one, as URLs spell it.
func (r Resolve) key() (string, error) {
	host, port, err := urls.ParseHost(r.Host)
	if err == nil && port != "" {
		host += ":" + port
	}
	return host, err
}

// ResolveMap is fetch.resolve as host, or host:port, to ip:port. The hosts are
// spelt as in URLs.
func (c *Config) ResolveMap() map[string]string {
	m := make(map[string]string, len(c.Fetch.Resolve))
	for _, r := range c.Fetch.Resolve {
		if key, err := r.key(); err == nil { // a config that loaded has no other
			m[key] = r.Address.String()
		}
	}
	return m
}

// Matches compiles the rule's match; nil means every page.
func (r *Rule) Matches() (func(urls.URL) bool, error) {
	if r.Match == nil {
		return nil, nil
	}
	if r.Match.Regex != "" {
		re, err := regexp.Compile(r.Match.Regex)
		if err != nil {
			return nil, err
		}
		return func(u urls.URL) bool { return re.MatchString(u.Fetch()) }, nil
	}
	g, err := urls.NewGlob(r.Match.Glob)
	if err != nil {
		return nil, err
	}
	return g.Match, nil
}
