package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Scheme is that of the URLs of queries.
const Scheme = "sql"

// Call is one execution of a query.
type Call struct {
	Query  *Query
	Values map[string]string // canonical, by parameter
	// After is the last value of the page column that was read before: int64,
	// float64 or string; nil for the first page.
	After any
	// For is the query that the rows give parameters to, nil where they are
	// records, and Fixed those of its parameters that are the same for each row.
	For   *Query
	Fixed map[string]string
	// Rows names the dataset that the rows are, "" where they are records.
	Rows string
}

const (
	forName     = "_for"
	fixedPrefix = "_for."

	// RowsName is the parameter of a URL that Call.Rows stands in.
	RowsName = "_rows"
)

// URL is the one URL of the call. Errors are about values, or wrap urls.ErrTooLong.
func (c *Call) URL() (urls.URL, error) {
	values, err := c.Query.complete(c.Values)
	if err != nil {
		return urls.URL{}, err
	}
	params := maps.Clone(values)
	if c.After != nil {
		text, err := json.Marshal(c.After)
		if err != nil {
			return urls.URL{}, err
		}
		params[afterName] = string(text)
	}
	if c.Rows != "" {
		params[RowsName] = c.Rows
	}
	if c.For != nil {
		params[forName] = c.For.Name
		for name, v := range c.Fixed {
			p := c.For.Param(name)
			if p == nil {
				return urls.URL{}, fmt.Errorf("%s has no parameter %s", c.For.Name, name)
			}
			if params[fixedPrefix+name], err = p.Type.Canonical(v); err != nil {
				return urls.URL{}, fmt.Errorf("the parameter %s of %s: %w", name, c.For.Name, err)
			}
		}
	}
	var b strings.Builder
	b.WriteString(Scheme + "://" + c.Query.Connection + "/" + c.Query.Name)
	for i, name := range slices.Sorted(maps.Keys(params)) {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(url.QueryEscape(name) + "=" + strings.ReplaceAll(url.QueryEscape(params[name]), "+", "%20"))
	}
	return urls.Parse(b.String())
}

// Read finds what a URL stands for. The error says what is wrong: such a URL may
// be one of an earlier config, whose query is no more or has other parameters.
func (s Set) Read(u *url.URL) (*Call, error) {
	if u.Scheme != Scheme {
		return nil, errURL
	}
	name := strings.TrimPrefix(u.Path, "/")
	c := &Call{Query: s.Find(u.Host, name), Values: map[string]string{}}
	if c.Query == nil {
		return nil, fmt.Errorf("the config has no query %s of a connection %s", name, u.Host)
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: %w (write values percent-encoded, such as %%3B for a semicolon)", errURL, err)
	}
	for name, values := range params {
		if len(values) != 1 {
			return nil, fmt.Errorf("%w: %s is given twice", errURL, name)
		}
		v := values[0]
		fixed, isFixed := strings.CutPrefix(name, fixedPrefix)
		switch {
		case name == afterName:
			if c.After, err = readAfter(v); err != nil {
				return nil, err
			}
		case name == RowsName:
			c.Rows = v
		case name == forName:
			if c.For = s.Find("", v); c.For == nil {
				return nil, fmt.Errorf("the config has no query %s", v)
			}
		case isFixed:
			if c.Fixed == nil {
				c.Fixed = map[string]string{}
			}
			c.Fixed[fixed] = v
		default:
			c.Values[name] = v
		}
	}
	c.Values, err = c.Query.complete(c.Values)
	return c, err
}

// readAfter reads a JSON number or string.
func readAfter(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, errURL
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		if f, err := v.Float64(); err == nil {
			return f, nil
		}
	}
	return nil, errURL
}

// Next is the call for the page behind one that ended with this value.
func (c *Call) Next(last any) *Call {
	next := *c
	next.After = last
	return &next
}

// ErrColumn means that rows cannot give another query its parameters.
var ErrColumn = errors.New("a parameter has no column")

// Target is the call that a row makes of the query it gives parameters to, by the
// names of its columns; nulls are absent from the row.
func (c *Call) Target(row map[string]string) (*Call, error) {
	t := &Call{Query: c.For, Values: maps.Clone(c.Fixed)}
	if t.Values == nil {
		t.Values = map[string]string{}
	}
	for _, p := range c.For.Params {
		if _, fixed := t.Values[p.Name]; fixed {
			continue
		}
		v, ok := row[p.Name]
		if !ok {
			return nil, fmt.Errorf("%w: %s of %s (a row of %s has none of that name, or null)", ErrColumn, p.Name, c.For.Name, c.Query.Name)
		}
		t.Values[p.Name] = v
	}
	return t, nil
}
