package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/query"
	"github.com/amblecrawl/amble/crawler/urls"
)

const (
	// atOnce is about how much of an answer is made before it is read.
	atOnce = 32 << 10
	// tailRoom is what an answer's last line may take.
	tailRoom = urls.MaxLen + 128
)

// answer is the body of a response: it makes lines of rows as they are read.
type answer struct {
	ctx      context.Context
	cancel   context.CancelFunc
	database *database
	call     *query.Call
	most     int64 // bytes

	tx      *sql.Tx
	rows    *sql.Rows
	columns []column
	values  []any // of the row in hand
	targets []any // pointers to them, for Scan
	key     int   // the page column, -1 without pages

	ready []byte // made and not yet read
	err   error  // what follows it
	line  []byte // of the row in hand
	count int
	size  int64
	last  any // the key of the last row that was written
}

// begin executes the statement and waits for its first row.
func (a *answer) begin() error {
	var err error
	a.tx, err = a.database.pool.BeginTx(a.ctx, &sql.TxOptions{ReadOnly: true, Isolation: a.database.driver.isolation})
	if err != nil {
		return a.explain(err)
	}
	if err := a.database.driver.limit(a.ctx, a.tx, a.database.Timeout); err != nil {
		return a.explain(err)
	}
	statement, names := a.call.SQL()
	if a.rows, err = a.query(statement, names); err != nil {
		return err
	}
	if err := a.describe(); err != nil {
		return err
	}
	err = a.fill(1)
	if err != nil && err != io.EOF {
		return err
	}
	a.err = err
	return nil
}

func (a *answer) query(statement string, names []string) (*sql.Rows, error) {
	args := make([]any, len(names))
	for i, name := range names {
		v, err := a.call.Arg(name)
		if err != nil {
			return nil, refused(err)
		}
		if p := a.call.Query.Param(name); p != nil {
			v = a.database.driver.bind(p.Type, v)
		}
		args[i] = v
	}
	rows, err := a.tx.QueryContext(a.ctx, statement, args...)
	if err != nil {
		return nil, a.explain(err)
	}
	return rows, nil
}

// describe reads the columns and writes the answer's head.
func (a *answer) describe() error {
	types, err := a.rows.ColumnTypes()
	if err != nil {
		return a.explain(err)
	}
	a.key = -1
	head := query.Head{Calls: a.call.For != nil, Columns: make([]string, len(types))}
	seen := make(map[string]bool, len(types))
	for i, t := range types {
		name := t.Name()
		switch {
		case seen[name]:
			return refused(fmt.Errorf("two columns are named %q: name one with as", name))
		case strings.HasPrefix(name, "_"):
			return refused(fmt.Errorf("the column %q has a name that records keep for themselves: name it with as", name))
		}
		seen[name] = true
		head.Columns[i] = name
		a.columns = append(a.columns, column{name: name, kind: a.database.driver.kind(t.DatabaseTypeName())})
		if p := a.call.Query.Page; p != nil && p.Column == name {
			a.key = i
		}
	}
	if p := a.call.Query.Page; p != nil && a.key < 0 {
		return refused(fmt.Errorf("the result has no column %q to make pages by", p.Column))
	}
	a.values, a.targets = make([]any, len(types)), make([]any, len(types))
	for i := range a.values {
		a.targets[i] = &a.values[i]
	}
	return a.writeJSON(head)
}

func (a *answer) writeJSON(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return refused(err)
	}
	a.write(text)
	return nil
}

func (a *answer) write(line []byte) {
	a.ready = append(append(a.ready, line...), '\n')
	a.size += int64(len(line)) + 1
}

// Read implements io.Reader.
func (a *answer) Read(p []byte) (int, error) {
	if len(a.ready) == 0 && a.err == nil {
		a.err = a.fill(atOnce)
	}
	if len(a.ready) == 0 {
		return 0, a.err
	}
	n := copy(p, a.ready)
	if a.ready = a.ready[n:]; len(a.ready) == 0 {
		a.ready = a.ready[:0:0]
	}
	return n, nil
}

// fill makes lines until there are so many bytes. io.EOF follows the answer's end.
func (a *answer) fill(bytes int) error {
	for begin := len(a.ready); len(a.ready)-begin < bytes; {
		if !a.rows.Next() {
			if err := a.rows.Err(); err != nil {
				return a.explain(err)
			}
			return a.end(nil)
		}
		if err := a.rows.Scan(a.targets...); err != nil {
			return a.explain(err)
		}
		if err := a.row(); err != nil {
			return err
		}
	}
	return nil
}

