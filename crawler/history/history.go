package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

var (
	// ErrCorrupt means that the file is no history, or is damaged.
	ErrCorrupt = errors.New("not a history of runs, or a damaged one")
	// ErrNoRun means that there is no run of that number.
	ErrNoRun = errors.New("there is no such run")
)

// format is the version of the tables, kept in the file's user_version.
const format = 2

// second is what format 2 added to the first. What is told of a run beside its
// summary lies in a table of its own: lists do not read it.
const second = `
CREATE TABLE details (
	number INTEGER PRIMARY KEY,
	detail BLOB NOT NULL
);
CREATE TABLE debts (
	host  TEXT PRIMARY KEY,
	until INTEGER NOT NULL
);
`

const tables = `
CREATE TABLE runs (
	number     INTEGER PRIMARY KEY AUTOINCREMENT,
	crawl      TEXT NOT NULL,
	run        TEXT NOT NULL DEFAULT '',
	cause      TEXT NOT NULL,
	occurrence INTEGER NOT NULL DEFAULT 0,
	started    INTEGER NOT NULL DEFAULT 0,
	ended      INTEGER NOT NULL DEFAULT 0,
	status     TEXT NOT NULL,
	reason     TEXT NOT NULL DEFAULT '',
	summary    BLOB
);
CREATE INDEX runs_of_crawl ON runs (crawl, number);
CREATE INDEX runs_unended ON runs (status) WHERE status IN ('waiting', 'running', 'suspended');
CREATE TABLE crawls (
	name  TEXT PRIMARY KEY,
	state BLOB
);
` + second

// History is an open file. It is safe for concurrent use.
type History struct {
	db    *sql.DB
	path  string
	first bool // it is of format 1, which a reader leaves as it is
}

// Open opens the file, or makes it where there is none.
func Open(ctx context.Context, path string) (*History, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	made, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // summaries name URLs
	if err == nil {
		err = made.Close()
	}
	if err != nil {
		return nil, err
	}
	return open(ctx, path, "rw")
}

// OpenReader opens a file that another process may be writing to.
func OpenReader(ctx context.Context, path string) (*History, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return open(ctx, path, "ro")
}

// OpenAnew is Open, but where the file is corrupt it is kept beside a new one: aside
// is its new name then.
func OpenAnew(ctx context.Context, path string, now time.Time) (h *History, aside string, err error) {
	h, err = Open(ctx, path)
	if !errors.Is(err, ErrCorrupt) {
		return h, "", err
	}
	aside = path + now.UTC().Format(".broken-20060102T150405")
	for _, ending := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+ending, aside+ending); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, "", err
		}
	}
	h, err = Open(ctx, path)
	return h, aside, err
}

func open(ctx context.Context, path, mode string) (*History, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	q := url.Values{"mode": {mode}, "_pragma": {"busy_timeout(10000)"}, "_txlock": {"immediate"}}
	if mode == "rw" {
		q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)", "synchronous(FULL)")
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // who waits for its turn here need not wait for a lock of the file
	h := &History{db: db, path: path}
	if err := h.prepare(ctx, mode == "rw"); err != nil {
		_ = db.Close() // the error that matters is the one above
		return nil, h.explain(err)
	}
	return h, nil
}

func (h *History) prepare(ctx context.Context, write bool) error {
	var version, objects int
	if err := h.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if err := h.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return err
	}
	switch {
	case version == format, version == 1:
		var verdict string
		if err := h.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
			return err
		}
		if verdict != "ok" {
			return fmt.Errorf("%w: %s", ErrCorrupt, verdict)
		}
		if h.first = version == 1; h.first && write {
			h.first = false
			return h.build(ctx, second)
		}
		return nil
	case version > format:
		return fmt.Errorf("it is of a later version of amble (format %d)", version)
	case objects > 0:
		return ErrCorrupt // somebody else's database
	case !write:
		return nil
	}
	return h.build(ctx, tables)
}

// build makes tables, and the file one of the present format, or neither.
func (h *History) build(ctx context.Context, tables string) error {
	_, err := h.db.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT", tables, format))
	return err
}

// explain names the file, and calls damage by its name.
func (h *History) explain(err error) error {
	var e *driver.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", h.path, err)
}

