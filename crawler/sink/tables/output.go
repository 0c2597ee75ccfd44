package tables

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Options say where an output writes to.
type Options struct {
	Dialect Dialect
	DB      *sql.DB // owned by the output: Close closes it
	Place   string  // the database in messages and reports, without secrets
	Table   string  // the template of the tables' names; {type} is the record type
	Keep    bool    // a fresh run keeps the rows of earlier ones
	// Patience is how long a transaction is tried again while the database cannot
	// be reached.
	Patience time.Duration
}

// Output is a sink whose destination is open. It is not safe for concurrent use.
type Output struct {
	opt    Options
	run    crawler.RunInfo
	name   string // in the books
	batch  int64
	tables map[string]*table
	seen   map[string]bool // names of tables that got records, for Places
	queued map[string][]crawler.Record
	err    error
}

var errClosed = errors.New("the sink is not open")

type position struct {
	Sink  string `json:"sink"`
	Batch int64  `json:"batch"`
}

// Open brings the tables to the committed position, or gets them ready for a
// fresh run. Errors wrap crawler.ErrStop, or crawler.ErrForeignState for a
// position that is not this output's. The database is closed when it fails.
func Open(ctx context.Context, opt Options, run crawler.RunInfo, committed []byte) (*Output, error) {
	o := &Output{
		opt: opt, run: run, name: run.Crawl + "/" + opt.Table,
		tables: map[string]*table{}, seen: map[string]bool{}, queued: map[string][]crawler.Record{},
	}
	var err error
	if o.batch, err = decode(opt.Dialect.Format(), committed); err == nil {
		err = o.transact(ctx, func(ctx context.Context, _ *sql.Conn, b books) error {
			clear(o.tables)
			if err := b.open(ctx); err != nil {
				return err
			}
			if len(committed) > 0 {
				return o.resume(ctx, b)
			}
			return o.begin(ctx, b)
		})
	}
	if err != nil {
		_ = opt.DB.Close() // the error that matters is the one above
		return nil, err
	}
	return o, nil
}

// CheckPosition reports a position that is no such output's, as Open does.
func CheckPosition(format string, committed []byte) error {
	_, err := decode(format, committed)
	return err
}

func decode(format string, committed []byte) (batch int64, err error) {
	if len(committed) == 0 {
		return 0, nil
	}
	var p position
	dec := json.NewDecoder(bytes.NewReader(committed))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return 0, fmt.Errorf("%w: the position of the %s output cannot be read: %w", crawler.ErrForeignState, format, err)
	}
	if p.Sink != format || p.Batch < 0 {
		return 0, fmt.Errorf("%w: the run began with another output where the config has %s now: put the outputs back in their order, or start over with --fresh",
			crawler.ErrForeignState, format)
	}
	return p.Batch, nil
}

// begin gets the tables ready for a fresh run.
func (o *Output) begin(ctx context.Context, b books) error {
	names, err := b.tables(ctx, o.name)
	if err != nil {
		return err
	}
	for _, t := range o.run.Types {
		if name := o.tableOf(t.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		t, err := b.table(ctx, o.name, name)
		if err != nil {
			return err
		}
		if err := b.change(ctx, t, t.admit(o.announced(name))); err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		o.tables[name] = t
		if !o.opt.Keep && !o.run.Changes {
			if err := b.exec(ctx, "DELETE FROM "+Quoted(name)); err != nil {
				return fmt.Errorf("emptying the table %s: %w", name, err)
			}
		}
	}
	return b.setBatch(ctx, o.name, o.run.ID, 0)
}

// announced are records without values that have the fields which a table is known
// to get, so that its columns stand in the order of the config.
func (o *Output) announced(table string) []crawler.Record {
	var records []crawler.Record
	for _, t := range o.run.Types {
		if o.tableOf(t.Name) != table {
			continue
		}
		fields := make([]crawler.Field, len(t.Fields))
		for i, name := range t.Fields {
			fields[i].Name = name
		}
		records = append(records, crawler.Record{Type: t.Name, Fields: fields})
	}
	return records
}

// resume takes back what was written after the committed batch.
func (o *Output) resume(ctx context.Context, b books) error {
	n, found, err := b.batch(ctx, o.name, o.run.ID)
	switch {
	case err != nil:
		return err
	case !found:
		return fmt.Errorf("it does not know this run, which has committed records to it: put the database back, or start over with --fresh")
	case n < o.batch:
		return fmt.Errorf("it holds %d batches of this run, which has committed %d: put the whole database back, or start over with --fresh", n, o.batch)
	}
	names, err := b.tables(ctx, o.name)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := b.rewind(ctx, name, o.run.ID, o.batch); err != nil {
			return fmt.Errorf("taking back what was not committed to %s: %w", name, err)
		}
		o.seen[name] = true
	}
	return b.setBatch(ctx, o.name, o.run.ID, o.batch)
}

