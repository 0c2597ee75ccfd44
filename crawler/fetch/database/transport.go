package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/crawler/query"
)

// Connection is one database.
type Connection struct {
	Name        string
	URL         string        // with its password: it is never shown
	Concurrency int           // statements at a time
	Timeout     time.Duration // of an answer, from its beginning to its last row
}

// Options shape a Transport.
type Options struct {
	Connections []Connection
	Queries     query.Set
	// MaxBody is the most bytes of one answer.
	MaxBody int64
	// Name is told to the servers.
	Name string
}

// Transport answers the requests of the scheme sql. It is safe for concurrent use.
type Transport struct {
	queries   query.Set
	maxBody   int64
	databases map[string]*database
}

// database is a connection with its pool, which nothing has been asked yet.
type database struct {
	Connection
	driver driver
	pool   *sql.DB
}

// New makes a Transport; no connection is made before the first request. Errors
// name the connection, and never hold its URL.
func New(o Options) (*Transport, error) {
	t := &Transport{queries: o.Queries, maxBody: o.MaxBody, databases: map[string]*database{}}
	for _, c := range o.Connections {
		d, err := driverOf(c.URL)
		if err == nil {
			var pool *sql.DB
			if pool, err = d.open(c.URL, o.Name); err == nil {
				pool.SetMaxOpenConns(c.Concurrency)
				pool.SetMaxIdleConns(c.Concurrency)
				pool.SetConnMaxIdleTime(time.Minute)
				t.databases[c.Name] = &database{Connection: c, driver: d, pool: pool}
			}
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connections.%s: %w", c.Name, err), t.Close())
		}
	}
	return t, nil
}

// Close ends the connections. Requests must have ended.
func (t *Transport) Close() error {
	var errs []error
	for _, d := range t.databases {
		errs = append(errs, d.pool.Close())
	}
	return errors.Join(errs...)
}

// Timeout bounds an exchange with a connection.
func (t *Transport) Timeout(connection string) time.Duration {
	if d := t.databases[connection]; d != nil {
		return d.Timeout
	}
	return time.Second // it fails at once
}

// RoundTrip executes the query that the request's URL stands for. The body of the
// response reads on in the result; it has to be closed.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	call, err := t.queries.Read(req.URL)
	if err != nil {
		return nil, refused(err)
	}
	d := t.databases[call.Query.Connection]
	if d == nil {
		return nil, refused(fmt.Errorf("the config has no connection %s", call.Query.Connection))
	}
	ctx, cancel := context.WithTimeout(req.Context(), d.Timeout)
	a := &answer{ctx: ctx, cancel: cancel, database: d, call: call, most: t.maxBody}
	if err := a.begin(); err != nil {
		a.abandon()
		return nil, err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {query.MediaType}}, ContentLength: -1, Body: a, Request: req,
	}, nil
}
