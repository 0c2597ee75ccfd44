package database

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	my "github.com/go-sql-driver/mysql"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/query"
)

var mysql = driver{
	open:      openMySQL,
	isolation: sql.LevelRepeatableRead,
	limit:     limitMySQL,
	kind:      mysqlKind,
	bind:      mysqlBind,
	failure:   mysqlFailure,
}

func openMySQL(address, name string) (*sql.DB, error) {
	dsn, err := query.MySQLAddress(address)
	if err != nil {
		return nil, err
	}
	cfg, err := my.ParseDSN(dsn)
	if err != nil {
		return nil, errAddress
	}
	// Times are read as text: as time.Time the driver has no 0000-00-00, which becomes the
	// first of January of the year 1, and fails at 2026-01-00.
	cfg.ParseTime, cfg.Loc = false, time.UTC
	if _, said := cfg.Params["time_zone"]; !said { // TIMESTAMP is given in the session's, else the server's
		if cfg.Params == nil {
			cfg.Params = map[string]string{}
		}
		cfg.Params["time_zone"] = "'+00:00'"
	}
	cfg.Logger = &my.NopLogger{} // what it would say comes back as an error
	cfg.MultiStatements, cfg.AllowAllFiles, cfg.AllowCleartextPasswords = false, false, false
	if cfg.Timeout == 0 {
		cfg.Timeout = connectTimeout
	}
	cfg.ConnectionAttributes = "program_name:" + strings.NewReplacer(",", " ", ":", " ").Replace(name)
	connector, err := my.NewConnector(cfg)
	if err != nil {
		return nil, errAddress
	}
	return sql.OpenDB(connector), nil
}

// limitMySQL sets what MariaDB (seconds) or MySQL (milliseconds) has for it.
func limitMySQL(ctx context.Context, tx *sql.Tx, after time.Duration) error {
	_, err := tx.ExecContext(ctx, "set session max_statement_time = "+strconv.FormatFloat(after.Seconds(), 'f', 3, 64))
	var e *my.MySQLError
	if errors.As(err, &e) && e.Number == errUnknownVariable {
		_, err = tx.ExecContext(ctx, "set session max_execution_time = "+strconv.FormatInt(max(1, after.Milliseconds()), 10))
	}
	return err
}

func mysqlKind(name string) kind {
	switch name {
	case "DECIMAL":
		return decimal
	case "JSON":
		return document
	case "DATETIME", "TIMESTAMP":
		return moment
	case "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY", "VARBINARY", "BIT", "GEOMETRY":
		return binary
	}
	return plain
}

// mysqlBind gives times as text without a zone, which every version reads.
func mysqlBind(t query.Type, v any) any {
	if at, ok := v.(time.Time); ok && t != query.Date {
		return at.UTC().Format("2006-01-02 15:04:05.999999")
	}
	return bindText(t, v)
}

// The errors that are told apart (MariaDB's and MySQL's lists of error codes).
const (
	errTooManyConnections = 1040
	errShutdown           = 1053
	errUnknownVariable    = 1193
	errLockWait           = 1205
	errDeadlock           = 1213
	errTooManyOfUser      = 1226
	errInterrupted        = 1317
	errKilled             = 1927
	errStatementTime      = 1969
	errExecutionTime      = 3024
)

func mysqlFailure(err error) (failure, bool) {
	if errors.Is(err, my.ErrInvalidConn) {
		return failure{class: crawler.ClassReset, temporary: true}, true
	}
	var e *my.MySQLError
	if !errors.As(err, &e) {
		return failure{}, false
	}
	switch e.Number {
	case errTooManyConnections, errTooManyOfUser:
		return failure{class: crawler.ClassRefused, temporary: true}, true
	case errShutdown, errKilled:
		return failure{class: crawler.ClassReset, temporary: true}, true
	case errStatementTime, errExecutionTime, errInterrupted:
		return failure{class: crawler.ClassTimeout, temporary: true}, true
	case errLockWait, errDeadlock:
		return failure{class: crawler.ClassQuery, temporary: true}, true
	}
	return failure{class: crawler.ClassQuery}, true
}
