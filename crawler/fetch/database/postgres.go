package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/amblecrawl/amble/crawler"
)

var postgres = driver{
	open:      openPostgres,
	isolation: sql.LevelRepeatableRead,
	limit: func(ctx context.Context, tx *sql.Tx, after time.Duration) error {
		// Of the server too: to give up here does not stop the work there.
		_, err := tx.ExecContext(ctx, fmt.Sprintf("set local statement_timeout = %d", max(1, after.Milliseconds())))
		return err
	},
	kind:    postgresKind,
	bind:    bindText,
	failure: postgresFailure,
	timeKey: "2006-01-02T15:04:05.999999Z07:00",
}

func openPostgres(url, name string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errAddress
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = name
	}
	return stdlib.OpenDB(*cfg), nil
}

func postgresKind(name string) kind {
	switch name {
	case "NUMERIC":
		return decimal
	case "JSON", "JSONB":
		return document
	case "DATE":
		return day
	case "BYTEA":
		return binary
	}
	return plain
}

// postgresFailure reads SQLSTATE (appendix A of PostgreSQL's documentation).
func postgresFailure(err error) (failure, bool) {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return failure{}, false
	}
	switch {
	case e.Code == "57014": // canceled, by statement_timeout
		return failure{class: crawler.ClassTimeout, temporary: true}, true
	case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "57P"): // the connection, the server's end
		return failure{class: crawler.ClassReset, temporary: true}, true
	case strings.HasPrefix(e.Code, "53"): // too many connections, no memory
		return failure{class: crawler.ClassRefused, temporary: true}, true
	case strings.HasPrefix(e.Code, "40"), e.Code == "55P03", e.Code == "55006": // a conflict, a lock
		return failure{class: crawler.ClassQuery, temporary: true}, true
	}
	return failure{class: crawler.ClassQuery}, true
}
