package query

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Query is one query of a config.
type Query struct {
	Name       string
	Connection string
	Type       string // of its records
	Params     []Param
	Page       *Page // nil: one answer holds everything
	Statement  *Statement
}

// Param is a named parameter.
type Param struct {
	Name string
	Type Type
}

// Page has a query answered in parts, each beginning after the last value of
// Column, which has to be unique and not null.
type Page struct {
	Column string
	Size   int // rows at most
}

// Param finds a parameter, nil where there is none of that name.
func (q *Query) Param(name string) *Param {
	for i := range q.Params {
		if q.Params[i].Name == name {
			return &q.Params[i]
		}
	}
	return nil
}

// afterName is the bound value of a page's beginning; no parameter can have it.
const afterName = "_after"

// SQL is the statement to execute, and the names of the values it takes in order;
// "_after" is the call's own. It asks for one row more than a page, which tells
// whether there is another.
func (c *Call) SQL() (sql string, names []string) {
	q := c.Query
	sql, names = q.Statement.whole()
	if q.Page == nil {
		return sql, names
	}
	d := q.Statement.driver
	column := "amble_page." + d.Quoted(q.Page.Column)
	sql = "select * from (\n" + sql + "\n) as amble_page"
	if c.After != nil {
		names = append(names, afterName)
		sql += " where " + column + " > " + d.placeholder(len(names))
	}
	return sql + " order by " + column + " limit " + strconv.Itoa(q.Page.Size+1), names
}

// NullSQL asks for one row whose page column is null, which no page would hold.
func (c *Call) NullSQL() (sql string, names []string) {
	q := c.Query
	sql, names = q.Statement.whole()
	column := "amble_page." + q.Statement.driver.Quoted(q.Page.Column)
	return "select 1 from (\n" + sql + "\n) as amble_page where " + column + " is null limit 1", names
}

// Arg is the value to bind for a name.
func (c *Call) Arg(name string) (any, error) {
	if name == afterName && c.After != nil {
		return c.After, nil
	}
	p := c.Query.Param(name)
	if p == nil {
		return nil, fmt.Errorf("there is no parameter %s", name)
	}
	return p.Type.Value(c.Values[name])
}

// Set is the queries of a crawl.
type Set []*Query

// Find finds a query by its connection and name, or by its name alone.
func (s Set) Find(connection, name string) *Query {
	i := slices.IndexFunc(s, func(q *Query) bool {
		return q.Name == name && (connection == "" || q.Connection == connection)
	})
	if i < 0 {
		return nil
	}
	return s[i]
}

// complete reports the first parameter without a value, and gives every value its
// one spelling.
func (q *Query) complete(values map[string]string) (map[string]string, error) {
	canonical := make(map[string]string, len(q.Params))
	for _, p := range q.Params {
		v, given := values[p.Name]
		if !given {
			return nil, fmt.Errorf("the parameter %s of %s has no value", p.Name, q.Name)
		}
		c, err := p.Type.Canonical(v)
		if err != nil {
			return nil, fmt.Errorf("the parameter %s of %s: %w", p.Name, q.Name, err)
		}
		canonical[p.Name] = c
	}
	if len(values) > len(canonical) {
		for name := range values {
			if q.Param(name) == nil {
				return nil, fmt.Errorf("%s has no parameter %s", q.Name, name)
			}
		}
	}
	return canonical, nil
}

// errURL means that a URL stands for no execution of a query.
var errURL = errors.New("not the URL of a query")
