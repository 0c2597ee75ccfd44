package query

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

// Native is a value that Documents or a query gave as a record holds it. An
// object's members are sorted by name, as their order is lost; an integer that
// int64 cannot hold stays a literal.
func Native(v any) any {
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
			list[i] = Native(v[i])
		}
		return list
	case map[string]any:
		fields := make([]crawler.Field, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			fields = append(fields, crawler.Field{Name: name, Value: Native(v[name])})
		}
		return fields
	}
	return v
}

// Raw is a value as JSON.
func Raw(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return json.RawMessage(bytes.TrimSpace(b.Bytes())), nil
}

// Scalar is the text of what is neither a list nor an object.
func Scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case json.RawMessage:
		return string(v), true
	case []any, map[string]any, []crawler.Field, nil:
		return "", false
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return fmt.Sprint(v), true
}
