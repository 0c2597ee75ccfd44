package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// What is written is read back with its types, by the library's own reader.
func TestRoundTrip(t *testing.T) {
	records := sinktest.Mixed()
	var columns tables.Columns
	for i := range records {
		columns.Admit(&records[i])
	}
	var file bytes.Buffer
	w := NewWriter(&file, "book", &columns)
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[any](bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || len(rows) != len(records) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	var got []string
	for _, row := range rows {
		m := row.(map[string]any)
		got = append(got, fmt.Sprintf("%v|%v|%v|%v", m["price"], m["Price"], m["select"], m["_key"]))
	}
	if want := []string{"<nil>|3|true|m0", "2.5|<nil>|neither|m1", "second|<nil>|<nil>|m2", "<nil>|<nil>|<nil>|m3"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	first := rows[0].(map[string]any)
	if at, ok := first["_fetched_at"].(time.Time); ok && !at.Equal(records[0].FetchedAt) || !ok && fmt.Sprint(first["_fetched_at"]) != fmt.Sprint(records[0].FetchedAt.UnixMilli()) {
		t.Errorf("_fetched_at is %v", first["_fetched_at"])
	}
	if err := w.Write(&crawler.Record{Fields: []crawler.Field{{Name: "unheard of", Value: true}}}); err == nil {
		t.Error("a field without a column is taken")
	}
}

// What is empty is not what is missing.
func TestEmptyIsNotNull(t *testing.T) {
	var columns tables.Columns
	empty := crawler.Record{Fields: []crawler.Field{{Name: "text", Value: ""}, {Name: "int", Value: int64(0)}, {Name: "number", Value: 0.0}, {Name: "bool", Value: false}, {Name: "list", Value: []any{}}}}
	missing := crawler.Record{Fields: []crawler.Field{{Name: "text", Value: nil}}}
	columns.Admit(&empty)
	var file bytes.Buffer
	w := NewWriter(&file, "book", &columns)
	if err := errors.Join(w.Write(&empty), w.Write(&missing), w.Close()); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[any](bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range empty.Fields {
		if got, want := fmt.Sprintf("%#v", rows[0].(map[string]any)[f.Name]), fmt.Sprintf("%#v", f.Value); got != want && f.Name != "list" {
			t.Errorf("%s is %s, want %s", f.Name, got, want)
		}
		if got := rows[1].(map[string]any)[f.Name]; got != nil {
			t.Errorf("%s that is missing is %#v", f.Name, got)
		}
	}
}

// A tombstone is told by a column that other files do not have.
func TestTombstones(t *testing.T) {
	var columns tables.Columns
	records := []crawler.Record{
		{Type: "book", Key: "1", Fields: []crawler.Field{{Name: "title", Value: "a"}}},
		{Type: "book", Key: "2", Deleted: true},
	}
	for i := range records {
		columns.Admit(&records[i])
	}
	var file bytes.Buffer
	w := NewWriter(&file, "book", &columns)
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[struct {
		Title   *string `parquet:"title,optional"`
		Key     string  `parquet:"_key,optional"`
		Deleted *bool   `parquet:"_deleted,optional"`
	}](bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || len(rows) != 2 || rows[0].Deleted != nil || *rows[0].Title != "a" || rows[1].Deleted == nil || !*rows[1].Deleted {
		t.Errorf("read back %+v, %v", rows, err)
	}
}
