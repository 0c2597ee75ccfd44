package sink

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

const provenanceHeader = "_type,_url,_requested,_fetched_at,_run,_key,_usage,_extra\r\n"

// session opens a CSV sink, writes, flushes and closes, and gives the position.
func session(t *testing.T, path string, info crawler.RunInfo, position []byte, records ...crawler.Record) []byte {
	t.Helper()
	c := &CSV{Path: path}
	if err := c.Open(ctx, info, position); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(ctx, records); err != nil {
		t.Fatal(err)
	}
	position, err := c.Flush(ctx)
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	return position
}

func TestCSVText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	info := crawler.RunInfo{Types: []crawler.RecordType{{Name: "book", Fields: []string{"title", "n,o", "tags", "_url"}}}}
	session(t, path, info, nil,
		crawler.Record{
			Type: "book",
			Fields: []crawler.Field{
				{Name: "tags", Value: []any{"a", int64(1)}},
				{Name: "title", Value: "say \"hi\",\nthen =SUM(A1)\xff"},
				{Name: "n,o", Value: 2.5},
				{Name: "_url", Value: true},
				{Name: "late", Value: "x"},
				{Name: "later", Value: nil},
			},
			URL: "https://a.example/", Requested: "https://a.example/", FetchedAt: time.Unix(0, 0), Run: "r", Key: "k", Usage: "u",
		},
		crawler.Record{Type: "book", Fields: []crawler.Field{{Name: "title", Value: ""}, {Name: "n,o", Value: nil}, {Name: "tags", Value: json.RawMessage(`{"a": "b"}`)}}},
		crawler.Record{Type: "book", Fields: []crawler.Field{{Name: "title", Value: " =1+1"}}},
	)
	want := `title,"n,o",tags,_url_2,` + provenanceHeader +
		"\"say \"\"hi\"\",\nthen =SUM(A1)\ufffd\"" + `,2.5,"[""a"",1]",true,book,https://a.example/,https://a.example/,1970-01-01T00:00:00.000Z,r,k,u,"{""late"":""x"",""later"":null}"` + "\r\n" +
		`"",,"{""a"":""b""}",,book,,,0001-01-01T00:00:00.000Z,,,,` + "\r\n" +
		`" =1+1",,,,book,,,0001-01-01T00:00:00.000Z,,,,` + "\r\n"
	if got := content(t, path); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestCSVHeaderWithoutRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	session(t, path, run("book"), nil)
	if got := content(t, path); got != "n,"+provenanceHeader {
		t.Errorf("got %q", got)
	}
}

// Without known fields the first record decides, and a resumed run keeps to it,
// also when the config knows other fields by then.
func TestCSVHeaderOutlivesTheConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	unknown := crawler.RunInfo{Types: []crawler.RecordType{{Name: "meta"}}}
	field := func(name, value string) crawler.Record {
		return crawler.Record{Type: "meta", Fields: []crawler.Field{{Name: name, Value: value}}}
	}
	position := session(t, path, unknown, nil)
	if got := content(t, path); got != "" {
		t.Fatalf("a header before the first record: %q", got)
	}
	position = session(t, path, unknown, position, field("a\nb", "1"), field("c", "2"))
	known := crawler.RunInfo{Types: []crawler.RecordType{{Name: "meta", Fields: []string{"c", "d"}}}}
	session(t, path, known, position, field("d", "3"), field("a\nb", "4"))

	lines, err := csv.NewReader(strings.NewReader(content(t, path))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var first, extra []string
	for _, l := range lines {
		first, extra = append(first, l[0]), append(extra, l[len(l)-1])
	}
	if !slices.Equal(first, []string{"a\nb", "1", "", "", "4"}) || !slices.Equal(extra, []string{"_extra", "", `{"c":"2"}`, `{"d":"3"}`, ""}) {
		t.Errorf("first column %q, last %q", first, extra)
	}
}

func TestCSVTypesShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.csv")
	info := crawler.RunInfo{Types: []crawler.RecordType{{Name: "a", Fields: []string{"x", "y"}}, {Name: "b", Fields: []string{"y", "z"}}}}
	session(t, path, info, nil)
	if got := content(t, path); got != "x,y,z,"+provenanceHeader {
		t.Errorf("got %q", got)
	}
	info.Types = append(info.Types, crawler.RecordType{Name: "c"})
	session(t, path, info, nil, crawler.Record{Type: "c", Fields: []crawler.Field{{Name: "q"}}})
	if got := content(t, path); !strings.HasPrefix(got, "x,y,z,q,"+provenanceHeader) {
		t.Errorf("got %q", got)
	}
}

func TestCSVForeignHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("a,b\r\n1,2\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &CSV{Path: path}
	wantStop(t, c.Open(ctx, run("book"), []byte(`{"sink":"csv","files":{"a.csv":10}}`)), path, "header")
	if got := content(t, path); got != "a,b\r\n1,2\r\n" {
		t.Errorf("the file was changed to %q", got)
	}
	session(t, path, run("book"), nil) // no claim is left behind
}

// A page with ten thousand keys decides neither on columns nor on memory.
func TestCSVHeaderIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	info := crawler.RunInfo{Types: []crawler.RecordType{{Name: "meta"}}}
	var wide crawler.Record
	wide.Type = "meta"
	wide.Fields = []crawler.Field{{Name: "cr\r\n", Value: "v"}}
	for i := range 10_000 {
		wide.Fields = append(wide.Fields, crawler.Field{Name: strings.Repeat("\"", i%300) + "k", Value: int64(i)})
	}
	position := session(t, path, info, nil, wide)
	session(t, path, info, position, wide)
	lines, err := csv.NewReader(strings.NewReader(content(t, path))).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if n := len(lines[0]) - len(closing); n > maxColumns {
		t.Errorf("%d columns", n)
	}
	var extra map[string]any
	if err := json.Unmarshal([]byte(lines[2][len(lines[2])-1]), &extra); err != nil {
		t.Fatal(err)
	}
	if got := len(extra) + len(lines[0]) - len(closing); got != len(wide.Fields) || extra["cr\r\n"] != "v" {
		t.Errorf("%d of %d fields are there", got, len(wide.Fields))
	}
	if !slices.Equal(lines[1], lines[2]) {
		t.Errorf("a resumed run writes other columns")
	}
}

// Every value of every record is found again, by column or in _extra.
func TestCSVLosesNothing(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]string{"a", "b", "c", "_key", "", "d,\"", "é"})
		texts := rapid.StringMatching(`[a ",=\n\x{2028}é]{0,6}`)
		fields := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) crawler.Field {
			return crawler.Field{Name: names.Draw(t, "name"), Value: texts.Draw(t, "value")}
		}), 0, 6)
		known := rapid.SliceOfN(names, 0, 4).Draw(t, "known")
		records := make([]crawler.Record, rapid.IntRange(1, 5).Draw(t, "records"))
		for i := range records {
			records[i] = crawler.Record{Type: "x", Fields: fields.Draw(t, "fields")}
		}
		path := filepath.Join(base, "a.csv")
		c := &CSV{Path: path}
		_ = c.Open(ctx, crawler.RunInfo{Types: []crawler.RecordType{{Name: "x", Fields: known}}}, nil)
		if err := c.Write(ctx, records); err != nil {
			t.Fatalf("%v", err)
		}
		if _, err := c.Flush(ctx); err != nil {
			t.Fatalf("%v", err)
		}
		_ = c.Close()
		b, _ := os.ReadFile(path)
		lines, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
		if err != nil || len(lines) != len(records)+1 {
			t.Fatalf("%d lines for %d records: %v", len(lines), len(records), err)
		}
		for i, r := range records {
			row := map[string]any{}
			extra := lines[i+1][len(lines[0])-1]
			if extra != "" {
				if err := json.Unmarshal([]byte(extra), &row); err != nil {
					t.Fatalf("%v", err)
				}
			}
			for j, name := range lines[0] {
				row[name] = lines[i+1][j]
			}
			renamed := recordNames(r.Fields)
			for j, f := range r.Fields {
				name := f.Name
				if renamed != nil {
					name = renamed[j]
				}
				if row[name] != f.Value {
					t.Fatalf("record %d: %q is %q, want %q", i, name, row[name], f.Value)
				}
			}
		}
	})
}
