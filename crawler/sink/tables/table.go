package tables

import (
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
)

// MaxColumns is how many fields of a table get a column of their own.
const MaxColumns = 500

// maxName bounds the name of a table or column in bytes, as PostgreSQL does.
const maxName = 63

// Column is one field's.
type Column struct {
	Name string
	Kind Kind
}

// table is one table as this process knows it.
type table struct {
	name    string
	typed   bool // columns have kinds
	columns []Column
	index   map[string]int  // by folded name
	settled map[string]bool // columns of text that are known to hold some
}

func newTable(name string, typed bool, columns []Column) *table {
	t := &table{name: name, typed: typed, index: map[string]int{}, settled: map[string]bool{}}
	for _, c := range columns {
		t.add(c)
	}
	return t
}

func (t *table) add(c Column) {
	t.index[strings.ToLower(c.Name)] = len(t.columns)
	t.columns = append(t.columns, c)
}

// clone is a copy to be changed in a transaction that may fail.
func (t *table) clone() *table {
	c := newTable(t.name, t.typed, t.columns)
	c.settled = maps.Clone(t.settled)
	return c
}

// changes are what a table needs before records can be written to it.
type changes struct {
	added  []Column
	joined []Column // with the kind that they need from now on
}

// admit makes room for the fields of records.
func (t *table) admit(records []crawler.Record) changes {
	var made changes
	before := slices.Clone(t.columns)
	last := map[int]int{} // the record in which a column last got a value
	for i := range records {
		for _, f := range namedFields(&records[i]) {
			at, known := t.index[strings.ToLower(f.Name)]
			if !known {
				if len(t.columns) == MaxColumns {
					continue
				}
				t.add(Column{Name: f.Name})
				at = len(t.columns) - 1
			}
			if n, had := last[at]; had && n == i {
				continue // goes to _extra
			}
			last[at] = i
			if t.typed {
				t.columns[at].Kind = Join(t.columns[at].Kind, KindOf(f.Value))
			}
		}
	}
	for i, c := range t.columns {
		if t.typed && c.Kind == Any {
			c.Kind = Text // nothing but nulls so far
			t.columns[i] = c
		}
		switch {
		case i >= len(before):
			made.added = append(made.added, c)
		case before[i].Kind != c.Kind:
			made.joined = append(made.joined, c)
		}
	}
	return made
}

// closing are the columns after the fields.
var closing = append(slices.Clone(crawler.ProvenanceNames), "_extra", "_batch")

// names are those of all columns, in the order of row.
func (t *table) names() []string {
	names := make([]string, 0, len(t.columns)+len(closing))
	for _, c := range t.columns {
		names = append(names, c.Name)
	}
	return append(names, closing...)
}

// row is a record in the order of the columns.
func (t *table) row(r *crawler.Record, batch int64) []any {
	row := make([]any, len(t.columns), len(t.columns)+len(closing))
	taken := make([]bool, len(t.columns))
	var extra []crawler.Field
	for _, f := range namedFields(r) {
		at, ok := t.index[strings.ToLower(f.Name)]
		if !ok || taken[at] {
			extra = append(extra, f)
			continue
		}
		taken[at] = true
		row[at] = Cell(f.Value, t.columns[at].Kind)
	}
	row = append(row, clean(r.Type), clean(r.URL), clean(r.Requested), r.FetchedAt.UTC(), r.Run, r.Key, nil, nil, batch)
	if r.Usage != "" {
		row[len(row)-3] = clean(r.Usage)
	}
	if len(extra) > 0 {
		row[len(row)-2] = clean(portable(string(sink.AppendValue(nil, extra))))
	}
	return row
}

// namedFields are a record's fields under the names of their columns.
func namedFields(r *crawler.Record) []crawler.Field {
	fields := slices.Clone(r.Fields)
	names := sink.FieldNames(fields)
	for i := range fields {
		name := fields[i].Name
		if names != nil {
			name = names[i]
		}
		fields[i].Name = identifier(name)
	}
	return fields
}

// identifier makes a name that a database takes. One that is too long is cut and
// told from others by a checksum.
func identifier(name string) string {
	name = clean(name)
	if name == "" {
		return "_"
	}
	for _, own := range closing {
		if strings.EqualFold(own, name) {
			return name + "_2"
		}
	}
	if len(name) <= maxName {
		return name
	}
	cut := maxName - 9
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return fmt.Sprintf("%s-%08x", name[:cut], crc32.ChecksumIEEE([]byte(name)))
}
