package parquet

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// cells are the values of a file as text, by row and column.
func cells(t *rapid.T, in io.ReaderAt, size int64) []map[string]string {
	file, err := parquet.OpenFile(in, size)
	if err != nil {
		t.Fatal(err)
	}
	columns := file.Schema().Columns()
	var all []map[string]string
	for _, group := range file.RowGroups() {
		rows := group.Rows()
		buffer := make([]parquet.Row, group.NumRows())
		n, err := rows.ReadRows(buffer)
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		for _, row := range buffer[:n] {
			cell := map[string]string{}
			for _, v := range row {
				if !v.IsNull() {
					cell[columns[v.Column()][0]] = v.String()
				}
			}
			all = append(all, cell)
		}
		_ = rows.Close()
	}
	return all
}

// plain is a text as it is without the quotes and escapes of JSON: a JSON string that
// was kept is a string when it is read back.
func plain(s string) string {
	var text string
	if json.Unmarshal([]byte(s), &text) == nil {
		return strings.ReplaceAll(text, "\x00", "\uFFFD")
	}
	return s
}

// Whatever a record holds, its part is written, and holds what would have been written
// without keeping the record in between.
func TestAwkwardRecords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		folder, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(folder) }()
		records := sinktest.Awkward().Draw(rt, "records")
		var columns tables.Columns
		for i := range records {
			columns.Admit(&records[i])
		}
		var direct bytes.Buffer
		w := NewWriter(&direct, "book", columns.Filled())
		for i := range records {
			if err := w.Write(&records[i]); err != nil {
				rt.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			rt.Fatal(err)
		}

		p := &Parquet{Path: filepath.Join(folder, "x.parquet"), Records: 1}
		run := runInfo(t)
		if err := p.Open(rt.Context(), run, nil); err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		if err := p.Write(rt.Context(), records); err != nil {
			rt.Fatal(err)
		}
		if _, err := p.Flush(rt.Context()); err != nil {
			rt.Fatal(err)
		}
		if err := p.Deliver(rt.Context()); err != nil {
			rt.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(folder, "x-00001.parquet"))
		if err != nil {
			rt.Fatal(err)
		}
		want := cells(rt, bytes.NewReader(direct.Bytes()), int64(direct.Len()))
		got := cells(rt, bytes.NewReader(data), int64(len(data)))
		if len(got) != len(want) || len(got) != len(records) {
			rt.Fatalf("%d rows, want %d", len(got), len(records))
		}
		for i := range want {
			for name, cell := range want[i] {
				if other := got[i][name]; name != "_usage" && name != extraName && plain(other) != plain(cell) && !(cell == "null" && other == "") {
					rt.Errorf("%q is %.300q, want %.300q", name, other, cell)
				}
			}
		}
	})
}

// Integers of more than 64 bits, and numbers beyond any float, keep every digit.
func TestNumbersKeepTheirDigits(t *testing.T) {
	records := []crawler.Record{{Type: "book"}, {Type: "book"}, {Type: "book"}}
	for i, texts := range [][]string{{"18446744073709551615", "7", "1e400"}, {"9223372036854775809", "18446744073709551615", "2"}, {"12345678901234567890123", "-9223372036854775809", "1.10"}} {
		for j, text := range texts {
			back, err := sink.ParseJSON([]byte(`{"x":` + text + `}`))
			if err != nil {
				t.Fatal(err)
			}
			records[i].Fields = append(records[i].Fields, crawler.Field{Name: string(rune('a' + j)), Value: back.Fields[0].Value})
		}
	}
	out := t.TempDir()
	p := &Parquet{Path: filepath.Join(out, "x.parquet"), Records: 1}
	if err := p.Open(t.Context(), runInfo(t), nil); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	commit(t, p, records...)
	data, err := os.ReadFile(filepath.Join(out, "x-00001.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		got := cells(rt, bytes.NewReader(data), int64(len(data)))
		if got[0]["a"] != "18446744073709551615" || got[1]["a"] != "9223372036854775809" || got[2]["a"] != "12345678901234567890123" ||
			got[0]["b"] != "7" || got[1]["b"] != "18446744073709551615" || got[2]["b"] != "-9223372036854775809" ||
			got[0]["c"] != "1e400" || got[1]["c"] != "2" || got[2]["c"] != "1.10" {
			rt.Fatalf("%v", got)
		}
	})
}
