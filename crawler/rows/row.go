package rows

import "github.com/amblecrawl/amble/crawler"

// Row is one row of a dataset.
type Row struct {
	Number int64 // from 1, counting every row
	Line   int64 // where it begins, from 1; 0 where the format has no lines
	Fields []crawler.Field
	// Err says why the row cannot be used, nil when it can. Fields are then what
	// could be read of it.
	Err error
}

// value is that of a column, false where the row has none.
func (r *Row) value(column string) (any, bool) {
	for i := range r.Fields {
		if r.Fields[i].Name == column {
			return r.Fields[i].Value, true
		}
	}
	return nil, false
}

// Text is the value of a column as text, "" where the row has none, or null.
func (r *Row) Text(column string) string {
	v, _ := r.value(column)
	return crawler.TextOf(v)
}