// Close closes the file.
func (h *History) Close() error { return h.db.Close() }

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Decide adds runs of a crawl and keeps the state of its schedule, both or neither.
// It returns the runs' numbers.
func (h *History) Decide(ctx context.Context, crawl string, state []byte, runs ...Run) (numbers []int64, err error) {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, h.explain(err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	for _, r := range runs {
		done, err := tx.ExecContext(ctx, `INSERT INTO runs (crawl, run, cause, occurrence, started, ended, status, reason, summary) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			crawl, r.Run, r.Cause, unix(r.Occurrence), unix(r.Started), unix(r.Ended), r.Status, r.Reason, []byte(r.Summary))
		if err != nil {
			return nil, h.explain(err)
		}
		n, err := done.LastInsertId()
		if err != nil {
			return nil, h.explain(err)
		}
		numbers = append(numbers, n)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO crawls (name, state) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state`, crawl, state)
	if err != nil {
		return nil, h.explain(err)
	}
	if err := tx.Commit(); err != nil {
		return nil, h.explain(err) // numbers of rows that are not there
	}
	return numbers, nil
}

// Name notes the ID of a run, and that it is running since a time, or again: how it was
// suspended is over. Its Detail stays.
func (h *History) Name(ctx context.Context, number int64, run string, since time.Time) error {
	_, err := h.db.ExecContext(ctx, `UPDATE runs SET run = ?1, status = ?2, reason = '', ended = 0, summary = NULL, started = CASE started WHEN 0 THEN ?3 ELSE started END WHERE number = ?4`,
		run, Running, unix(since), number)
	return h.explain(err)
}

// End notes how a run ended, with its Detail.
func (h *History) End(ctx context.Context, number int64, r Run) error {
	began := r.Started
	if began.IsZero() {
		began = r.Ended
	}
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return h.explain(err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if _, err := tx.ExecContext(ctx, `UPDATE runs SET status = ?1, reason = ?2, ended = ?3, summary = ?4,
		started = CASE started WHEN 0 THEN ?6 ELSE started END, run = CASE run WHEN '' THEN ?7 ELSE run END WHERE number = ?5`,
		r.Status, r.Reason, unix(r.Ended), []byte(r.Summary), number, unix(began), r.Run); err != nil {
		return h.explain(err)
	}
	if len(r.Detail) > 0 {
		if _, err := tx.ExecContext(ctx, `INSERT INTO details (number, detail) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET detail = excluded.detail`,
			number, []byte(r.Detail)); err != nil {
			return h.explain(err)
		}
	}
	return h.explain(tx.Commit())
}

// List gives runs, the latest first.
func (h *History) List(ctx context.Context, f Filter) ([]Run, error) {
	where, args := []string{"1"}, []any{}
	add := func(on bool, condition string, values ...any) {
		if on {
			where, args = append(where, condition), append(args, values...)
		}
	}
	add(f.Crawl != "", "crawl = ?", f.Crawl)
	add(f.Whole, "status != ?", Skipped)
	add(f.Unended, "status IN ('waiting', 'running', 'suspended')")
	add(f.Before > 0, "number < ?", f.Before)
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	rows, err := h.db.QueryContext(ctx, `SELECT number, crawl, run, cause, occurrence, started, ended, status, reason, summary FROM runs
		WHERE `+strings.Join(where, " AND ")+` ORDER BY number DESC LIMIT ?`, append(args, min(limit, 10_000))...)
	if err != nil {
		return nil, h.explain(err)
	}
	defer func() { _ = rows.Close() }() // only read from
	runs := []Run{}
	for rows.Next() {
		var r Run
		var due, started, ended int64
		var summary []byte
		if err := rows.Scan(&r.Number, &r.Crawl, &r.Run, &r.Cause, &due, &started, &ended, &r.Status, &r.Reason, &summary); err != nil {
			return nil, h.explain(err)
		}
		r.Occurrence, r.Started, r.Ended, r.Summary = moment(due), moment(started), moment(ended), summary
		runs = append(runs, r)
	}
	return runs, h.explain(rows.Err())
}

// Get gives one run with its Detail, or ErrNoRun.
func (h *History) Get(ctx context.Context, number int64) (Run, error) {
	runs, err := h.List(ctx, Filter{Before: number + 1, Limit: 1})
	switch {
	case err != nil:
		return Run{}, err
	case len(runs) == 0 || runs[0].Number != number:
		return Run{}, h.explain(fmt.Errorf("%w: %d", ErrNoRun, number))
	case h.first:
		return runs[0], nil
	}
	var detail []byte
	err = h.db.QueryRowContext(ctx, `SELECT detail FROM details WHERE number = ?`, number).Scan(&detail)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Run{}, h.explain(err)
	}
	runs[0].Detail = detail
	return runs[0], nil
}

// Recall gives the state of a crawl's schedule, nil where none is kept.
func (h *History) Recall(ctx context.Context, crawl string) (state []byte, err error) {
	err = h.db.QueryRowContext(ctx, `SELECT state FROM crawls WHERE name = ?`, crawl).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return state, h.explain(err)
}

// Prune forgets runs of a crawl that have ended: those before a time, and of the
// others all but the latest keep.
func (h *History) Prune(ctx context.Context, crawl string, keep int, before time.Time) (forgotten int64, err error) {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, h.explain(err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	done, err := tx.ExecContext(ctx, `DELETE FROM runs WHERE crawl = ?1 AND status NOT IN ('waiting', 'running', 'suspended')
		AND (max(started, ended, occurrence) < ?2 OR number <= coalesce((SELECT number FROM runs WHERE crawl = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?3), 0))`,
		crawl, unix(before), keep)
	if err != nil {
		return 0, h.explain(err)
	}
	if forgotten, err = done.RowsAffected(); err == nil && forgotten > 0 {
		_, err = tx.ExecContext(ctx, `DELETE FROM details WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.number = details.number)`)
	}
	if err != nil {
		return 0, h.explain(err)
	}
	return forgotten, h.explain(tx.Commit())
}

// Path is the file.
func (h *History) Path() string { return h.path }
