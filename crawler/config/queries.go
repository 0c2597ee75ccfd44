package config

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/query"
)

// Connection is a database that queries are put to, or a bucket.
type Connection struct {
	Name         string        `yaml:",key"`
	URL          string        `yaml:"url,scalar" required:"true" doc:"postgres://user:${PASSWORD}@host:5432/name, mysql:// or mariadb:// likewise, or sqlite: and a file, relative to the config. A bucket is s3://name, gs://name, azblob://container or file:///folder, and a prefix behind it."`
	Concurrency  int           `yaml:"concurrency" default:"4" min:"1" max:"1000" doc:"Queries, or requests to a bucket, at a time."`
	Timeout      time.Duration `yaml:"timeout" default:"30s" min:"10ms" max:"24h" doc:"The longest that one answer may take, from its query to its last row; the server is told to end it as well. Of a bucket for one listing, and for a silence within a file."`
	GiveUp       time.Duration `yaml:"give_up" default:"15m" min:"1s" max:"720h" doc:"How long the database, or the bucket, fails until its requests are given up. Until then it is tried again, once a minute at the least."`
	Endpoint     string        `yaml:"endpoint" doc:"The address of a server that speaks S3, such as https://minio.example:9000."`
	Region       string        `yaml:"region" default:"us-east-1" doc:"The bucket's region."`
	PathStyle    bool          `yaml:"path_style" default:"false" doc:"Writes the bucket's name into the path of URLs; always so where there is an endpoint."`
	AccessKey    string        `yaml:"access_key" doc:"The name of the key that requests to a bucket are signed with; of Azure, the account."`
	SecretKey    string        `yaml:"secret_key" doc:"The key, as ${NAME}."`
	SessionToken string        `yaml:"session_token" doc:"Goes with keys that end, as ${NAME}."`
	Credentials  string        `yaml:"credentials" doc:"A Google service account's credentials as JSON, as ${NAME}."`
	Anonymous    bool          `yaml:"anonymous" default:"false" doc:"Asks a public bucket without credentials."`
}

// Query is a query of a config.
type Query struct {
	Name       string       `yaml:",key"`
	Connection string       `yaml:"connection" required:"true" doc:"The connection it is put to."`
	SQL        string       `yaml:"sql" required:"true" doc:"One statement that gives rows; :name stands for a parameter, whose value is bound, never pasted."`
	Params     []QueryParam `yaml:"params" doc:"The parameters, by name: text, integer, number, boolean, date or datetime."`
	Type       string       `yaml:"type" default:"(the query's name)" doc:"The record type of its rows."`
	Required   []string     `yaml:"required" doc:"Columns without which a row is no record, but a reject."`
	Schema     RecordSchema `yaml:"schema" doc:"JSON Schema that rows must keep, as a file or as it stands; others are rejects. docs/trust.md has the rules."`
	Page       QueryPage    `yaml:"page" doc:"Has a result read in pages, each a request of its own that is committed and resumed by itself: for results that are larger than one answer may be."`
}

// QueryParam is a parameter of a query.
type QueryParam struct {
	Name string `yaml:",key"`
	Type string `yaml:"type,scalar" required:"true" enum:"text,integer,number,boolean,date,datetime" doc:"What values it takes."`
}

// QueryPage is how a result is read in pages.
type QueryPage struct {
	Column string `yaml:"column,scalar" doc:"The column that pages are made by: unique and not null, and better with an index."`
	Size   int    `yaml:"size" default:"10000" min:"1" max:"50000" doc:"Rows in a page at most; fewer where they are larger than fetch.max_body."`
}

// Partition is how a query is asked in parts, each a request of its own: a range, a
// list of values, or the rows of another query.
type Partition struct {
	Param  string            `yaml:"param" doc:"The parameter that differs: an integer, date or datetime for a range."`
	Until  string            `yaml:"until" doc:"A second parameter, which gets where a step of the range ends; that is not part of it any more."`
	From   string            `yaml:"from" doc:"The first value of a range."`
	To     string            `yaml:"to" doc:"The last value of a range; of a datetime its end, which is not part of it."`
	Step   string            `yaml:"step" doc:"From one value to the next: a whole number, 1d, 1w, 1mo, 1y, or of a datetime a length such as 6h."`
	Values []string          `yaml:"values" doc:"The values of param, instead of a range."`
	Query  string            `yaml:"query" doc:"Another query: each of its rows is a part, whose columns give the parameters of the same names."`
	Params map[string]string `yaml:"params" doc:"The values of that query's own parameters."`
}

