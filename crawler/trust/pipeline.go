package trust

import (
	"context"

	"github.com/amblecrawl/amble/crawler"
)

// pipeline keeps what falls short out of a crawl's records.
type pipeline struct {
	crawler.Pipeline
	demands map[string]*Demand
	source  func(recordType, field string) string
}

// Enforce holds the records of a pipeline against the demands on their types.
// Source says where a field is read from, "" where that is not known.
func Enforce(p crawler.Pipeline, demands map[string]*Demand, source func(recordType, field string) string) crawler.Pipeline {
	if len(demands) == 0 {
		return p
	}
	return &pipeline{p, demands, source}
}

// Run implements crawler.Pipeline.
func (p *pipeline) Run(ctx context.Context, page *crawler.Page, r *crawler.Result) error {
	first := len(r.Records)
	err := p.Pipeline.Run(ctx, page, r)
	kept := r.Records[:min(first, len(r.Records))]
	for i := len(kept); i < len(r.Records); i++ {
		record := r.Records[i]
		problems := p.problems(&record)
		if len(problems) == 0 {
			kept = append(kept, record)
			continue
		}
		r.Reject(record, problems)
	}
	clear(r.Records[len(kept):])
	r.Records = kept
	return err
}

func (p *pipeline) problems(record *crawler.Record) []crawler.Problem {
	demand := p.demands[record.Type]
	if demand == nil {
		return nil
	}
	problems := demand.Check(record)
	for i := range problems {
		if problems[i].Field != "" {
			problems[i].Source = p.source(record.Type, problems[i].Field)
		}
	}
	return problems
}
