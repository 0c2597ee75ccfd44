package cmd

import (
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/crawler/aggregate"
	"github.com/amblecrawl/amble/crawler/bucket"
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

// connections are what is promised to databases: no delay, since they are the
// operator's own, and no more requests at a time than the config says.
func connections(cfg *config.Config) iter.Seq2[string, exception] {
	return func(yield func(string, exception) bool) {
		for _, c := range cfg.Connections {
			scheme := query.Scheme
			if c.IsBucket() {
				scheme = download.Scheme
			}
			if !yield(scheme+"://"+c.Name, exception{delay: new(time.Duration), concurrency: c.Concurrency, circuitMost: probeEvery, giveUp: c.GiveUp}) {
				return
			}
		}
	}
}

// exceptionsOf are those of politeness.hosts, of connections and of outputs.
func exceptionsOf(cfg *config.Config) iter.Seq2[string, exception] {
	return func(yield func(string, exception) bool) {
		for _, all := range []iter.Seq2[string, exception]{exceptions(&cfg.Politeness), connections(cfg), services(cfg)} {
			for host, x := range all {
				if !yield(host, x) {
					return
				}
			}
		}
	}
}

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

// closeDatabases ends the connections.
func (c *crawl) closeDatabases() {
	if c.databases == nil {
		return
	}
	if err := c.databases.Close(); err != nil {
		c.log.Warn("a connection could not be closed", "err", fmt.Sprint(err))
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

// parseRequestArgument reads a URL from the command line that may be that of a
// query, with its parameters in any order.
func parseRequestArgument(cfg *config.Config, raw string) (urls.URL, error) {
	if strings.HasPrefix(raw, download.Scheme+"://") || bucket.IsURL(raw) && cfg.HasBuckets() {
		return objectArgument(cfg, raw)
	}
	if !strings.HasPrefix(raw, query.Scheme+"://") {
		return parseURLArgument(raw)
	}
	parsed, err := url.Parse(raw)
	if err != nil {
		return urls.URL{}, &exitError{exitConfig, fmt.Errorf("%q is not the URL of a query", raw)}
	}
	call, err := cfg.QuerySet().Read(parsed)
	if err != nil {
		return urls.URL{}, &exitError{exitConfig, err}
	}
	u, err := call.URL()
	if err != nil {
		return u, &exitError{exitConfig, err}
	}
	return u, nil
}

// explainQuery is explain for the URL of a query, of which no site has a say.
func (c *crawl) explainQuery(cmd *cobra.Command, w *tabwriter.Writer, row func(string, string, ...any), u urls.URL, standing string) error {
	x := c.gate.Explain(u.Origin(), u.Fetch())
	what := "query"
	if u.Scheme() == download.Scheme {
		what = "request"
	}
	row("scope", "in: the config names the "+map[string]string{"query": "query", "request": "bucket"}[what])
	if u.Scheme() == download.Scheme {
		place, seed := c.objectPlace(u)
		row("seed", "%s", seed)
		if place != "" {
			row("file", "%s", place)
		}
	}
	row("at once", "%s", plural(int64(x.Concurrency), what))
	row("frontier", "%s", standing)
	row("verdict", "would ask the connection %s", u.Hostname())
	if err := w.Flush(); err != nil {
		return err
	}
	if cmd.Context().Err() != nil {
		return &exitError{code: exitInterrupted}
	}
	return nil
}
