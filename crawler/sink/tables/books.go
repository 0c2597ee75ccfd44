package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// books are the two tables in which outputs keep their batch numbers, and which
// output fills which table.
type books struct {
	dialect Dialect
	conn    *sql.Conn
	tx      *sql.Tx
}

// exec runs a statement whose parameters are written as ?.
func (b books) exec(ctx context.Context, statement string, args ...any) error {
	_, err := b.tx.ExecContext(ctx, b.spell(statement), args...)
	return err
}

func (b books) query(ctx context.Context, statement string, args ...any) *sql.Row {
	return b.tx.QueryRowContext(ctx, b.spell(statement), args...)
}

// spell writes the parameters as the dialect has them. A ? in a name, which stands in
// quotes, is none.
func (b books) spell(statement string) string {
	var out strings.Builder
	n, quoted := 0, false
	for _, c := range []byte(statement) {
		if c == '"' {
			quoted = !quoted
		}
		if c != '?' || quoted {
			out.WriteByte(c)
			continue
		}
		n++
		out.WriteString(b.dialect.Placeholder(n))
	}
	return out.String()
}

func (b books) open(ctx context.Context) error {
	if err := b.exec(ctx, `CREATE TABLE IF NOT EXISTS "_amble_outputs" ("output" text PRIMARY KEY, "run" text NOT NULL, "batch" bigint NOT NULL)`); err != nil {
		return err
	}
	return b.exec(ctx, `CREATE TABLE IF NOT EXISTS "_amble_tables" ("name" text PRIMARY KEY, "output" text NOT NULL)`)
}

// batch is the number of an output's last batch in a run; found is false where
// the output is new or of another run.
func (b books) batch(ctx context.Context, output, run string) (n int64, found bool, err error) {
	var of string
	err = b.query(ctx, `SELECT "run", "batch" FROM "_amble_outputs" WHERE "output" = ?`, output).Scan(&of, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return n, of == run, err
}

func (b books) setBatch(ctx context.Context, output, run string, n int64) error {
	return b.exec(ctx, `INSERT INTO "_amble_outputs" ("output", "run", "batch") VALUES (?, ?, ?)
		ON CONFLICT ("output") DO UPDATE SET "run" = excluded."run", "batch" = excluded."batch"`, output, run, n)
}

// tables lists the tables that an output has filled.
func (b books) tables(ctx context.Context, output string) ([]string, error) {
	rows, err := b.tx.QueryContext(ctx, b.spell(`SELECT "name" FROM "_amble_tables" WHERE "output" = ? ORDER BY "name"`), output)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // only read from
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// errForeign is a table that is not the output's to write to.
var errForeign = errors.New("the table is not this output's")

// table opens the output's table of that name, or makes it.
func (b books) table(ctx context.Context, output, name string) (*table, error) {
	columns, err := b.dialect.Columns(ctx, b.tx, name)
	if err != nil {
		return nil, err
	}
	var owner string
	err = b.query(ctx, `SELECT "output" FROM "_amble_tables" WHERE "name" = ?`, name).Scan(&owner)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return nil, err
	case err == nil && owner != output:
		return nil, fmt.Errorf("%w: table %s holds the records of %s: give the output a table of its own", errForeign, name, owner)
	case err != nil && len(columns) > 0:
		return nil, fmt.Errorf("%w: there is a table %s that amble did not make: give the output another, or rename that one", errForeign, name)
	}
	if len(columns) > 0 {
		return newTable(name, b.dialect.Typed(), fieldColumns(columns)), nil
	}
	if err := b.create(ctx, name); err != nil {
		return nil, err
	}
	return newTable(name, b.dialect.Typed(), nil), b.exec(ctx,
		`INSERT INTO "_amble_tables" ("name", "output") VALUES (?, ?) ON CONFLICT ("name") DO NOTHING`, name, output)
}

// fieldColumns are the columns without those that every table has.
func fieldColumns(columns []Column) []Column {
	return slices.DeleteFunc(columns, func(c Column) bool { return slices.Contains(closing, c.Name) })
}

func (b books) create(ctx context.Context, name string) error {
	var columns []string
	for _, c := range closing {
		of := b.dialect.Type(Text)
		switch c {
		case "_fetched_at":
			of = b.dialect.Moment()
		case "_key":
			of += " PRIMARY KEY"
		case "_extra":
			of = b.dialect.Type(JSON)
		case "_batch":
			of = "bigint NOT NULL"
		}
		columns = append(columns, Quoted(c)+" "+of)
	}
	return b.exec(ctx, "CREATE TABLE "+Quoted(name)+" ("+strings.Join(columns, ", ")+")")
}

// change gives a table the columns it needs.
func (b books) change(ctx context.Context, t *table, c changes) error {
	for _, column := range c.added {
		if err := b.exec(ctx, "ALTER TABLE "+Quoted(t.name)+" ADD COLUMN "+Quoted(column.Name)+" "+b.dialect.Type(column.Kind)); err != nil {
			return fmt.Errorf("adding the column %s: %w", column.Name, err)
		}
	}
	for _, column := range c.joined {
		if err := b.dialect.Retype(ctx, b.conn, b.tx, t.name, column); err != nil {
			return fmt.Errorf("changing the column %s: %w", column.Name, err)
		}
	}
	return nil
}

// loosen forgets the kind of those columns of text that hold nothing yet and are
// about to get a value.
func (b books) loosen(ctx context.Context, t *table, records []crawler.Record) error {
	for i := range records {
		for _, f := range namedFields(&records[i]) {
			at, ok := t.index[strings.ToLower(f.Name)]
			if !ok || t.columns[at].Kind != Text || t.settled[t.columns[at].Name] || KindOf(f.Value) == Any {
				continue
			}
			name := t.columns[at].Name
			var some bool
			err := b.query(ctx, "SELECT EXISTS (SELECT 1 FROM "+Quoted(t.name)+" WHERE "+Quoted(name)+" IS NOT NULL)").Scan(&some)
			if err != nil {
				return err
			}
			if !some {
				t.columns[at].Kind = Any
			}
			t.settled[name] = true
		}
	}
	return nil
}

// rewind deletes what a run wrote to a table after a batch.
func (b books) rewind(ctx context.Context, table, run string, batch int64) error {
	columns, err := b.dialect.Columns(ctx, b.tx, table)
	if err != nil || len(columns) == 0 {
		return err
	}
	return b.exec(ctx, "DELETE FROM "+Quoted(table)+` WHERE "_run" = ? AND "_batch" > ?`, run, batch)
}

// delete takes rows away.
func (b books) delete(ctx context.Context, table string, keys []string) error {
	for some := range slices.Chunk(keys, 100) {
		args := make([]any, len(some))
		for i, key := range some {
			args[i] = key
		}
		err := b.exec(ctx, "DELETE FROM "+Quoted(table)+` WHERE "_key" IN (?`+strings.Repeat(", ?", len(some)-1)+")", args...)
		if err != nil {
			return err
		}
	}
	return nil
}
