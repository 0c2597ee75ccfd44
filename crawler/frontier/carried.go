package frontier

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"

	"github.com/amblecrawl/amble/crawler"
)

// What a request holds beyond its URL, as it stands in a row.

func appendCall(b []byte, c *crawler.Call) []byte {
	repeat := byte(0)
	if c.Repeat {
		repeat = 1
	}
	b = appendText(append(b, repeat), c.Method)
	b = appendText(b, c.Body)
	b = binary.AppendUvarint(b, uint64(len(c.Header)))
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		b = appendText(b, name)
		b = appendTexts(b, c.Header[name])
	}
	return b
}

func (r *reader) call() *crawler.Call {
	c := &crawler.Call{Repeat: r.byte() == 1, Method: r.text(), Body: r.text()}
	for range r.count() {
		name := r.text()
		if values := r.texts(); !r.bad {
			if c.Header == nil {
				c.Header = http.Header{}
			}
			c.Header[name] = values
		}
	}
	return c
}

func appendTexts(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

// count reads how many things follow, each of at least one octet.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) texts() []string {
	var list []string
	for range r.count() {
		list = append(list, r.text())
	}
	return list
}

// Tags of values.
const (
	tagNil byte = iota
	tagFalse
	tagTrue
	tagText
	tagInteger
	tagNumber
	tagJSON
	tagList
	tagFields
)

// maxNesting bounds lists and objects within each other; what is deeper is nil.
const maxNesting = 16

func appendFields(b []byte, fields []crawler.Field, depth int) []byte {
	b = binary.AppendUvarint(b, uint64(len(fields)))
	for _, f := range fields {
		b = appendValue(appendText(b, f.Name), f.Value, depth)
	}
	return b
}

func appendValue(b []byte, v any, depth int) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, tagTrue)
		}
		return append(b, tagFalse)
	case string:
		return appendText(append(b, tagText), v)
	case int64:
		return binary.AppendVarint(append(b, tagInteger), v)
	case float64:
		return binary.BigEndian.AppendUint64(append(b, tagNumber), math.Float64bits(v))
	case json.RawMessage:
		return appendText(append(b, tagJSON), string(v))
	case []any:
		if depth < maxNesting {
			b = binary.AppendUvarint(append(b, tagList), uint64(len(v)))
			for _, item := range v {
				b = appendValue(b, item, depth+1)
			}
			return b
		}
	case []crawler.Field:
		if depth < maxNesting {
			return appendFields(append(b, tagFields), v, depth+1)
		}
	}
	return append(b, tagNil)
}

func (r *reader) fields(depth int) []crawler.Field {
	var fields []crawler.Field
	for range r.count() {
		fields = append(fields, crawler.Field{Name: r.text(), Value: r.value(depth)})
	}
	return fields
}

func (r *reader) value(depth int) any {
	switch tag := r.byte(); {
	case tag == tagNil || r.bad:
	case tag == tagFalse, tag == tagTrue:
		return tag == tagTrue
	case tag == tagText:
		return r.text()
	case tag == tagInteger:
		v, n := binary.Varint(r.b)
		if n > 0 {
			r.b = r.b[n:]
			return v
		}
		r.bad, r.b = true, nil
	case tag == tagNumber:
		return math.Float64frombits(binary.BigEndian.Uint64(r.take(8)))
	case tag == tagJSON:
		return json.RawMessage(r.text())
	case tag == tagList && depth < maxNesting:
		var list []any
		for range r.count() {
			list = append(list, r.value(depth+1))
		}
		return list
	case tag == tagFields && depth < maxNesting:
		return r.fields(depth + 1)
	default:
		r.bad, r.b = true, nil
	}
	return nil
}
