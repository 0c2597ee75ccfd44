package tables

import (
	"encoding/json"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
)

// maxHeading bounds the name of one of Columns, in bytes, as in CSV.
const maxHeading = 256

// Columns are what the records of a file were seen to have, in the order of their
// first appearance. The zero Columns are ready to use. A field beyond MaxColumns, or
// with a name longer than 256 bytes, gets none. They are not safe for concurrent use.
type Columns struct {
	list  []Column
	index map[string]int
	rest  bool // a field got no column
}

// Seen are columns as another process has listed them; rest as Rest gave it.
func Seen(list []Column, rest bool) *Columns {
	c := &Columns{rest: rest}
	for _, column := range list {
		c.add(column)
	}
	return c
}

func (c *Columns) add(column Column) int {
	if c.index == nil {
		c.index = map[string]int{}
	}
	c.index[column.Name] = len(c.list)
	c.list = append(c.list, column)
	return len(c.list) - 1
}

// Admit makes room for the fields of a record, and for what makes it a tombstone.
func (c *Columns) Admit(r *crawler.Record) { c.admit(r, KindOf) }

// AdmitRead is Admit for a record that was read back from JSON, which does not tell 1.10
// from a float: what a float64 holds to the last digit is a number.
func (c *Columns) AdmitRead(r *crawler.Record) {
	c.admit(r, func(value any) Kind {
		if raw, ok := value.(json.RawMessage); ok && held(string(raw)) {
			return Number
		}
		return KindOf(value)
	})
}

func (c *Columns) admit(r *crawler.Record, kindOf func(any) Kind) {
	if _, known := c.index[crawler.DeletedName]; r.Deleted && !known {
		c.add(Column{Name: crawler.DeletedName, Kind: Boolean}) // no field has that name
	}
	names := sink.FieldNames(r.Fields)
	for i, f := range r.Fields {
		if names != nil {
			f.Name = names[i]
		}
		at, known := c.index[f.Name]
		if !known {
			if len(c.list) >= MaxColumns || len(f.Name) > maxHeading {
				c.rest = true
				continue
			}
			at = c.add(Column{Name: f.Name})
		}
		c.list[at].Kind = Join(c.list[at].Kind, kindOf(f.Value))
	}
}

// Kind is what a column holds; ok is false where there is none of this name.
func (c *Columns) Kind(name string) (kind Kind, ok bool) {
	at, ok := c.index[name]
	if ok {
		kind = c.list[at].Kind
	}
	return kind, ok
}

// List gives the columns.
func (c *Columns) List() []Column { return c.list }

// Rest reports whether a field got no column.
func (c *Columns) Rest() bool { return c.rest }

// Filled are the columns that have had a value: what the others hold is not known.
func (c *Columns) Filled() *Columns {
	filled := &Columns{rest: c.rest}
	for _, column := range c.list {
		if column.Kind != Any {
			filled.add(column)
		}
	}
	return filled
}

// Names lists the columns' names.
func (c *Columns) Names() []string {
	names := make([]string, len(c.list))
	for i, column := range c.list {
		names[i] = column.Name
	}
	return names
}
