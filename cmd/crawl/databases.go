package crawl

import (
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/fetch/blob"
	"github.com/amblecrawl/amble/crawler/fetch/database"
	"github.com/amblecrawl/amble/crawler/query"
)

// newDatabases makes the transport of a config's queries, nil where it has none.
func newDatabases(cfg *config.Config) (*database.Transport, error) {
	if len(cfg.QuerySet()) == 0 {
		return nil, nil
	}
	o := database.Options{Queries: cfg.QuerySet(), MaxBody: int64(cfg.Fetch.MaxBody), Name: "amble " + cfg.Name}
	for _, c := range cfg.Connections {
		if c.IsBucket() {
			continue
		}
		o.Connections = append(o.Connections, database.Connection{Name: c.Name, URL: c.URL, Concurrency: c.Concurrency, Timeout: c.Timeout})
	}
	return database.New(o)
}

// schemes are what a crawl fetches from beside the web.
func schemes(queries *database.Transport, buckets *blob.Transport) map[string]fetch.Scheme {
	all := map[string]fetch.Scheme{}
	if queries != nil {
		all[query.Scheme] = fetch.Scheme{Transport: queries, Timeout: queries.Timeout, Elements: query.Elements}
	}
	if buckets != nil {
		all[download.Scheme] = fetch.Scheme{Transport: buckets, Timeout: buckets.Timeout}
	}
	return all
}
