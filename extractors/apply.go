package extractors

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// apply runs one extractor on a page. What the extractor returns as an error
// costs its own records; a panic is returned and costs the page.
func (pl *Pipeline) apply(ctx context.Context, rule Rule, p *crawler.Page, r *crawler.Result) error {
	records, links, rejects := len(r.Records), len(r.Links), len(r.Rejects)
	e := crawler.NewEmitter(rule.Type, p, r)
	panicked, failure := pl.call(rule.Type, p, func() error { return rule.Extractor.Extract(ctx, p, e) })
	if panicked {
		return failure
	}
	if failure != nil {
		if ctx.Err() != nil { // not the plugin's fault: run reports it
			return context.Cause(ctx)
		}
		if p.Request.Kind != crawler.KindSitemap { // a broken sitemap keeps what it gave
			r.Records, r.Links, r.Rejects = r.Records[:records], r.Links[:links], r.Rejects[:rejects]
		}
		e.FieldError("", "", true, failure)
	}
	if len(r.Records)-records > pl.maxRecords {
		r.Records = r.Records[:records+pl.maxRecords]
		e.FieldError("", "", true, fmt.Errorf("more than %d records on one page: the rest was left out", pl.maxRecords))
	}
	if len(r.Rejects)-rejects > pl.maxRecords {
		r.Rejects = r.Rejects[:rejects+pl.maxRecords]
	}
	if p.Request.Kind == crawler.KindSitemap { // it holds no records
		r.Rejects = r.Rejects[:rejects]
	}
	sourced(rule, r.Rejects[rejects:])
	if p.Request.Kind != crawler.KindSitemap && len(r.Links)-links > pl.maxLinks {
		r.Links = r.Links[:links+pl.maxLinks]
		e.FieldError("", "", false, fmt.Errorf("more than %d links on one page: the rest was left out", pl.maxLinks))
	}
	return nil
}

// call runs work and turns a panic into an error, with its stack in the log.
func (pl *Pipeline) call(what string, p *crawler.Page, work func() error) (panicked bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			pl.log.Error("an extractor panicked", "type", what, "url", p.URL.Redacted(),
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			panicked, err = true, fmt.Errorf("extractor of %q panicked: %v", what, v)
		}
	}()
	return false, work()
}

// sourced says of each problem where its field is read from.
func sourced(rule Rule, rejects []crawler.Reject) {
	s, ok := rule.Extractor.(crawler.Sourcer)
	if !ok {
		return
	}
	for i := range rejects {
		for j := range rejects[i].Problems {
			if p := &rejects[i].Problems[j]; p.Field != "" && p.Source == "" {
				p.Source = s.FieldSource(p.Field)
			}
		}
	}
}

// stamp gives a page's records and rejects their provenance. Those of one type
// are numbered in their order on the page, which makes their keys the same in
// every run.
func stamp(p *crawler.Page, records []crawler.Record, rejects []crawler.Reject) {
	if len(records)+len(rejects) == 0 {
		return
	}
	page := p.Request.Identity()
	where, requested, at := p.URL.Redacted(), p.Request.Origin(), p.Response.FetchedAt.UTC()
	number := func(key func(string, urls.Key, int) string) func(*crawler.Record) {
		ordinals := make(map[string]int, 4)
		return func(rec *crawler.Record) {
			rec.URL, rec.Requested, rec.FetchedAt = where, requested, at
			rec.Key = key(rec.Type, page, ordinals[rec.Type])
			ordinals[rec.Type]++
		}
	}
	record, reject := number(crawler.RecordKey), number(crawler.RejectKey)
	for i := range records {
		record(&records[i])
	}
	for i := range rejects {
		reject(&rejects[i].Record)
	}
}
