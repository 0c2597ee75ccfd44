package cmd

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// killOutput is a sink as the crash tests know it: how a config names it, where
// its files are, and how a reader gets the records of one type from them.
type killOutput struct {
	sink   string
	config string
	files  func(dir, kind string) string
	read   func(t *testing.T, path string) []record
	// tear leaves behind a file what a process that was killed between writing
	// and committing would: a moment that is too short to be hit each time.
	tear string
}

// killOutputs are the sinks that crawls are killed with: a new one joins by a
// line here.
var killOutputs = []killOutput{
	{"jsonl", `{jsonl: "{type}.jsonl"}`, inFile(".jsonl"), readLines, "{\"title\":\"uncommitted\"}\n{\"title\":\"ha"},
	{"csv", `{csv: "{type}.csv"}`, inFile(".csv"), readRows, "uncommitted,1\r\n\"ha"},
	// Behind the ? stands the table; the pattern finds the write-ahead log too.
	{"sqlite", `{sqlite: records.db}`, func(dir, kind string) string { return filepath.Join(dir, "records.db?"+kind) }, readTable, ""},
	// Parts of five records, so that many are written while the crawl is killed.
	{"parquet", `{parquet: {path: "{type}.parquet", records: 5}}`, inFile("-*.parquet"), readParquet, ""},
	{"webhook", `{webhook: {url: "` + killHook + `", records: 5, secret: "${AMBLE_KILL_SECRET}"}}`, func(dir, kind string) string { return dir + "?" + kind }, readHook, ""},
	{"blob", `{blob: {url: "` + killShelf + `{type}.jsonl.gz", endpoint: "` + killEndpoint + `", records: 5, access_key: id, secret_key: "${AMBLE_KILL_SECRET}"}}`, func(dir, kind string) string { return dir + "?" + kind }, readShelf, ""},
}

// killOutputsConfig is the section output with all of them.
func killOutputsConfig() string {
	text := "output:\n"
	for _, o := range killOutputs {
		text += "  - " + o.config + "\n"
	}
	return text
}

func inFile(ending string) func(dir, kind string) string {
	return func(dir, kind string) string { return filepath.Join(dir, kind+ending) }
}

func readLines(t *testing.T, path string) []record {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parseLines(t, data)
}

func readRows(t *testing.T, path string) []record {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows: %v", path, len(rows), err)
	}
	records := make([]record, len(rows)-1)
	for i, row := range rows[1:] {
		records[i] = record{}
		for column, name := range rows[0] {
			records[i][name] = row[column]
		}
	}
	return records
}

func readTable(t *testing.T, path string) []record {
	t.Helper()
	path, table, _ := strings.Cut(path, "?")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT * FROM "` + table + `"`)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var records []record
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		r := record{}
		for i, name := range columns {
			if name != "_batch" { // as the process happened to go
				r[name] = values[i]
			}
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return records
}

func readParquet(t *testing.T, pattern string) (records []record) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) < 2 {
		t.Fatalf("%s: %v, %v; want several parts", pattern, paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := parquet.Read[any](bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, row := range rows {
			records = append(records, record(row.(map[string]any)))
		}
	}
	return records
}

// tearOutputs leaves torn records behind every output that is there.
func tearOutputs(t *testing.T, c *fixtureCrawl) {
	t.Helper()
	for _, o := range killOutputs {
		if o.tear == "" {
			continue
		}
		for _, kind := range killKinds {
			f, err := os.OpenFile(o.files(c.dir, kind), os.O_WRONLY|os.O_APPEND, 0)
			if errors.Is(err, fs.ErrNotExist) {
				continue // killed before it came to that
			}
			if err == nil {
				_, err = f.WriteString(o.tear)
				err = errors.Join(err, f.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	tearRejects(t, c)
}

// writtenTwice names the records that an output holds more than once.
func writtenTwice(records []record) (keys []string) {
	seen := map[string]bool{}
	for _, r := range records {
		key := r.text("_key")
		if seen[key] {
			keys = append(keys, key)
		}
		seen[key] = true
	}
	return keys
}

// sameRun expects all records to be of one run.
func sameRun(t *testing.T, records []record) {
	t.Helper()
	for _, r := range records {
		if r.text("_run") != records[0].text("_run") {
			t.Errorf("records of two runs: %v and %v", records[0], r)
			return
		}
	}
}
