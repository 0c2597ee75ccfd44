package parquet

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
)

func TestSuite(t *testing.T) {
	sinktest.Run(t, sinktest.Subject{
		New: func(folder string) crawler.Sink {
			return &Parquet{Path: filepath.Join(folder, "out", "{type}.parquet"), Records: 3}
		},
		Read:  readParts,
		Whole: isPart,
	})
}

// Where the parts are is the path's to say.
func TestPaths(t *testing.T) {
	for path, want := range map[string]string{
		"all.parquet": "all-00001.parquet all-00002.parquet", "{date}/{type}/{part}": "1970-01-01/book/00001 1970-01-01/page/00001",
		"{run}/x-{part}-{type}.pq": "r/x-00001-book.pq r/x-00001-page.pq",
	} {
		out := t.TempDir()
		p := &Parquet{Path: filepath.Join(out, path), Records: 2}
		run := runInfo(t)
		run.Types = append(run.Types, crawler.RecordType{Name: "page"})
		if err := p.Open(t.Context(), run, nil); err != nil {
			t.Fatal(err)
		}
		commit(t, p, crawler.Record{Type: "book"}, crawler.Record{Type: "page"})
		if strings.HasPrefix(path, "all") {
			commit(t, p, crawler.Record{Type: "book"}, crawler.Record{Type: "page"})
		} else if len(p.Places()) != 0 {
			t.Errorf("%s: parts that are not full are written: %v", path, p.Places())
		}
		p.Seal()
		commit(t, p)
		var got []string
		for _, place := range p.Places() {
			if rows, err := readFile(place); err != nil || len(rows) == 0 {
				t.Errorf("%s has %d rows, %v", place, len(rows), err)
			}
			rel, _ := filepath.Rel(out, place)
			got = append(got, filepath.ToSlash(rel))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
}

func isPart(path string) bool { return filepath.Ext(path) == ".parquet" }

func readParts(folder string) (rows []sinktest.Row, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isPart(path) {
			return err
		}
		found, err := readFile(path)
		for _, m := range found {
			n, _ := m["number"].(int64)
			rows = append(rows, sinktest.Row{Type: m["_type"].(string), Key: m["_key"].(string), Text: m["text"].(string), Number: n})
		}
		return err
	})
	return rows, err
}

func readFile(path string) (rows []map[string]any, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	found, err := parquet.Read[any](f, info.Size())
	for _, row := range found {
		rows = append(rows, row.(map[string]any))
	}
	return rows, err
}

// commit is a batch as the engine makes it.
func commit(t *testing.T, p *Parquet, records ...crawler.Record) []byte {
	t.Helper()
	if err := p.Write(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	position, err := p.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	return position
}

func runInfo(t *testing.T) crawler.RunInfo {
	return crawler.RunInfo{Crawl: "c", ID: "r", Started: time.Unix(0, 0), Folder: t.TempDir(), Types: []crawler.RecordType{{Name: "book"}}}
}

// A later part may have more columns, and none is of a narrower type than it was.
func TestColumnsEvolve(t *testing.T) {
	out := t.TempDir()
	p := &Parquet{Path: filepath.Join(out, "{type}.parquet"), Records: 1}
	run := runInfo(t)
	if err := p.Open(t.Context(), run, nil); err != nil {
		t.Fatal(err)
	}
	record := func(fields ...crawler.Field) crawler.Record { return crawler.Record{Type: "book", Fields: fields} }
	commit(t, p, record(crawler.Field{Name: "price", Value: 3.0}, crawler.Field{Name: "later", Value: nil}))
	position := commit(t, p)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Open(t.Context(), run, position); err != nil {
		t.Fatal(err)
	}
	commit(t, p, record(crawler.Field{Name: "price", Value: int64(4)}, crawler.Field{Name: "later", Value: true}))
	for i, want := range []string{"optional double price", "optional boolean later"} {
		f, err := os.Open(filepath.Join(out, "book-0000"+string(rune('1'+i))+".parquet"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, _ := f.Stat()
		file, err := parquet.OpenFile(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		schema := file.Schema().String()
		if !strings.Contains(schema, "optional double price") || !strings.Contains(schema, want) || i == 0 && strings.Contains(schema, "later") {
			t.Errorf("part %d is\n%s", i+1, schema)
		}
	}
	if got, want := strings.Join(p.Places(), " "), "book-00001.parquet"; !strings.Contains(got, want) {
		t.Errorf("Places: %s", got)
	}
}

// A page may have any number of fields. What has no column is in _extra.
func TestFieldsWithoutColumn(t *testing.T) {
	out := t.TempDir()
	p := &Parquet{Path: filepath.Join(out, "{type}.parquet"), Records: 1}
	if err := p.Open(t.Context(), runInfo(t), nil); err != nil {
		t.Fatal(err)
	}
	r := crawler.Record{Type: "book"}
	for i := range 600 {
		r.Fields = append(r.Fields, crawler.Field{Name: strings.Repeat("x", i+1), Value: int64(i)})
	}
	commit(t, p, r)
	rows, err := readFile(filepath.Join(out, "book-00001.parquet"))
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	extra, ok := rows[0]["_extra"].(map[string]any)
	if !ok || len(extra) != 600-256 || rows[0]["xxx"] != int64(2) {
		t.Errorf("_extra has %d, xxx is %v", len(extra), rows[0]["xxx"])
	}
}

// An earlier run's parts go, and nothing else does.
func TestFreshRunRemovesParts(t *testing.T) {
	out := t.TempDir()
	for _, name := range []string{"book-00007.parquet", ".book-00009.parquet.part", "book-x.parquet", "books-00001.parquet", "book-0001.parquet", "readme"} {
		if err := os.WriteFile(filepath.Join(out, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &Parquet{Path: filepath.Join(out, "{type}.parquet"), Records: 1}
	if err := p.Open(t.Context(), runInfo(t), nil); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(out, "*"))
	if len(left) != 4 {
		t.Errorf("left are %v", left)
	}
}

func TestValidate(t *testing.T) {
	for path, want := range map[string]string{
		"out/{type}.parquet": "", "x.parquet": "", "{type}/{part}.parquet": "",
		"-": "need a folder", "/dev/stdout": "need a folder", "{part}/x": "does not hold {part} once", "{part}{part}": "does not hold {part} once",
		"": "no path", "s3://b/x": "is an address", "{nonsense}": "a brace",
	} {
		err := (&Parquet{Path: path}).Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", path, err, want)
		}
	}
}
