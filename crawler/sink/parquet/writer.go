package parquet

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// A row group is held in memory: it has so many rows at most, of so many bytes as
// they are estimated.
const (
	groupRows  = 50_000
	groupBytes = 32 << 20
)

// extraName is the column of the fields that have none, as in CSV.
const extraName = "_extra"

// schemaOf is the schema of the fields and the provenance.
func schemaOf(name string, columns *tables.Columns) *parquet.Schema {
	group := parquet.Group{}
	for _, c := range columns.List() {
		group[c.Name] = parquet.Optional(node(c.Kind))
	}
	if columns.Rest() {
		group[extraName] = parquet.Optional(parquet.JSON())
	}
	for _, name := range crawler.ProvenanceNames {
		group[name] = parquet.Optional(parquet.String())
	}
	group["_fetched_at"] = parquet.Optional(parquet.Timestamp(parquet.Millisecond))
	return parquet.NewSchema(name, group)
}

func node(kind tables.Kind) parquet.Node {
	switch kind {
	case tables.Boolean:
		return parquet.Leaf(parquet.BooleanType)
	case tables.Integer:
		return parquet.Int(64)
	case tables.Number:
		return parquet.Leaf(parquet.DoubleType)
	case tables.JSON:
		return parquet.JSON()
	}
	return parquet.String() // also of nothing but nulls
}

// Writer writes records of one form. It is not safe for concurrent use.
type Writer struct {
	out     *parquet.GenericWriter[any]
	columns *tables.Columns
	index   map[string]int // of the file's columns
	row     parquet.Row    // one row, reused
	rows    int            // of the row group
	size    int
}

// NewWriter begins a file; name is that of its schema. A record with a value that
// columns have no place for is refused.
func NewWriter(w io.Writer, name string, columns *tables.Columns) *Writer {
	schema := schemaOf(name, columns)
	index := map[string]int{}
	for i, path := range schema.Columns() {
		index[path[0]] = i
	}
	return &Writer{
		out:     parquet.NewGenericWriter[any](w, schema, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("amble", "", "")),
		columns: columns, index: index, row: make(parquet.Row, len(index)),
	}
}

// Write adds a record.
func (w *Writer) Write(r *crawler.Record) error {
	if err := w.fill(r); err != nil {
		return err
	}
	if _, err := w.out.WriteRows([]parquet.Row{w.row}); err != nil {
		return err
	}
	w.rows++
	w.size += crawler.SizeOfFields(r.Fields)
	if w.rows < groupRows && w.size < groupBytes {
		return nil
	}
	w.rows, w.size = 0, 0
	return w.out.Flush()
}

// fill makes the row of a record.
func (w *Writer) fill(r *crawler.Record) error {
	for i := range w.row {
		w.row[i] = parquet.NullValue().Level(0, 0, i)
	}
	var extra []crawler.Field
	names := sink.FieldNames(r.Fields)
	for i, f := range r.Fields {
		if names != nil {
			f.Name = names[i]
		}
		kind, ok := w.columns.Kind(f.Name)
		switch {
		case ok:
			w.set(f.Name, tables.Cell(f.Value, kind))
		case w.columns.Rest():
			extra = append(extra, f)
		case tables.KindOf(f.Value) != tables.Any:
			return fmt.Errorf("the field %q has no column", f.Name)
		}
	}
	if len(extra) > 0 {
		w.set(extraName, string(sink.AppendValue(nil, extra)))
	}
	w.set("_fetched_at", r.FetchedAt.UnixMilli())
	for name, value := range map[string]string{"_type": r.Type, "_url": r.URL, "_requested": r.Requested, "_run": r.Run, "_key": r.Key} {
		w.set(name, value)
	}
	if r.Usage != "" {
		w.set("_usage", r.Usage)
	}
	if r.Deleted {
		w.set(crawler.DeletedName, true)
	}
	return nil
}

// set puts a value into the row, as tables.Cell gives it. An empty one is a value.
func (w *Writer) set(name string, value any) {
	if value == nil {
		return
	}
	at := w.index[name]
	w.row[at] = parquet.ValueOf(value).Level(0, 1, at)
}

// Close ends the file, which cannot be read before.
func (w *Writer) Close() error { return w.out.Close() }
