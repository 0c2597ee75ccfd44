package extractors

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/markup"
)

// The bounds of a page where Options names none.
const (
	DefaultMaxRecords = 50_000
	DefaultMaxLinks   = 20_000
	DefaultTimeout    = 30 * time.Second
)

// Rule applies one extractor to the pages it matches.
type Rule struct {
	Type      string              // the record type; "" where it gives none, of another Scheme
	Match     func(urls.URL) bool // nil: every page, or those that link rules lead to it
	Extractor crawler.Extractor
	// Scheme is that of the URLs the rule is for; "": http and https.
	Scheme string
}

// Options say what a Pipeline does with each page.
type Options struct {
	Rules []Rule
	// Links say which references are followed; none means DefaultLinks.
	Links []LinkRule
	// NoLinks follows nothing but the links that extractors emit.
	NoLinks bool
	// Sitemap reads the answers to requests of crawler.KindSitemap; nil ignores them.
	Sitemap crawler.Extractor
	// Log gets the stack of a plugin that panics; nil discards it.
	Log *slog.Logger
	// MaxRecords and MaxLinks bound one page; 0 takes the defaults. The links of
	// a sitemap have their own bound.
	MaxRecords, MaxLinks int
	// Timeout bounds the work on one page; 0 takes the default. It is checked
	// between extractors and handed to them as their context's deadline.
	Timeout time.Duration
}

// Pipeline runs a crawl's rules over pages. It is safe for concurrent use.
type Pipeline struct {
	rules      []rule
	links      *linkRules // nil: follow nothing
	sitemap    crawler.Extractor
	log        *slog.Logger
	maxRecords int
	maxLinks   int
	timeout    time.Duration
}

type rule struct {
	Rule
	needsTree bool
	led       bool // a link rule leads to the type
}

// applies reports whether the rule is for a page: by its match, or by the link that
// led there. A type that links lead to and that has no match is for no other page.
func (r *rule) applies(p *crawler.Page) bool {
	if !p.URL.IsHTTP() || r.Scheme != "" {
		return r.Scheme == p.URL.Scheme() && (r.Match == nil || r.Match(p.URL))
	}
	if slices.Contains(p.Request.Types, r.Type) {
		return true
	}
	if r.Match == nil {
		return !r.led
	}
	return r.Match(p.URL)
}

var _ crawler.Pipeline = (*Pipeline)(nil)

// New prepares a pipeline. Its errors are *crawler.ConfigError: a rule without
// a type or extractor, a link selector that does not compile.
func New(opt Options) (*Pipeline, error) {
	pl := &Pipeline{
		sitemap:    opt.Sitemap,
		log:        opt.Log,
		maxRecords: orDefault(opt.MaxRecords, DefaultMaxRecords),
		maxLinks:   orDefault(opt.MaxLinks, DefaultMaxLinks),
		timeout:    orDefault(opt.Timeout, DefaultTimeout),
	}
	if pl.log == nil {
		pl.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	for _, r := range opt.Rules {
		if r.Type == "" && r.Scheme == "" {
			return nil, &crawler.ConfigError{Path: []string{"extract"}, Msg: "a rule has no record type"}
		}
		if r.Extractor == nil {
			return nil, &crawler.ConfigError{Path: []string{"extract", r.Type}, Msg: "the rule has no extractor"}
		}
		needsTree := true
		if t, ok := r.Extractor.(crawler.TreeReader); ok {
			needsTree = t.NeedsTree()
		}
		pl.rules = append(pl.rules, rule{Rule: r, needsTree: needsTree})
	}
	if opt.NoLinks {
		return pl, nil
	}
	links, err := compileLinks(opt.Links)
	if err != nil {
		return nil, err
	}
	pl.links = links
	for i := range pl.rules {
		r := &pl.rules[i]
		r.led = slices.ContainsFunc(links.rules, func(l compiledLink) bool { return slices.Contains(l.Types, r.Type) })
	}
	return pl, nil
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Types lists the record types in the order of the rules. Rules that share a
// type share its entry; its fields are known when all of them know theirs.
func (pl *Pipeline) Types() []crawler.RecordType {
	var types []crawler.RecordType
	for _, r := range pl.rules {
		if r.Type == "" {
			continue
		}
		var fields []string
		if l, ok := r.Extractor.(crawler.FieldLister); ok {
			fields = l.FieldNames()
		}
		i := slices.IndexFunc(types, func(t crawler.RecordType) bool { return t.Name == r.Type })
		if i < 0 {
			types = append(types, crawler.RecordType{Name: r.Type, Fields: slices.Clone(fields)})
			continue
		}
		if fields == nil || types[i].Fields == nil {
			types[i].Fields = nil
			continue
		}
		for _, f := range fields {
			if !slices.Contains(types[i].Fields, f) {
				types[i].Fields = append(types[i].Fields, f)
			}
		}
	}
	return types
}

// Run appends the page's records, links and errors to r. It returns an error
// when the page's extraction failed as a whole: a plugin panicked, or the time
// for the page ran out; r then still holds the links, but no records. When ctx
// itself has ended the error wraps ctx.Err().
func (pl *Pipeline) Run(ctx context.Context, p *crawler.Page, r *crawler.Result) error {
	first, firstReject := len(r.Records), len(r.Rejects)
	p.Parse = markup.Tree
	err := pl.run(ctx, p, r)
	if err != nil {
		r.Records, r.Rejects, r.Matched = r.Records[:first], r.Rejects[:firstReject], nil
		return fmt.Errorf("extracting from %s: %w", p.URL.Redacted(), err)
	}
	stamp(p, r.Records[first:], r.Rejects[firstReject:])
	return nil
}

func (pl *Pipeline) run(parent context.Context, p *crawler.Page, r *crawler.Result) error {
	ctx, cancel := context.WithTimeoutCause(parent, pl.timeout,
		fmt.Errorf("the page took longer than %v", pl.timeout))
	defer cancel()
	if p.Request.Kind == crawler.KindSitemap {
		if pl.sitemap == nil {
			return nil
		}
		return pl.apply(ctx, Rule{Type: "sitemap", Extractor: pl.sitemap}, p, r)
	}
	var matching []Rule
	var tree bool
	if _, err := pl.call("match", p, func() error { matching, tree = pl.matching(p); return nil }); err != nil {
		return err
	}
	if err := pl.gather(ctx, p, r, tree); err != nil {
		return err
	}
	for _, m := range matching {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if m.Type != "" && !slices.Contains(r.Matched, m.Type) {
			r.Matched = append(r.Matched, m.Type)
		}
		if err := pl.apply(ctx, m, p, r); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// matching picks the rules for a page, and says whether one needs its tree.
func (pl *Pipeline) matching(p *crawler.Page) (rules []Rule, tree bool) {
	isHTML := p.IsHTML()
	for i := range pl.rules {
		r := &pl.rules[i]
		if r.needsTree && !isHTML || !r.applies(p) {
			continue
		}
		rules = append(rules, r.Rule)
		tree = tree || r.needsTree
	}
	return rules, tree
}
