package config

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/query"
	"github.com/amblecrawl/amble/crawler/rows"
	"github.com/amblecrawl/amble/crawler/urls"
)

// The rows of a query are a request of the crawl as any: its answer, or each page of
// it, is committed together with the requests that its rows make. So a run resumes
// within it, and no row is taken twice.

// rowQuery finds or makes the query of a seed's rows.
func (k *seedCheck) rowQuery(c *Config, i int, n *node) bool {
	s := &c.Seeds[i]
	d, at := &s.Rows, n.below([]string{"rows"})
	place := func(key string) place { return at.below([]string{key}).place }
	before := len(k.found)
	switch {
	case d.File != "":
		k.errorf(at.place, "give each a dash of its own", "seeds: rows are a file or a query, not both")
	case d.Query == "":
		k.errorf(at.place, "name a query, or write SQL", "seeds: the rows of a connection need a query")
	case s.Delimiter != "":
		k.errorf(n.below([]string{"delimiter"}).place, "remove it", "seeds: the rows of a query have no delimiter")
	case d.sql():
		k.rowSQL(c, i, at)
	default:
		q := k.seedQuery(c, d.Query, place("query"))
		if q == nil {
			return false
		}
		if d.Connection != "" && d.Connection != q.Connection {
			k.errorf(place("connection"), "remove it", "seeds: the query %s is of the connection %s", q.Name, q.Connection)
		}
		if d.Page != nil && d.Page.Column != "" {
			k.errorf(place("page"), "give it to the query, under queries", "seeds: a named query has its own page")
		}
		d.Connection, d.queryName = q.Connection, q.Name
		given := map[string]bool{}
		k.values(q, d.Params, at, given)
		for _, p := range q.Params {
			if !given[p.Name] {
				k.errorf(at.place, "give it under params", "seeds: the parameter %s of the query %s has no value", p.Name, q.Name)
			}
		}
	}
	if k.found[before:].Failed() || d.queryName == "" {
		return false
	}
	if q := c.queries.Find("", d.queryName); len(s.Key) == 0 && q.Page != nil {
		s.Key = []string{q.Page.Column}
	}
	return true
}

// rowSQL compiles SQL that stands in a seed.
func (k *seedCheck) rowSQL(c *Config, i int, at *node) {
	d := &c.Seeds[i].Rows
	var names []string
	for _, conn := range c.Connections {
		names = append(names, conn.Name)
	}
	if !slices.Contains(names, d.Connection) {
		k.unknownName(at.below([]string{"connection"}).place, "seeds: there is no connection "+short(d.Connection), d.Connection, names)
		return
	}
	j := slices.IndexFunc(c.Connections, func(conn Connection) bool { return conn.Name == d.Connection })
	kind, err := query.DriverOf(c.Connections[j].URL)
	if err != nil {
		return // it has been complained about
	}
	statement, err := query.Compile(kind, d.Query)
	switch {
	case err != nil:
		k.errorf(at.below([]string{"query"}).place, "", "seeds: rows.query: %v", err)
		return
	case len(statement.Names()) > 0 || d.Params != nil:
		k.errorf(at.below([]string{"query"}).place, "give it a name under queries", "seeds: SQL that stands in a seed has no parameters")
		return
	}
	// No query of a config has a name that begins so.
	q := &query.Query{Name: fmt.Sprintf("_rows%d", i), Connection: d.Connection, Statement: statement}
	if d.Page != nil && d.Page.Column != "" {
		q.Page = &query.Page{Column: d.Page.Column, Size: d.Page.Size}
	}
	d.queryName = q.Name
	c.queries = append(c.queries, q)
}

// queriedRows checks what can be known of rows before their query is put: the hosts
// that they lead to.
func (k *seedCheck) queriedRows(r *request, n *node) {
	at := n.below([]string{"url"})
	prefix := r.url.Prefix()
	if host, _, whole := strings.Cut(afterScheme(prefix), "/"); whole || r.url.Constant() {
		u, err := parseSeed(prefix[:len(prefix)-len(afterScheme(prefix))] + host)
		if err != nil {
			k.errorf(at.place, "", "seeds: url: %v; found %s", err, at)
		} else {
			k.hosts[hostPattern(u)] = true
		}
		return
	}
	if k.hostsOnly == nil {
		k.errorf(at.place, `set scope.hosts, to "*" for all`, "seeds: the hosts are in the rows of a query, which are not known yet")
	}
}

// rowCall yields the request of a seed's query.
func (c *Config) rowCall(s *Seed, yield func(crawler.Seed, error) bool) (more bool) {
	r, err := c.request(s)
	if err != nil {
		return yield(crawler.Seed{}, fmt.Errorf("seeds: %w", err))
	}
	call := &query.Call{Query: c.queries.Find("", s.Rows.queryName), Values: maps.Clone(s.Rows.Params), Rows: r.mark()}
	u, err := call.URL()
	return yield(crawler.Seed{URL: u}, err) && err == nil
}

// RowQueries reads the answers of queries whose rows are a dataset.
func (c *Config) RowQueries() crawler.Extractor { return rowQueries{c} }

// HasRowQueries reports whether a seed has the rows of a query.
func (c *Config) HasRowQueries() bool {
	return slices.ContainsFunc(c.Seeds, func(s Seed) bool { return s.Rows.queried() })
}

type rowQueries struct{ config *Config }

// NeedsTree is false.
func (rowQueries) NeedsTree() bool { return false }

// Extract makes a seed of each row, and follows to the next page.
func (x rowQueries) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	r, err := x.find(p.URL)
	if err != nil {
		return err
	}
	give := r.giver(func(s crawler.Seed, _ int64) bool { e.Seed(s); return true })
	var number int64
	next, err := query.Each(ctx, p.Response.Body, func(fields []crawler.Field) error {
		number++
		row := &rows.Row{Number: number, Fields: fields}
		for i := range fields {
			if text, isText := fields[i].Value.(string); isText && !bytes.Equal([]byte(text), bytes.ToValidUTF8([]byte(text), nil)) {
				row.Err = fmt.Errorf("%s: the text is not UTF-8", fields[i].Name)
			}
		}
		give(row)
		return nil
	})
	if err != nil {
		return err
	}
	give(nil)
	if next != "" {
		u, err := urls.Parse(next)
		if err != nil {
			return err
		}
		e.Link(crawler.Link{URL: u})
	}
	return nil
}

func (x rowQueries) find(u urls.URL) (*request, error) {
	mark := ""
	if q, err := url.ParseQuery(u.Query()); err == nil {
		mark = q.Get(query.RowsName)
	}
	for i := range x.config.Seeds {
		s := &x.config.Seeds[i]
		if !s.Rows.queried() {
			continue
		}
		if r, err := x.config.request(s); err == nil && r.mark() == mark {
			return r, nil
		}
	}
	return nil, fmt.Errorf("the config has no rows of this query any more: was it changed since the run began? --fresh starts over")
}
