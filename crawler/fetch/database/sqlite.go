package database

import (
	"context"
	"database/sql"
	dbdriver "database/sql/driver"
	"errors"
	"net/url"
	"path/filepath"
	"strings"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/query"
)

var sqlite = driver{
	open:    openSQLite,
	limit:   noLimit, // it runs in this process, and stops when it is told
	kind:    sqliteKind,
	bind:    bindText,
	failure: sqliteFailure,
}

func openSQLite(address, _ string) (*sql.DB, error) {
	path, err := query.SQLitePath(address)
	if err != nil {
		return nil, err
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}}
	address = (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
	return sql.OpenDB(&connector{driver: &confined, address: address}), nil
}

// confined has no statement open other files: mode=ro and query_only are about the one
// that the connection names, and ATTACH makes those that are not there.
var confined modernc.Driver

func init() {
	confined.RegisterConnectionHook(func(c modernc.ExecQuerierContext, _ string) error {
		registerer, ok := c.(modernc.AuthorizerRegisterer)
		if !ok {
			return errors.New("this build of SQLite cannot be confined to a file")
		}
		return registerer.RegisterAuthorizer(func(action modernc.AuthorizerActionCode, _, _, _, _ string) modernc.AuthorizerReturnCode {
			if action == sqlite3.SQLITE_ATTACH {
				return modernc.AuthorizerDeny
			}
			return modernc.AuthorizerOK
		})
	})
}

// connector opens connections of a driver that has no name.
type connector struct {
	driver  *modernc.Driver
	address string
}

// Connect implements driver.Connector. A file is opened without waiting.
func (c *connector) Connect(context.Context) (dbdriver.Conn, error) { return c.driver.Open(c.address) }

// Driver implements driver.Connector.
func (c *connector) Driver() dbdriver.Driver { return c.driver }

func sqliteKind(name string) kind {
	switch name = strings.ToUpper(name); {
	case name == "DATE":
		return day
	case name == "BOOLEAN", name == "BOOL":
		return truth
	case name == "JSON":
		return document
	}
	return binary // its values say themselves whether they are text
}

func sqliteFailure(err error) (failure, bool) {
	var e *modernc.Error
	if !errors.As(err, &e) {
		return failure{}, false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return failure{class: crawler.ClassQuery, temporary: true}, true
	case sqlite3.SQLITE_INTERRUPT:
		return failure{class: crawler.ClassTimeout, temporary: true}, true
	case sqlite3.SQLITE_AUTH:
		return failure{class: crawler.ClassQuery, why: "a query opens no other files"}, true
	}
	return failure{class: crawler.ClassQuery}, true
}
