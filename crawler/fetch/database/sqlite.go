package database

import (
	"database/sql"
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
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
}

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
		return failure{crawler.ClassQuery, true}, true
	case sqlite3.SQLITE_INTERRUPT:
		return failure{crawler.ClassTimeout, true}, true
	}
	return failure{class: crawler.ClassQuery}, true
}
