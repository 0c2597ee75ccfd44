package execution

import (
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/aggregate"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/login"
	"github.com/amblecrawl/amble/crawler/monitor"
	"github.com/amblecrawl/amble/crawler/veil"
	"github.com/amblecrawl/amble/extractors/simhash"
)

// aggregates are what a config's records are summed up to.
func aggregates(cfg *config.Config) []aggregate.Spec {
	var specs []aggregate.Spec
	for _, a := range cfg.Aggregate {
		specs = append(specs, aggregate.Spec{
			Name: a.Name, Of: a.Of, GroupBy: a.GroupBy, Count: a.Count, Sum: a.Sum, Min: a.Min, Max: a.Max, Avg: a.Avg,
			Only: a.Only, MaxGroups: a.MaxGroups,
		})
	}
	return specs
}

// Parts are what the engine is put together from: a crawl's parts, with the
// state, the ledger, the login (nil for none) and the answers of this run. A test that
// puts a clock or a dialer of its own beneath the engine begins here.
func Parts(c *crawl.Crawl, f crawler.Frontier, m *monitor.Monitor, book crawler.Ledger, session *login.Session, from *Answers) crawler.Parts {
	fetcher, polite := from.parts(c, session)
	return crawler.Parts{
		Frontier: f, Politeness: polite, Pipeline: m.Peek(veil.Pipeline(c.Trusted(), c.Config.Veil())), Sinks: c.Config.AllSinks(),
		NewFetcher: fetcher,
		Scope:      c.Scope, Canon: c.Canon, Observer: m.Observer(), Log: c.Log,
		Ledger: book, PagePolicy: c.PagePolicy(), Print: simhash.Page,
		Rows: c.Config.RowTypes(), Batches: c.Config.BatchRule, Hide: c.Config.Veil().Hide, Weigh: c.Pipeline.Weigh,
	}
}

// Hiding takes out of a text what a config got from the environment.
func Hiding(cfg *config.Config) func(string) string {
	veil := cfg.Veil()
	return func(text string) string { return veil.Hide(cfg.Redact(text)) }
}