// tableOf is the name of a record type's table.
func (o *Output) tableOf(recordType string) string {
	return identifier(strings.ReplaceAll(o.opt.Table, "{type}", recordType))
}

// IsOpen reports whether Close is still to come. A nil output is not open.
func (o *Output) IsOpen() bool { return o != nil && o.err != errClosed }

// ready reports why nothing can be written, if so.
func (o *Output) ready() error {
	if o == nil {
		return errClosed
	}
	return o.err
}

// Write keeps records until Flush.
func (o *Output) Write(_ context.Context, records []crawler.Record) error {
	if err := o.ready(); err != nil {
		return err
	}
	for _, r := range records {
		name := o.tableOf(r.Type)
		o.queued[name] = append(o.queued[name], r)
	}
	return nil
}

// Flush writes what is kept in one transaction and returns the position.
func (o *Output) Flush(ctx context.Context) ([]byte, error) {
	if err := o.ready(); err != nil {
		return nil, err
	}
	if len(o.queued) > 0 {
		next := o.batch + 1
		var written map[string]*table
		err := o.transact(ctx, func(ctx context.Context, conn *sql.Conn, b books) (err error) {
			written, err = o.write(ctx, conn, b, next)
			return err
		})
		if err != nil {
			o.err = err
			return nil, err
		}
		maps.Copy(o.tables, written)
		for name := range o.queued {
			o.seen[name] = true
		}
		clear(o.queued)
		o.batch = next
	}
	return json.Marshal(position{Sink: o.opt.Dialect.Format(), Batch: o.batch})
}

// write is the transaction of one batch. It changes nothing where that batch is
// there already: the answer to an earlier try was lost.
func (o *Output) write(ctx context.Context, conn *sql.Conn, b books, batch int64) (map[string]*table, error) {
	n, found, err := b.batch(ctx, o.name, o.run.ID)
	switch {
	case err != nil:
		return nil, err
	case found && n == batch:
		return nil, nil
	case !found || n != batch-1:
		return nil, errors.New("another process has written to this output")
	}
	written := map[string]*table{}
	for _, name := range slices.Sorted(maps.Keys(o.queued)) {
		t := o.tables[name]
		if t == nil {
			if t, err = b.table(ctx, o.name, name); err != nil {
				return nil, err
			}
		}
		t = t.clone()
		written[name] = t
		records, gone := lastOf(o.queued[name])
		if err := b.delete(ctx, name, gone); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		if err := b.loosen(ctx, t, records); err != nil {
			return nil, err
		}
		if err := b.change(ctx, t, t.admit(records)); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		if err := o.opt.Dialect.Upsert(ctx, conn, b.tx, name, t.names(), rows(t, records, batch)); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
	}
	return written, b.setBatch(ctx, o.name, o.run.ID, batch)
}

// lastOf tells the records to write from the keys of those that are deleted; of records
// with one _key the last counts.
func lastOf(queued []crawler.Record) (records []crawler.Record, deleted []string) {
	at := make(map[string]int, len(queued))
	for i := range queued {
		at[queued[i].Key] = i
	}
	for i := range queued {
		switch {
		case at[queued[i].Key] != i:
		case queued[i].Deleted:
			deleted = append(deleted, queued[i].Key)
		default:
			records = append(records, queued[i])
		}
	}
	return records, deleted
}

func rows(t *table, records []crawler.Record, batch int64) [][]any {
	out := make([][]any, len(records))
	for i := range records {
		out[i] = t.row(&records[i], batch)
	}
	return out
}

// Places lists the tables, for reports.
func (o *Output) Places() []string {
	if o == nil {
		return nil
	}
	var places []string
	for _, name := range slices.Sorted(maps.Keys(o.seen)) {
		places = append(places, o.opt.Place+" table "+name)
	}
	if len(places) == 0 {
		places = []string{o.opt.Place}
	}
	return places
}

// Close closes the database. Records that were not flushed are dropped.
func (o *Output) Close() error {
	if !o.IsOpen() {
		return nil
	}
	o.err = errClosed
	clear(o.queued)
	return o.opt.DB.Close()
}

// transact runs work in a transaction, again while the database cannot be
// reached and patience lasts. work must bear to be run again.
func (o *Output) transact(ctx context.Context, work func(context.Context, *sql.Conn, books) error) error {
	deadline := time.Now().Add(o.opt.Patience)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := o.once(ctx, work)
		if err == nil {
			return nil
		}
		if !o.opt.Dialect.Temporary(err) || time.Now().Add(wait).After(deadline) {
			return fmt.Errorf("%w: %s: %w", crawler.ErrStop, o.opt.Place, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("%w: %s: %w", crawler.ErrStop, o.opt.Place, errors.Join(ctx.Err(), err))
		}
	}
}

func (o *Output) once(ctx context.Context, work func(context.Context, *sql.Conn, books) error) error {
	conn, err := o.opt.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := work(ctx, conn, books{dialect: o.opt.Dialect, conn: conn, tx: tx}); err != nil {
		return err
	}
	return tx.Commit()
}
