package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
)

func at(folder string) crawler.Sink {
	return &SQLite{Path: filepath.Join(folder, "out", "records.db"), Table: "{type}"}
}

func TestSQLite(t *testing.T) {
	sinktest.RunTables(t, sinktest.Subject{New: at, Read: read, Abandon: abandon})
}

// abandon puts copies of the files in their place, as they lie there: the sink
// keeps the old ones open, so that nothing it does later reaches them.
func abandon(t interface{ Fatalf(string, ...any) }, _ crawler.Sink, folder string) {
	names, err := filepath.Glob(filepath.Join(folder, "out", "*"))
	for _, name := range names {
		var content []byte
		if content, err = os.ReadFile(name); err != nil {
			break
		}
		if err = os.Remove(name); err != nil {
			break
		}
		if strings.HasSuffix(name, "-shm") {
			continue // memory of the process that died
		}
		if err = os.WriteFile(name, content, 0o600); err != nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func read(folder string) ([]sinktest.Row, error) {
	path := filepath.Join(folder, "out", "records.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var all []sinktest.Row
	for _, name := range []string{"book", "page", "quote"} {
		rows, err := db.Query(`SELECT _type, _key, text, number FROM "` + name + `"`)
		if err != nil {
			return nil, err
		}
		if all, err = sinktest.Scan(all, rows); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func run(id string) crawler.RunInfo {
	return crawler.RunInfo{Crawl: "shop", ID: id, Started: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Types: []crawler.RecordType{{Name: "book", Fields: []string{"a"}}}}
}

func write(t *testing.T, s *SQLite, run crawler.RunInfo, records ...crawler.Record) []byte {
	t.Helper()
	if err := s.Open(t.Context(), run, nil); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Write(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	position, err := s.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return position
}

// Every value keeps its type, and every name a place.
func TestMixedValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	write(t, &SQLite{Path: path, Table: "{type}"}, run("r1"), sinktest.Mixed()...)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]string{
		`SELECT group_concat(typeof("price") || '=' || quote("price"), ' ') FROM "book"`:             "integer=3 real=2.5 integer=1 null=NULL",
		`SELECT group_concat(quote("select"), ' ') FROM "book"`:                                      "1 'neither' NULL NULL",
		`SELECT group_concat(quote("a"), ' ') FROM "book"`:                                           "NULL 'text\uFFFDnul' '{\"deep\":1.5}' NULL",
		`SELECT "_extra" FROM "book" WHERE "_key" = 'm2'`:                                            `{"price":"second"}`,
		`SELECT "_batch_2" || "_" || "_url_2" || "_batch" || "_url" FROM "book" WHERE "_key" = 'm3'`: "minenamelesstaken1https://books.example/m3",
		`SELECT "_fetched_at" FROM "book" WHERE "_key" = 'm0'`:                                       "2024-03-01T00:00:01.000Z",
		`SELECT count(*) FROM pragma_table_info('book') WHERE length(CAST(name AS blob)) > 63`:       "0",
	} {
		var got string
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", query, got, err, want)
		}
	}
}

// What an earlier run left is replaced, or kept until its key comes again.
func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	record := func(key, text string) crawler.Record {
		return crawler.Record{Type: "book", Key: key, Run: "r", Fields: []crawler.Field{{Name: "a", Value: text}}}
	}
	write(t, &SQLite{Path: path, Table: "{type}"}, run("r1"), record("1", "old"), record("2", "old"))
	write(t, &SQLite{Path: path, Table: "{type}", Keep: true}, run("r2"), record("2", "new"), record("3", "new"), record("3", "newer"))
	if got := texts(t, path); got != "1old 2new 3newer" {
		t.Errorf("kept: %s", got)
	}
	write(t, &SQLite{Path: path, Table: "{type}"}, run("r3"), record("4", "last"))
	if got := texts(t, path); got != "4last" {
		t.Errorf("replaced: %s", got)
	}
}

func texts(t *testing.T, path string) (out string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT group_concat(x, ' ') FROM (SELECT "_key" || "a" AS x FROM "book" ORDER BY "_key")`).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// What is not the output's own is refused, and left as it is.
func TestForeignTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE "book" ("a" text); INSERT INTO "book" VALUES ('precious')`); err != nil {
		t.Fatal(err)
	}
	refused := func(s *SQLite, info crawler.RunInfo, position []byte, words string) {
		t.Helper()
		err := s.Open(t.Context(), info, position)
		if !errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), path) {
			t.Errorf("Open: %v; want %q", err, words)
		}
	}
	refused(&SQLite{Path: path, Table: "{type}"}, run("r1"), nil, "amble did not make")
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM "book" WHERE "a" = 'precious'`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows left, %v", n, err)
	}
	position := write(t, &SQLite{Path: path, Table: "my_{type}"}, run("r1"))
	other := run("r1")
	other.Crawl = "other"
	refused(&SQLite{Path: path, Table: "my_{type}"}, other, nil, "a table of its own")
	refused(&SQLite{Path: path, Table: "my_{type}"}, run("r2"), position, "does not know this run")
	refused(&SQLite{Path: path, Table: "my_{type}"}, run("r1"), []byte(`{"sink":"sqlite","batch":7}`), "holds 0 batches")
	_ = db.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refused(&SQLite{Path: path, Table: "my_{type}"}, run("r1"), position, "is missing")
	if err := os.WriteFile(path, []byte(strings.Repeat("rubbish ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(&SQLite{Path: path, Table: "my_{type}"}, run("r1"), position, "not a database")
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		sink SQLite
		want string
	}{
		{SQLite{Path: "a.db", Table: "{type}"}, ""},
		{SQLite{Path: "", Table: "{type}"}, "no file"},
		{SQLite{Path: "-", Table: "{type}"}, "no file"},
		{SQLite{Path: "out/", Table: "{type}"}, "folder"},
		{SQLite{Path: "{type}.db", Table: "{type}"}, "{type} in the path"},
		{SQLite{Path: "a.db", Table: ""}, "no table"},
		{SQLite{Path: "a.db", Table: "x{run}"}, "{run}"},
		{SQLite{Path: "a.db", Table: "x{"}, `holds {`},
	} {
		err := c.sink.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.sink, err, c.want)
		}
	}
}

// A file that another process holds is waited for within the call's own deadline.
func TestLockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s := &SQLite{Path: path, Table: "{type}"}
	if err := s.Open(t.Context(), run("r1"), nil); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), sinktest.Mixed()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.Flush(ctx); !errors.Is(err, crawler.ErrStop) {
		t.Errorf("Flush: %v", err)
	}
}

// Whatever a record holds, its batch is taken.
func TestAwkwardRecords(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		write(t, &SQLite{Path: filepath.Join(t.TempDir(), "x.db"), Table: fmt.Sprint("{type}", n)}, run("r1"), sinktest.Awkward().Draw(rt, "records")...)
	})
}

// A name may have any characters, those of parameters among them.
func TestNamesWithQuestionMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	write(t, &SQLite{Path: path, Table: `"{type}?"`}, run("r1"), crawler.Record{Type: "book", Key: "1", Fields: []crawler.Field{{Name: `in "stock"?`, Value: "yes"}}})
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var got string
	if err := db.QueryRow(`SELECT "in ""stock""?" FROM """book?"""`).Scan(&got); err != nil || got != "yes" {
		t.Errorf("%q, %v", got, err)
	}
}
