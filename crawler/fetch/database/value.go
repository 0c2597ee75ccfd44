package database

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler/query"
)

// column is one column of a result.
type column struct {
	name string
	kind kind
}

// kind says how the values of a column are read where their Go type leaves it open.
type kind uint8

const (
	plain    kind = iota
	decimal       // digits that a driver gives as text
	document      // JSON
	day           // a date without a time
	binary        // bytes, not text
	moment        // a time that a driver gives as text, in UTC
	truth         // a boolean that a driver gives as 0 or 1
)

// errNull is the trouble with a page column.
var errNull = errors.New("a row has null there, which no page would hold")

// bindText gives dates and times as text by RFC 3339: PostgreSQL reads it as whatever type
// the place of the parameter has, and SQLite's functions read it.
func bindText(t query.Type, v any) any {
	at, ok := v.(time.Time)
	switch {
	case !ok:
		return v
	case t == query.Date:
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339Nano)
}

// json is a value in an answer: bytes as base64, times by RFC 3339 in UTC, numbers
// with a fraction or an exponent unless they are integers by their type.
func (k kind) json(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return []byte("null"), nil
	case int64:
		if k == truth && (v == 0 || v == 1) {
			return strconv.AppendBool(nil, v == 1), nil
		}
		return strconv.AppendInt(nil, v, 10), nil
	case uint64:
		return strconv.AppendUint(nil, v, 10), nil
	case float32:
		return number(strconv.FormatFloat(float64(v), 'g', -1, 32)), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return text(strconv.FormatFloat(v, 'g', -1, 64)), nil
		}
		return number(strconv.FormatFloat(v, 'g', -1, 64)), nil
	case bool:
		return strconv.AppendBool(nil, v), nil
	case time.Time:
		if k == day {
			return text(v.Format(time.DateOnly)), nil
		}
		return text(v.UTC().Format(time.RFC3339Nano)), nil
	case []byte:
		if k == binary {
			return text(base64.StdEncoding.EncodeToString(v)), nil
		}
		return k.textual(string(v)), nil
	case string:
		return k.textual(v), nil
	}
	return nil, fmt.Errorf("values of the type %T cannot be written", v)
}

func (k kind) textual(s string) []byte {
	switch {
	case k == decimal && isNumber(s):
		return number(s)
	case k == moment:
		return text(instant(s))
	case k == document:
		var b bytes.Buffer // an answer has a line for each row
		if json.Compact(&b, []byte(s)) == nil {
			return b.Bytes()
		}
	}
	return text(s)
}

// instant is 2026-01-31 12:00:00.500 by RFC 3339, but for a date that is none, such as
// 0000-00-00, which stays as the database has it.
func instant(s string) string {
	at, err := time.Parse(time.DateTime, s)
	if err != nil {
		return s
	}
	return at.Format(time.RFC3339Nano)
}

// isNumber reports whether s is a number of JSON.
func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') && json.Valid([]byte(s))
}

// number has a number read as one with a fraction.
func number(s string) []byte {
	if !strings.ContainsAny(s, ".eE") {
		s += ".0"
	}
	return []byte(s)
}

func text(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // strings never fail
		return []byte(`""`)
	}
	return b
}

// key is the value of a page column as it is bound for the next page.
func (d driver) key(k kind, v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, errNull
	case int64, float64:
		return v, nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
		return strconv.FormatUint(v, 10), nil
	case string:
		return textKey(v)
	case []byte:
		if k != binary {
			return textKey(string(v))
		}
	case time.Time:
		if d.timeKey == "" {
			return nil, errors.New("pages cannot be made by a column of dates in this database: select it as text, or take another")
		}
		if k == day {
			return v.Format(time.DateOnly), nil
		}
		return v.UTC().Format(d.timeKey), nil
	}
	return nil, errors.New("pages are made by a column of integers, numbers, text or times")
}

func textKey(s string) (any, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("a value is not UTF-8 text")
	}
	return s, nil
}
