package tables

import (
	"context"
	"database/sql"
	"strings"
)

// Dialect is what one database spells in its own way.
type Dialect interface {
	// Format is the sink's ID, kept in positions.
	Format() string
	// Typed reports whether columns have types.
	Typed() bool
	// Type is the type of a column of a kind, "" for none; Moment that of a time.
	Type(Kind) string
	Moment() string
	// Placeholder is the nth parameter of a statement, from 1.
	Placeholder(n int) string
	// Columns lists a table's columns in their order, none where there is no such
	// table.
	Columns(ctx context.Context, tx *sql.Tx, table string) ([]Column, error)
	// Retype gives a column another kind, its values converted. What the connection
	// knows of the column it forgets.
	Retype(ctx context.Context, conn *sql.Conn, tx *sql.Tx, table string, c Column) error
	// Upsert adds rows; one with the _key of another row replaces that.
	Upsert(ctx context.Context, conn *sql.Conn, tx *sql.Tx, table string, columns []string, rows [][]any) error
	// Temporary reports whether the same work may succeed a little later, with
	// another connection.
	Temporary(err error) bool
}

// Quoted is a name as both dialects quote it (ISO 9075, delimited identifier).
func Quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// QuotedList joins names, each quoted.
func QuotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = Quoted(name)
	}
	return strings.Join(quoted, ", ")
}

// OnConflict is the end of an insert that replaces the row of the same _key.
func OnConflict(columns []string) string {
	var b strings.Builder
	b.WriteString(` ON CONFLICT ("_key") DO UPDATE SET `)
	first := true
	for _, c := range columns {
		if c == "_key" {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		b.WriteString(Quoted(c) + " = excluded." + Quoted(c))
	}
	return b.String()
}
