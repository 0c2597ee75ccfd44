package crawl

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/fetch/blob"
	"github.com/amblecrawl/amble/crawler/fetch/database"
	"github.com/amblecrawl/amble/crawler/query"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
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

// closeDatabases ends the connections.
func (c *Crawl) closeDatabases() {
	if c.databases == nil {
		return
	}
	if err := c.databases.Close(); err != nil {
		c.Log.Warn("a connection could not be closed", "err", fmt.Sprint(err))
	}
}

// onTheWeb signs and credits requests of the web, and no others.
type onTheWeb struct{ web, other http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t onTheWeb) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" || req.URL.Scheme == "https" {
		return t.web.RoundTrip(req)
	}
	return t.other.RoundTrip(req)
}
