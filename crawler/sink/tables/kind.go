package tables

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
)

// Kind is what a column holds. The zero kind takes any value as it is.
type Kind uint8

// The kinds of columns.
const (
	Any Kind = iota
	Boolean
	Integer
	Number
	JSON
	Text
)

// KindOf is the narrowest kind that holds a value, Any for null.
func KindOf(value any) Kind {
	switch v := value.(type) {
	case nil:
		return Any
	case bool:
		return Boolean
	case int64, int:
		return Integer
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Any // written as null, as in every format
		}
		return Number
	case json.RawMessage, []any, []crawler.Field:
		return JSON
	}
	return Text
}

// Join is the narrowest kind that holds what both hold.
func Join(a, b Kind) Kind {
	switch {
	case a == b || b == Any:
		return a
	case a == Any:
		return b
	case min(a, b) == Integer && max(a, b) == Number:
		return Number
	}
	return Text
}

// Cell is a value as a column of a kind takes it: nil, bool, int64, float64, or
// a string, which for a column of JSON is JSON.
func Cell(value any, kind Kind) any {
	own := KindOf(value)
	switch {
	case own == Any:
		return nil
	case kind == Any && own < JSON, kind == own && own < JSON:
		return number(value)
	case kind == Number:
		if f, ok := float(value); ok {
			return f
		}
	}
	if s, ok := value.(string); ok && kind != JSON {
		return clean(s)
	}
	text := string(sink.AppendValue(nil, value))
	if kind == JSON || own == JSON {
		text = portable(text)
	}
	return clean(text)
}

// float is a value of a column of numbers. Package sink reads a number that it wrote
// as a float back as JSON where it is not the float's to the last digit.
func float(value any) (f float64, ok bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case json.RawMessage:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	}
	return 0, false
}

// held reports a decimal whose digits are those of a float64.
func held(text string) bool {
	if len(text) > maxNumber || endless(text) || !strings.ContainsAny(text, ".eE") || text[0] == '[' || text[0] == '{' {
		return false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return false
	}
	want, ok := new(big.Rat).SetString(text)
	got, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && got.Cmp(want) == 0
}

func number(value any) any {
	if n, ok := value.(int); ok {
		return int64(n)
	}
	return value
}

// clean makes a text that every database takes: UTF-8 without NUL.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}
