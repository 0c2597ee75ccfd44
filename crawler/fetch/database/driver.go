package database

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	dbdriver "database/sql/driver"

	my "github.com/go-sql-driver/mysql"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/query"
)

// driver is what differs between the databases.
type driver struct {
	open func(url, name string) (*sql.DB, error)
	// isolation has all statements of a transaction see one state.
	isolation sql.IsolationLevel
	// limit has the server end the transaction's statements after a time.
	limit func(ctx context.Context, tx *sql.Tx, after time.Duration) error
	// kind reads the name of a column's type.
	kind func(name string) kind
	// bind is a parameter's value as the driver takes it.
	bind func(t query.Type, v any) any
	// failure reads an error of the database itself: known is false for others.
	failure func(err error) (f failure, known bool)
	// timeKey is the layout of times that pages are made by; "": they cannot be.
	timeKey string
}

// failure is what an error of a database leads to.
type failure struct {
	class     crawler.Class
	temporary bool
	why       string // where the error does not say it to people
}

var drivers = map[query.Driver]driver{query.Postgres: postgres, query.SQLite: sqlite, query.MySQL: mysql}

func driverOf(url string) (driver, error) {
	kind, err := query.DriverOf(url)
	if err != nil {
		return driver{}, err
	}
	return drivers[kind], nil
}

// connectTimeout bounds one attempt to connect, where the URL says nothing else.
const connectTimeout = 10 * time.Second

// errAddress never says more: the address may hold the password.
var errAddress = errors.New("the url cannot be read as the address of a database")

// explain makes of an error what fetch.Client passes on: a *crawler.FetchError, or
// the error of a connection as it is, which the client knows to read.
func (d driver) explain(ctx context.Context, err error) error {
	var known *crawler.FetchError
	switch f, isKnown := d.failure(err); {
	case errors.As(err, &known):
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &crawler.FetchError{Class: crawler.ClassTimeout, Temporary: true,
			Err: errors.New("the answer took longer than the timeout of the connection")}
	case ctx.Err() != nil:
		return err
	case isOfTLS(err):
		return &crawler.FetchError{Class: crawler.ClassTLS, Err: err}
	case isKnown && f.why != "":
		return &crawler.FetchError{Class: f.class, Temporary: f.temporary, Err: fmt.Errorf("%s: %w", f.why, err)}
	case isKnown:
		return &crawler.FetchError{Class: f.class, Temporary: f.temporary, Err: err}
	case isBroken(err):
		return &crawler.FetchError{Class: crawler.ClassReset, Temporary: true, Err: fmt.Errorf("the connection to the database broke: %w", err)}
	case isOfConnection(err):
		return err
	}
	return refused(err)
}

// isBroken reports that a connection ended that had been there.
func isBroken(err error) bool {
	return errors.Is(err, dbdriver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}

// isOfTLS reports that no secure connection came about, which another attempt does
// not change.
func isOfTLS(err error) bool {
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	return unverified || noTLS || alert || errors.Is(err, my.ErrNoTLS)
}

// isOfConnection reports that the network is to blame, not the statement.
func isOfConnection(err error) bool {
	var of net.Error
	var op *net.OpError
	return errors.As(err, &of) || errors.As(err, &op)
}

func noLimit(context.Context, *sql.Tx, time.Duration) error { return nil }
