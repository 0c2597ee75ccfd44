package item

import (
	"encoding/json"

	"github.com/amblecrawl/amble/crawler"
)

// The bounds of what is written of one page.
const (
	MaxDepth  = 32      // items in items
	maxValues = 500_000 // of all records
	leastSize = 1 << 20 // octets that a small page may be made into
)

// A Writer makes fields of the items of one page: "@type" and "@id" where there
// are any, then the properties, each its value or, with several, a list of them.
//
// An item stands wherever it is referred to, so that each record is whole. Three
// things bound that: an item within itself, and one deeper than MaxDepth, are
// only their address, or nothing without one; when a page has been made into
// eight times its size, no item is written a second time.
type Writer struct {
	room, values int
	path         map[*Item]bool
	written      map[*Item]bool
	Cut          bool // something was left out because of its depth or of the page's size
}

// NewWriter is for a page of that many octets.
func NewWriter(size int) *Writer {
	return &Writer{room: max(leastSize, 8*size), values: maxValues, path: map[*Item]bool{}, written: map[*Item]bool{}}
}

// Fields are an item's.
func (w *Writer) Fields(it *Item) []crawler.Field {
	w.path[it] = true
	defer delete(w.path, it)
	w.written[it] = true
	fields := make([]crawler.Field, 0, len(it.Props)+2)
	put := func(name string, value any) {
		if value != nil {
			w.room -= len(name) + 4
			w.values--
			fields = append(fields, crawler.Field{Name: name, Value: value})
		}
	}
	types := make([]any, len(it.Types))
	for i, t := range it.Types {
		types[i] = t
	}
	put("@type", w.several(types))
	if it.ID != "" {
		put("@id", it.ID)
		w.room -= len(it.ID)
	}
	for _, p := range it.Props {
		put(p.Name, w.several(p.Values))
	}
	return fields
}

// several are values as one value.
func (w *Writer) several(values []any) any {
	out := w.list(values)
	switch len(out) {
	case 0:
		return nil
	case 1:
		return out[0]
	}
	return out
}

func (w *Writer) list(values []any) []any {
	var out []any
	for _, v := range values {
		if v = w.value(v); v != nil {
			out = append(out, v)
		}
	}
	return out
}

func (w *Writer) value(v any) any {
	w.values--
	switch v := v.(type) {
	case string:
		w.room -= len(v) + 3
		return v
	case json.RawMessage:
		w.room -= len(v)
		return v
	case Ref:
		w.room -= len(v) + 3
		return string(v)
	case *Item:
		return w.item(v)
	case []any:
		if list := w.list(v); list != nil {
			return list
		}
		return nil
	}
	w.room -= 8
	return v
}

func (w *Writer) item(it *Item) any {
	spent := w.room < 0 || w.values < 0
	if !w.path[it] && len(w.path) < MaxDepth && !(spent && w.written[it]) {
		if fields := w.Fields(it); len(fields) > 0 {
			return fields
		}
		return nil
	}
	w.Cut = w.Cut || !w.path[it]
	if it.ID == "" || len(it.ID) > 1 && it.ID[:2] == "_:" {
		return nil
	}
	return it.ID
}
