package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// dialect is SQLite's. Columns have no type, so that each value keeps its own.
type dialect struct{}

func (dialect) Format() string           { return "sqlite" }
func (dialect) Typed() bool              { return false }
func (dialect) Type(tables.Kind) string  { return "" }
func (dialect) Moment() string           { return "text" }
func (dialect) Placeholder(n int) string { return fmt.Sprintf("?%d", n) }

func (dialect) Columns(ctx context.Context, tx *sql.Tx, table string) ([]tables.Column, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM pragma_table_info(?1) ORDER BY cid`, table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // only read from
	var columns []tables.Column
	for rows.Next() {
		var c tables.Column
		if err := rows.Scan(&c.Name); err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, rows.Err()
}

func (dialect) Retype(context.Context, *sql.Conn, *sql.Tx, string, tables.Column) error { return nil }

// Upsert runs one prepared statement for each row: nothing is quicker where no
// network lies between.
func (dialect) Upsert(ctx context.Context, _ *sql.Conn, tx *sql.Tx, table string, columns []string, rows [][]any) error {
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+tables.Quoted(table)+" ("+tables.QuotedList(columns)+") VALUES ("+
		strings.Repeat("?, ", len(columns)-1)+"?)"+tables.OnConflict(columns))
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }() // its errors are those of the rows
	for _, row := range rows {
		for i, value := range row {
			if t, ok := value.(time.Time); ok {
				row[i] = t.Format("2006-01-02T15:04:05.000Z")
			}
		}
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return nil
}

// Temporary is a file that another process has locked for longer than the
// driver waits.
func (dialect) Temporary(err error) bool {
	var e *driver.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == lib.SQLITE_BUSY || code == lib.SQLITE_LOCKED
}
