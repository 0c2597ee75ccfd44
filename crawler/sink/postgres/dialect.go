package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// dialect is PostgreSQL's.
type dialect struct{}

var typeNames = map[tables.Kind]string{
	tables.Boolean: "boolean", tables.Integer: "bigint", tables.Number: "double precision", tables.JSON: "jsonb", tables.Text: "text",
}

func (dialect) Format() string            { return "postgres" }
func (dialect) Typed() bool               { return true }
func (dialect) Type(k tables.Kind) string { return typeNames[k] }
func (dialect) Moment() string            { return "timestamptz" }
func (dialect) Placeholder(n int) string  { return fmt.Sprintf("$%d", n) }

func (dialect) Columns(ctx context.Context, tx *sql.Tx, table string) ([]tables.Column, error) {
	rows, err := tx.QueryContext(ctx, `SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`, table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // only read from
	var columns []tables.Column
	for rows.Next() {
		var name, of string
		if err := rows.Scan(&name, &of); err != nil {
			return nil, err
		}
		c := tables.Column{Name: name, Kind: tables.Text}
		for kind, typeName := range typeNames {
			if typeName == of {
				c.Kind = kind
			}
		}
		columns = append(columns, c)
	}
	return columns, rows.Err()
}

// Retype converts through text, which every kind has a form in. A column whose
// values have no such form holds none. Statements that were prepared for the column as
// it was go: the server takes the new kind for a mistake in them.
func (dialect) Retype(ctx context.Context, conn *sql.Conn, tx *sql.Tx, table string, c tables.Column) error {
	column, of := tables.Quoted(c.Name), typeNames[c.Kind]
	_, err := tx.ExecContext(ctx, "ALTER TABLE "+tables.Quoted(table)+" ALTER COLUMN "+column+" TYPE "+of+" USING "+column+"::text::"+of)
	if err != nil {
		return err
	}
	return raw(conn, func(c *pgx.Conn) error { return c.DeallocateAll(ctx) })
}

// Sizes of what goes to the server at once.
const (
	copyFrom  = 1000 // rows from which COPY is the quicker way
	chunkRows = 100
	maxParams = 65535 // of the protocol
)

// Upsert inserts rows a hundred at a time, or many by COPY.
func (d dialect) Upsert(ctx context.Context, conn *sql.Conn, tx *sql.Tx, table string, columns []string, rows [][]any) error {
	if len(rows) >= copyFrom {
		return d.copy(ctx, conn, tx, table, columns, rows)
	}
	size := min(chunkRows, maxParams/len(columns))
	for chunk := range slices.Chunk(rows, size) {
		var b strings.Builder
		b.WriteString("INSERT INTO " + tables.Quoted(table) + " (" + tables.QuotedList(columns) + ") VALUES ")
		args := make([]any, 0, len(chunk)*len(columns))
		for i, row := range chunk {
			if i > 0 {
				b.WriteString(", ")
			}
			for j, value := range row {
				args = append(args, value)
				if j == 0 {
					b.WriteByte('(')
				} else {
					b.WriteString(", ")
				}
				fmt.Fprintf(&b, "$%d", len(args))
			}
			b.WriteByte(')')
		}
		b.WriteString(tables.OnConflict(columns))
		if _, err := tx.ExecContext(ctx, b.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

// incoming is the temporary table that COPY fills.
const incoming = `"_amble_incoming"`

// copy fills a temporary table of the same columns and moves its rows. The
// transaction goes on below database/sql, which has no COPY.
func (dialect) copy(ctx context.Context, conn *sql.Conn, tx *sql.Tx, table string, columns []string, rows [][]any) error {
	list := tables.QuotedList(columns)
	if _, err := tx.ExecContext(ctx, "CREATE TEMPORARY TABLE "+incoming+" ON COMMIT DROP AS SELECT "+list+" FROM "+tables.Quoted(table)+" WITH NO DATA"); err != nil {
		return err
	}
	err := raw(conn, func(c *pgx.Conn) error {
		_, err := c.CopyFrom(ctx, pgx.Identifier{"_amble_incoming"}, columns, pgx.CopyFromRows(rows))
		return err
	})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO "+tables.Quoted(table)+" ("+list+") SELECT "+list+" FROM "+incoming+tables.OnConflict(columns))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DROP TABLE "+incoming) // the next table of the batch wants the name
	return err
}

// raw uses the connection below database/sql.
func raw(conn *sql.Conn, use func(*pgx.Conn) error) error {
	return conn.Raw(func(raw any) error {
		c, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("no connection of PostgreSQL but %T", raw)
		}
		return use(c.Conn())
	})
}

// passing are conditions of the server that end by themselves (PostgreSQL's
// appendix A): connection exceptions, shutdowns, too many connections, conflicts.
func passing(code string) bool {
	switch code {
	case "53300", "57P01", "57P02", "57P03", "40001", "40P01":
		return true
	}
	return strings.HasPrefix(code, "08")
}

// Temporary reports whether another connection may bring the work to its end.
func (dialect) Temporary(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return passing(refused.Code)
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
