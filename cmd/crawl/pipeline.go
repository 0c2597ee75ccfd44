package crawl

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/query"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
	"github.com/amblecrawl/amble/extractors/content"
	"github.com/amblecrawl/amble/extractors/feeds"
)

// NewPipeline makes the extractors of a config, and the finders of its links.
func NewPipeline(cfg *config.Config, log *slog.Logger) (*extractors.Pipeline, error) {
	opt := extractors.Options{Sitemap: &feeds.Sitemap{}, Log: log, NoLinks: cfg.Links.Off}
	for i := range cfg.Links.Rules {
		l := &cfg.Links.Rules[i]
		takes, err := l.Takes()
		if err != nil {
			return nil, fmt.Errorf("links: %w", err)
		}
		rule := extractors.LinkRule{Finder: l.Finder, Takes: takes, MaxDepth: l.MaxDepth, Priority: l.Priority, Types: l.LeadsTo}
		if l.Download {
			rule.Kind = crawler.KindFile
		}
		rule.CSS, rule.Attr, _ = l.Finder.Simple()
		opt.Links = append(opt.Links, rule)
	}
	for _, r := range cfg.Extract {
		match, err := r.Matches()
		if err != nil {
			return nil, fmt.Errorf("extract.%s.match: %w", r.Type, err)
		}
		rule := extractors.Rule{Type: r.Type, Match: match, Extractor: r.Extractor}
		opt.Rules = append(opt.Rules, rule)
	}
	opt.Rules = append(opt.Rules, queryRules(cfg)...)
	opt.Rules = append(opt.Rules, bucketRules(cfg)...)
	if len(cfg.Extract) == 0 && cfg.IsWeb() && len(cfg.Sinks()) > 0 { // whoever names outputs wants records
		opt.Rules = []extractors.Rule{{Type: "page", Extractor: content.NewPage()}}
	}
	return extractors.New(opt)
}

// queryRules read the answers of queries. The rows of one that only gives others
// their parameters become no records.
func queryRules(cfg *config.Config) []extractors.Rule {
	var rules []extractors.Rule
	ofRows := func(u urls.URL) bool { return strings.Contains("&"+u.Query(), "&"+query.RowsName+"=") }
	if cfg.HasRowQueries() {
		rules = append(rules, extractors.Rule{Extractor: cfg.RowQueries(), Scheme: query.Scheme, Match: ofRows})
	}
	for _, q := range cfg.QuerySet() {
		host, path, recordType := q.Connection, "/"+q.Name, ""
		for i := range cfg.Seeds {
			switch s := &cfg.Seeds[i]; {
			case s.Query == q.Name:
				recordType = q.Type
			case s.Partition.Query == q.Name && recordType == "":
				recordType = cfg.QuerySet().Find("", s.Query).Type
			}
		}
		if recordType == "" {
			continue // no seed names it
		}
		rules = append(rules, extractors.Rule{
			Type: recordType, Extractor: query.Rows{}, Scheme: query.Scheme,
			Match: func(u urls.URL) bool { return u.Hostname() == host && u.Path() == path && !ofRows(u) },
		})
	}
	return rules
}

// bucketRules read the listings of buckets.
func bucketRules(cfg *config.Config) []extractors.Rule {
	if !cfg.Downloading() {
		return nil
	}
	return []extractors.Rule{{Type: cfg.Downloads.Type, Extractor: download.Objects{}, Scheme: download.Scheme}}
}
