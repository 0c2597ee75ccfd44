package structured

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// native is a decoded value as a record holds it. Integers keep their digits: one
// that int64 cannot hold stays a literal.
func native(v any) any {
	switch v := v.(type) {
	case json.Number:
		return values.JSONNumber(string(v))
	case int: // jq counts with these
		return int64(v)
	case *big.Int:
		return values.JSONNumber(v.String())
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = native(v[i])
		}
		return list
	case map[string]any:
		return members(v)
	}
	return v
}

// members are an object's, sorted by name as the document's order is lost; nil
// for anything else.
func members(v any) []crawler.Field {
	object, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	fields := make([]crawler.Field, 0, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		fields = append(fields, crawler.Field{Name: name, Value: native(object[name])})
	}
	return fields
}

// raw is a value as JSON.
func raw(v any) (any, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return json.RawMessage(bytes.TrimSpace(b.Bytes())), nil
}

// scalar is the text of what is neither a list nor an object.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case []any, map[string]any:
		return "", false
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return fmt.Sprint(v), true
}

// literal shows a value in a report.
func literal(v any) string {
	if text, ok := scalar(v); ok {
		return text
	}
	out, _ := raw(v)
	text, _ := out.(json.RawMessage)
	return string(text)
}