func (p *Partition) empty() bool {
	return p.Param == "" && p.Query == "" && p.Values == nil && p.From == "" && p.To == "" && p.Step == "" && p.Until == "" && p.Params == nil
}

func (p *Partition) span(q *query.Query) *query.Range {
	return &query.Range{Param: q.Param(p.Param), Until: q.Param(p.Until), From: p.From, To: p.To, Step: p.Step}
}

// QuerySet is the queries as requests name them.
func (c *Config) QuerySet() query.Set { return c.queries }

// IsWeb reports whether any seed is on the web, or could be.
func (c *Config) IsWeb() bool {
	return len(c.Seeds) == 0 || slices.ContainsFunc(c.Seeds, func(s Seed) bool { return s.Query == "" && s.Bucket == "" })
}

// yields reports whether there is anything to make records of.
func (c *Config) yields() bool { return len(c.Extract)+len(c.Queries) > 0 || c.Downloading() }

// eachCall yields the requests of a seed that is a query.
func (c *Config) eachCall(s *Seed, yield func(crawler.Seed, error) bool) (more bool) {
	q, p := c.queries.Find("", s.Query), &s.Partition
	give := func(call *query.Call) bool {
		u, err := call.URL()
		return yield(crawler.Seed{URL: u}, err) && err == nil
	}
	switch {
	case p.Query != "":
		return give(&query.Call{Query: c.queries.Find("", p.Query), Values: p.Params, For: q, Fixed: s.Params})
	case p.Values != nil:
		for _, v := range p.Values {
			if !give(&query.Call{Query: q, Values: query.With(s.Params, map[string]string{p.Param: v})}) {
				return false
			}
		}
		return true
	case p.Param != "":
		for values, err := range p.span(q).Values() {
			if err != nil {
				yield(crawler.Seed{}, err)
				return false
			}
			if !give(&query.Call{Query: q, Values: query.With(s.Params, values)}) {
				return false
			}
		}
		return true
	}
	return give(&query.Call{Query: q, Values: s.Params})
}

// queryName is what a host and a path can be without being encoded.
var queryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

