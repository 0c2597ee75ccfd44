// Package query says what a crawl asks of databases, without any database: named
// queries with typed parameters, the sql:// URLs that stand for one execution of a
// query each, the partitions that a query is asked in, and the form of an answer.
//
// A request is a URL such as "sql://warehouse/orders_by_day?day=2026-01-01": the
// connection, the query and the values of its parameters, sorted by name and in one
// spelling, so that one execution has one URL. Names that begin with an underscore
// are the crawl's own: _after is where a page of an answer begins, _for the query
// that the rows give parameters to.
//
// It promises that a value never becomes part of a statement: the statement is made
// from the config alone, and values are bound. It refuses statements that have
// several parts, and placeholders other than :name.
package query
