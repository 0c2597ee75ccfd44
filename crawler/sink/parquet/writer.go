package parquet

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// groupRows is how many rows a row group has, which is held in memory.
const groupRows = 50_000

// Columns are a type's fields with what they hold. The zero Columns are ready to
// use.
type Columns struct {
	kinds map[string]tables.Kind
	order []string
}

// Admit makes room for the fields of a record.
func (c *Columns) Admit(r *crawler.Record) {
	if c.kinds == nil {
		c.kinds = map[string]tables.Kind{}
	}
	names := sink.FieldNames(r.Fields)
	for i, f := range r.Fields {
		name := f.Name
		if names != nil {
			name = names[i]
		}
		if _, known := c.kinds[name]; !known {
			c.order = append(c.order, name)
		}
		c.kinds[name] = tables.Join(c.kinds[name], tables.KindOf(f.Value))
	}
}

// schema is that of the fields and the provenance.
func (c *Columns) schema(recordType string) *parquet.Schema {
	group := parquet.Group{}
	for name, kind := range c.kinds {
		group[name] = parquet.Optional(node(kind))
	}
	for _, name := range crawler.ProvenanceNames {
		group[name] = parquet.Optional(parquet.String())
	}
	group["_fetched_at"] = parquet.Optional(parquet.Timestamp(parquet.Millisecond))
	return parquet.NewSchema(recordType, group)
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

// Writer writes the records of one type. It is not safe for concurrent use.
type Writer struct {
	out     *parquet.GenericWriter[map[string]any]
	columns *Columns
	rows    int
}

// NewWriter begins a file. A record with a field that columns do not have is
// refused.
func NewWriter(w io.Writer, recordType string, columns *Columns) *Writer {
	return &Writer{
		out:     parquet.NewGenericWriter[map[string]any](w, columns.schema(recordType), parquet.Compression(&parquet.Zstd), parquet.CreatedBy("amble", "", "")),
		columns: columns,
	}
}

// Write adds a record.
func (w *Writer) Write(r *crawler.Record) error {
	row := map[string]any{
		"_type": r.Type, "_url": r.URL, "_requested": r.Requested, "_fetched_at": r.FetchedAt.UnixMilli(), "_run": r.Run, "_key": r.Key, "_usage": nil,
	}
	if r.Usage != "" {
		row["_usage"] = r.Usage
	}
	names := sink.FieldNames(r.Fields)
	for i, f := range r.Fields {
		name := f.Name
		if names != nil {
			name = names[i]
		}
		kind, ok := w.columns.kinds[name]
		if !ok {
			return fmt.Errorf("the field %q has no column", name)
		}
		if kind == tables.Any {
			kind = tables.Text
		}
		value := tables.Cell(f.Value, kind)
		if text, ok := value.(string); ok && kind == tables.JSON {
			value = []byte(text)
		}
		row[name] = value
	}
	if _, err := w.out.Write([]map[string]any{row}); err != nil {
		return err
	}
	if w.rows++; w.rows%groupRows == 0 {
		return w.out.Flush()
	}
	return nil
}

// Close ends the file, which cannot be read before.
func (w *Writer) Close() error { return w.out.Close() }

// Names lists the fields, in the order of their first appearance.
func (c *Columns) Names() []string { return c.order }