// row writes the row in hand, or ends the page before it.
func (a *answer) row() error {
	key, err := a.keyOf()
	if err != nil {
		return err
	}
	if err := a.encode(); err != nil {
		return err
	}
	room := a.size+int64(len(a.line))+1+tailRoom <= max(a.most, tailRoom)
	full := !room || a.count == a.bound()
	switch {
	case !full:
		a.write(a.line)
		a.count, a.last = a.count+1, key
		return nil
	case a.key < 0:
		return tooLarge("the result is larger than one answer may be (%d rows, or fetch.max_body): give the query a page, or smaller partitions", a.bound())
	case a.count == 0:
		return tooLarge("a row is larger than fetch.max_body")
	case key == a.last:
		return refused(fmt.Errorf("two rows have the %s %v: page.column has to be unique", a.columns[a.key].name, key))
	}
	return a.end(a.last)
}

// bound is the most rows of the answer.
func (a *answer) bound() int {
	most := query.MaxRows
	if a.call.For != nil || a.call.Rows != "" {
		most = query.MaxCalls
	}
	if p := a.call.Query.Page; p != nil {
		most = min(most, p.Size)
	}
	return most
}

func (a *answer) keyOf() (any, error) {
	if a.key < 0 {
		return nil, nil
	}
	c := a.columns[a.key]
	key, err := a.database.driver.key(c.kind, a.values[a.key])
	if err != nil {
		return nil, refused(fmt.Errorf("page.column %s: %w", c.name, err))
	}
	return key, nil
}

// encode makes the line of the row in hand.
func (a *answer) encode() error {
	a.line = a.line[:0]
	if a.call.For != nil {
		return a.encodeCall()
	}
	for i, v := range a.values {
		separator := byte(',')
		if i == 0 {
			separator = '['
		}
		text, err := a.columns[i].kind.json(v)
		if err != nil {
			return refused(fmt.Errorf("the column %s: %w", a.columns[i].name, err))
		}
		a.line = append(append(a.line, separator), text...)
	}
	a.line = append(a.line, ']')
	return nil
}

// encodeCall makes the URL of the query that the row gives parameters to.
func (a *answer) encodeCall() error {
	row := make(map[string]string, len(a.values))
	for i, v := range a.values {
		if v == nil {
			continue
		}
		text, err := a.columns[i].kind.json(v)
		if err != nil {
			return refused(fmt.Errorf("the column %s: %w", a.columns[i].name, err))
		}
		var s string
		if json.Unmarshal(text, &s) != nil {
			s = string(text)
		}
		row[a.columns[i].name] = s
	}
	target, err := a.call.Target(row)
	if err != nil {
		return refused(err)
	}
	u, err := target.URL()
	if err != nil {
		return refused(err)
	}
	text, err := json.Marshal(u.String())
	a.line = append(a.line, text...)
	return err
}

// end writes the answer's tail: the next page begins after last, if there is one.
func (a *answer) end(last any) error {
	tail := query.Tail{Rows: a.count}
	if last != nil {
		u, err := a.call.Next(last).URL()
		if err != nil {
			return refused(err)
		}
		tail.Next = u.String()
	}
	err := a.rows.Close()
	if err == nil && a.key >= 0 && last == nil && a.call.After != nil {
		err = a.noNulls()
	}
	if err == nil {
		err = a.tx.Commit()
	}
	if err != nil {
		return a.explain(err)
	}
	if err := a.writeJSON(tail); err != nil {
		return err
	}
	return io.EOF
}

// noNulls looks, behind the last page, for rows that no page could hold.
func (a *answer) noNulls() error {
	statement, names := a.call.NullSQL()
	rows, err := a.query(statement, names)
	if err != nil {
		return err
	}
	found := rows.Next()
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if found {
		return refused(fmt.Errorf("page.column %s: %w", a.call.Query.Page.Column, errNull))
	}
	return nil
}

// Close ends the statement, whether or not its result has been read.
func (a *answer) Close() error {
	a.abandon()
	return nil
}

// abandon stops a statement that has not ended, which costs its connection.
func (a *answer) abandon() {
	a.cancel()
	if a.rows != nil {
		_ = a.rows.Close() // what went wrong has been said
	}
	if a.tx != nil {
		_ = a.tx.Rollback() // does nothing after Commit
	}
}

func (a *answer) explain(err error) error { return a.database.driver.explain(a.ctx, err) }

// refused is a failure that another attempt would meet again.
func refused(err error) error {
	return &crawler.FetchError{Class: crawler.ClassQuery, Err: err}
}

func tooLarge(format string, args ...any) error {
	return &crawler.FetchError{Class: crawler.ClassTooLarge, Err: fmt.Errorf(format, args...)}
}
