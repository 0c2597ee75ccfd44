package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

func init() {
	crawler.Sinks.Register("sqlite", func() crawler.Sink { return &SQLite{Table: "{type}"} })
}

// patience is how long a file that another process has locked is waited for.
const patience = 30 * time.Second

// SQLite writes records to the tables of a file. It is not safe for concurrent
// use, as [crawler.Sink] says.
type SQLite struct {
	Path  string `yaml:"path,scalar" doc:"The file, relative to the config; {run} and {date} stand for the run and its first day."`
	Table string `yaml:"table" doc:"The name of a table; {type} stands for the record type." default:"{type}"`
	Keep  bool   `yaml:"keep" doc:"A new run keeps the rows of earlier ones, and replaces those with the same _key."`

	out *tables.Output
}

// Validate reports paths and names that cannot be, as *crawler.ConfigError.
func (s *SQLite) Validate() error {
	bad := func(key, msg, hint string) error {
		return &crawler.ConfigError{Path: []string{key}, Msg: msg, Hint: hint}
	}
	var wrong []error
	switch {
	case strings.TrimSpace(s.Path) == "" || s.Path == "-":
		wrong = append(wrong, bad("path", "no file is given", "write a file name such as out/books.db"))
	case strings.ContainsRune(s.Path, 0):
		wrong = append(wrong, bad("path", "the path holds a NUL byte", ""))
	case strings.HasSuffix(s.Path, "/"):
		wrong = append(wrong, bad("path", fmt.Sprintf("%q is a folder, not a file", s.Path), "add a file name such as books.db"))
	case strings.Contains(s.Path, "{type}"):
		wrong = append(wrong, bad("path", "{type} in the path of a database", "each type has a table of its own: see table"))
	}
	if err := tables.CheckTemplate(s.Table); err != nil {
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// Open opens the file and brings it to the position. A committed file that is
// missing is not made anew.
func (s *SQLite) Open(ctx context.Context, run crawler.RunInfo, position []byte) error {
	if s.out.IsOpen() {
		return errors.New("the sink is open already")
	}
	if err := tables.CheckPosition(dialect{}.Format(), position); err != nil {
		return err
	}
	path := strings.NewReplacer("{run}", run.ID, "{date}", run.Started.UTC().Format("2006-01-02")).Replace(s.Path)
	if err := ready(path, len(position) > 0); err != nil {
		return fmt.Errorf("%w: %w", crawler.ErrStop, err)
	}
	db, err := open(path)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", crawler.ErrStop, path, err)
	}
	out, err := tables.Open(ctx, tables.Options{
		Dialect: dialect{}, DB: db, Place: path, Table: s.Table, Keep: s.Keep, Patience: patience,
	}, run, position)
	if err == nil {
		s.out = out
	}
	return err
}

// ready sees that the file of a resumed run is there, and makes the folders of a
// new one.
func ready(path string, resumed bool) error {
	_, err := os.Stat(path)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case resumed:
		return fmt.Errorf("%s is missing, and the run has committed records to it: put it back, or start over with --fresh", path)
	}
	return os.MkdirAll(filepath.Dir(path), 0o755)
}

func open(path string) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: q.Encode()}).String())
	if err == nil {
		db.SetMaxOpenConns(1) // there is one writer in any case
	}
	return db, err
}

// Write keeps records until Flush.
func (s *SQLite) Write(ctx context.Context, records []crawler.Record) error {
	return s.out.Write(ctx, records)
}

// Flush writes what was kept in one transaction and returns the position.
func (s *SQLite) Flush(ctx context.Context) ([]byte, error) { return s.out.Flush(ctx) }

// Places lists the tables.
func (s *SQLite) Places() []string { return s.out.Places() }

// Close closes the file. Records that were not flushed are dropped.
func (s *SQLite) Close() error { return s.out.Close() }
