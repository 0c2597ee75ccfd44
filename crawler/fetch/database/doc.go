// Package database answers the sql:// requests of a crawl from databases: the
// innermost link of the fetch chain for that scheme.
//
// Each request is one statement in a read-only transaction of its own, with the
// values of its URL bound to its parameters. The answer is written as it is read
// from the server (package query has its form), so that a result takes no more
// memory than the rows on their way. A page of a result ends where the query's page
// size, the bound of an answer in bytes or the result does, and names the next.
//
// It promises that a connection is used by no more requests at a time than its
// concurrency, that an answer ends within the connection's timeout, and that an
// error tells by its class whether another attempt is worthwhile. Half a result is
// never taken for a whole one.
//
// It refuses to write: transactions are read-only, SQLite files are opened so.
package database