var paramName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`)

func (l *loader) checkQueries(c *Config) {
	kinds := map[string]query.Driver{}
	var names []string
	for i := range c.Connections {
		k := &c.Connections[i]
		names = append(names, k.Name)
		if k.IsBucket() {
			if queryName.MatchString(k.Name) {
				l.checkBucketConnection(k)
				continue
			}
		}
		if kind, ok := l.checkConnection(k); ok {
			kinds[k.Name] = kind
		}
	}
	for i := range c.Queries {
		q := &c.Queries[i]
		if known := slices.Contains(names, q.Connection); !known && q.Connection != "" {
			l.unknownName(l.at("queries", q.Name, "connection").place, "queries."+q.Name+".connection: there is no connection "+short(q.Connection), q.Connection, names)
		}
		if compiled := l.checkQuery(q, kinds[q.Connection]); compiled != nil {
			c.queries = append(c.queries, compiled)
		}
	}
}

func (l *loader) unknownName(at place, msg, name string, known []string) {
	hint := ""
	if near := nearest(name, known); near != "" {
		hint = "did you mean " + near + "?"
	} else if len(known) > 0 {
		hint = "there are " + strings.Join(known[:min(len(known), 20)], ", ")
	}
	l.foreign(at, hint, msg)
}

func (l *loader) checkConnection(k *Connection) (query.Driver, bool) {
	if !queryName.MatchString(k.Name) {
		l.errorf(l.keyPlace("connections", k.Name), "use letters, digits, - and _, at most 63", "connections: %q is not a name for a connection", short(k.Name))
		return "", false
	}
	n := l.at("connections", k.Name)
	if e := n.get("url"); n.kind == mappingKind && e != nil {
		n = e.value
	}
	if n.broken || k.URL == "" {
		if k.URL == "" && n.kind == textKind && !n.broken {
			l.errorf(n.place, "", "connections.%s.url is empty", k.Name)
		}
		return "", false
	}
	kind, err := query.DriverOf(k.URL)
	if userEnds(k.URL) {
		l.errorf(n.place, encodeUser, "connections.%s.url: its user or password is cut by a slash; found %s", k.Name, n)
		return "", false
	}
	if err != nil {
		l.errorf(n.place, "", "connections.%s.url: %v", k.Name, err)
		return "", false
	}
	if kind == query.SQLite {
		if path, _ := query.SQLitePath(k.URL); !filepath.IsAbs(path) {
			k.URL = "sqlite:" + filepath.Join(l.dir, path)
		}
	}
	return kind, true
}

// checkQuery compiles a query; nil where it cannot be used.
func (l *loader) checkQuery(q *Query, kind query.Driver) *query.Query {
	path := "queries." + q.Name
	before := len(l.found)
	if !queryName.MatchString(q.Name) {
		l.errorf(l.keyPlace("queries", q.Name), "use letters, digits, - and _, at most 63", "queries: %q is not a name for a query", short(q.Name))
	}
	out := &query.Query{Name: q.Name, Connection: q.Connection, Type: q.Type}
	if out.Type == "" {
		out.Type = q.Name
	} else if why := badType(q.Type); why != "" {
		l.errorf(l.at("queries", q.Name, "type").place, "use letters, digits, - and _", "%s.type: %s", path, why)
	}
	for _, p := range q.Params {
		if !paramName.MatchString(p.Name) {
			l.errorf(l.keyPlace("queries", q.Name, "params", p.Name), "use letters, digits and _", "%s.params: %q is not a name for a parameter", path, short(p.Name))
		}
		out.Params = append(out.Params, query.Param{Name: p.Name, Type: query.Type(p.Type)})
	}
	if q.Page.Column != "" {
		out.Page = &query.Page{Column: q.Page.Column, Size: q.Page.Size}
	} else if l.given("queries", q.Name, "page") {
		l.errorf(l.keyPlace("queries", q.Name, "page"), "name a column that is unique and not null", "%s.page: no column is given", path)
	}
	l.checkSQL(q, out, kind)
	if l.found[before:].Failed() || kind == "" || out.Statement == nil {
		return nil
	}
	return out
}

func (l *loader) checkSQL(q *Query, out *query.Query, kind query.Driver) {
	n, path := l.at("queries", q.Name, "sql"), "queries."+q.Name
	if kind == "" || n.broken || !l.given("queries", q.Name, "sql") || n.kind == nullKind || n.kind >= listKind {
		return
	}
	s, err := query.Compile(kind, q.SQL)
	if err != nil {
		l.errorf(n.place, "", "%s.sql: %v", path, err)
		return
	}
	var known []string
	for _, p := range out.Params {
		known = append(known, p.Name)
		if !slices.Contains(s.Names(), p.Name) {
			l.warnf(l.keyPlace("queries", q.Name, "params", p.Name), "write :"+p.Name+" where it belongs, or remove it", "%s.sql does not use the parameter %s", path, p.Name)
		}
	}
	for i, name := range s.Names() {
		if out.Param(name) != nil || slices.Contains(s.Names()[:i], name) {
			continue
		}
		hint := "add params: {" + short(name) + ": text}"
		if near := nearest(name, known); near != "" {
			hint = "did you mean :" + near + "?"
		}
		l.errorf(n.place, hint, "%s.sql: there is no parameter :%s", path, short(name))
	}
	out.Statement = s
}

// queried reports whether a value stands in what databases are reached by, or in
// what they are asked, which their errors may repeat.
func (c *Config) queried(forms []spelling) bool {
	var texts []string
	for _, k := range c.Connections {
		texts = append(texts, k.URL)
	}
	for _, q := range c.Queries {
		texts = append(texts, q.SQL)
	}
	for _, s := range c.Seeds {
		texts = slices.AppendSeq(texts, maps.Values(s.Params))
		texts = slices.AppendSeq(texts, maps.Values(s.Partition.Params))
		texts = append(texts, s.Partition.Values...)
		texts = slices.AppendSeq(append(texts, s.Rows.Query), maps.Values(s.Rows.Params))
	}
	return slices.ContainsFunc(texts, func(text string) bool {
		return slices.ContainsFunc(forms, func(f spelling) bool { return strings.Contains(text, f.text) })
	})
}
