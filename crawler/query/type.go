package query

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Type is what a parameter takes.
type Type string

// The types of parameters.
const (
	Text     Type = "text"
	Integer  Type = "integer"
	Number   Type = "number"
	Boolean  Type = "boolean"
	Date     Type = "date"     // 2026-01-31
	DateTime Type = "datetime" // 2026-01-31T12:00:00Z; without an offset it is UTC
)

// Types lists them, for messages.
var Types = []Type{Text, Integer, Number, Boolean, Date, DateTime}

// Known reports whether t is one of Types.
func (t Type) Known() bool {
	for _, known := range Types {
		if t == known {
			return true
		}
	}
	return false
}

// MaxValue is the longest value of a parameter, in bytes. All of them have to fit
// into a URL.
const MaxValue = 2 << 10

// Canonical gives the one spelling of a value; the error is for people.
func (t Type) Canonical(s string) (string, error) {
	switch {
	case len(s) > MaxValue:
		return "", fmt.Errorf("a value of more than %d bytes", MaxValue)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return "", errors.New("not UTF-8 text")
	}
	v, err := t.parse(s)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		if t == Date {
			return v.Format(time.DateOnly), nil
		}
		return v.UTC().Format(time.RFC3339Nano), nil
	}
	return s, nil
}

// Value is a canonical value as it is bound: string, int64, float64, bool or
// time.Time.
func (t Type) Value(s string) (any, error) { return t.parse(s) }

func (t Type) parse(s string) (any, error) {
	switch t {
	case Integer:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, errors.New("want an integer")
		}
		return n, nil
	case Number:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errors.New("want a number")
		}
		return f, nil
	case Boolean:
		if s == "true" || s == "false" {
			return s == "true", nil
		}
		return nil, errors.New("want true or false")
	case Date:
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			// Drivers give dates as times at midnight.
			if d, err = time.Parse(time.RFC3339, s); err != nil || !d.Equal(d.Truncate(24*time.Hour)) {
				return nil, errors.New("want a date such as 2026-01-31")
			}
		}
		return d, nil
	case DateTime:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly} {
			if d, err := time.Parse(layout, s); err == nil {
				return d.UTC(), nil
			}
		}
		return nil, errors.New("want a time such as 2026-01-31T12:00:00Z")
	}
	return s, nil
}
