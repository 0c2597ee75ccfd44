package config

import (
	"encoding"
	"fmt"
	"math"
	"math/big"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written with its unit: 512KiB, 10MiB, 1GB.
type Size int64

var sizeUnits = map[string]int64{
	"b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
}

// UnmarshalText reads a number and a unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB).
func (s *Size) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit := strings.ToLower(strings.TrimSpace(string(text)[len(digits):]))
	scale, ok := sizeUnits[unit]
	if !ok || strings.ContainsAny(digits, "eExX_/") || len(digits) > 30 {
		return fmt.Errorf("want a size such as 512KiB or 10MiB")
	}
	value, ok := new(big.Rat).SetString(digits)
	if !ok || value.Sign() < 0 {
		return fmt.Errorf("want a size such as 512KiB or 10MiB")
	}
	value.Mul(value, new(big.Rat).SetInt64(scale))
	whole := new(big.Int).Quo(value.Num(), value.Denom())
	if !whole.IsInt64() {
		return fmt.Errorf("the size is out of range")
	}
	*s = Size(whole.Int64())
	return nil
}

// String writes the size in the largest unit that keeps it whole.
func (s Size) String() string {
	for _, u := range []struct {
		name  string
		scale Size
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s >= u.scale && s%u.scale == 0 {
			return strconv.FormatInt(int64(s/u.scale), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// bad reports a scalar that was not taken; later checks leave it alone.
func (l *loader) bad(n *node, hint, format string, args ...any) {
	n.broken = true
	l.errorf(n.place, hint, format, args...)
}

func isScalar(t reflect.Type) bool {
	if takesText(t) || t == durationType {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64:
		return true
	}
	return isInteger(t)
}

func isInteger(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 && t != durationType && t != sizeType
}

// wanted says in words what a scalar of a type looks like.
func wanted(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 500ms, 2s or 1m30s"
	case t == sizeType:
		return "a size such as 512KiB or 10MiB"
	case t == addressType:
		return "an address such as 127.0.0.1:8080"
	case takesText(t):
		return "text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return "a number"
	case isInteger(t):
		return "a whole number"
	}
	return "text"
}

// scalar decodes one value; a value of the environment counts as if its text
// stood in the file without quotes.
func (l *loader) scalar(n *node, v reflect.Value, s slot) {
	t := v.Type()
	mismatch := func(hint string) {
		l.bad(n, hint, "%s: want %s; found %s", s.path, wanted(t), n)
	}
	switch n.kind {
	case nullKind:
		l.bad(n, "give it one, or remove the key", "%s has no value", s.path)
		return
	case listKind, mappingKind:
		mismatch("")
		return
	}
	bare := n.secret() || n.implied
	switch {
	case t == durationType:
		l.duration(n, v, s, mismatch)
	case takesText(t):
		l.unmarshal(n, v, s, mismatch)
	case t.Kind() == reflect.String:
		l.text(n, v, s, mismatch)
	case t.Kind() == reflect.Bool:
		if n.kind != boolKind && !bare || n.text != "true" && n.text != "false" {
			hint := ""
			switch strings.ToLower(n.text) {
			case "true", "false":
				hint = "remove the quotes"
			case "yes", "on":
				hint = "write true"
			case "no", "off":
				hint = "write false"
			}
			mismatch(hint)
			return
		}
		v.SetBool(n.text == "true")
	default:
		if n.kind != numberKind && !bare {
			_, err := strconv.ParseFloat(n.text, 64)
			if err != nil {
				mismatch("")
				return
			}
			if !n.plain { // plain ones are numbers too large for YAML's reader
				mismatch("remove the quotes")
				return
			}
		}
		l.number(n, v, s, mismatch)
	}
}

func (l *loader) duration(n *node, v reflect.Value, s slot, mismatch func(string)) {
	d, err := time.ParseDuration(n.text)
	if n.kind == numberKind {
		mismatch("write " + short(n.text) + "s for seconds")
		return
	}
	if err != nil || n.kind == boolKind {
		mismatch("")
		return
	}
	if d < 0 {
		l.bad(n, "", "%s: a duration cannot be negative; found %s", s.path, n)
		return
	}
	v.SetInt(int64(d))
	l.bounds(n, s, float64(d), func(text string) float64 {
		b, _ := time.ParseDuration(text)
		return float64(b)
	})
}

func (l *loader) unmarshal(n *node, v reflect.Value, s slot, mismatch func(string)) {
	if v.Type() == sizeType && n.kind == numberKind {
		mismatch("write " + short(n.text) + "B for bytes")
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.text)); err != nil {
		if wanted(v.Type()) != "text" {
			mismatch("")
			return
		}
		n.broken = true
		l.foreignValue(n, s.path, err.Error(), "")
		return
	}
	if v.Type() == sizeType {
		l.bounds(n, s, float64(v.Int()), func(text string) float64 {
			var b Size
			_ = b.UnmarshalText([]byte(text))
			return float64(b)
		})
	}
}

// foreignValue reports what other code says about a value; where the value
// came from the environment nothing it says is repeated.
func (l *loader) foreignValue(n *node, path, message, hint string) {
	if n.secret() {
		hint = "" // it may repeat the value
		if userEnds(n.text) {
			hint = encodeUser
		}
		if strings.Count(n.text, "{{") > strings.Count(n.written, "{{") {
			l.bad(n, "a value cannot hold {{ here", "%s: %s holds {{, which begins the place of another value", path, n)
			return
		}
		l.bad(n, hint, "%s: %s is not accepted", path, n)
		return
	}
	if path != "" {
		message = path + ": " + message
	}
	l.foreign(n.place, hint, message)
}

// encodeUser says what to do where userEnds.
const encodeUser = "percent-encode the user and password: %2F for /, %3F for ?, %23 for # and %40 for @"

// userEnds reports whether the user and password of a URL hold a slash, which ends them.
func userEnds(raw string) bool {
	_, rest, ok := strings.Cut(raw, "://")
	rest, _, _ = strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	return ok && !strings.Contains(authority, "@") && strings.Contains(path, "@")
}

func (l *loader) text(n *node, v reflect.Value, s slot, mismatch func(string)) {
	if n.kind == boolKind {
		mismatch("put it in quotes if it is meant as text")
		return
	}
	text := n.text
	if len(s.enum) > 0 && !slices.Contains(s.enum, text) {
		hint := ""
		if near := nearest(text, s.enum); near != "" && !n.secret() {
			hint = "did you mean " + near + "?"
		}
		l.bad(n, hint, "%s: want one of %s; found %s", s.path, strings.Join(s.enum, ", "), n)
		return
	}
	if s.field.path {
		text = l.resolvePath(text)
	}
	v.SetString(text)
}

// resolvePath makes a path absolute; "-", URLs and the empty path stay.
func (l *loader) resolvePath(path string) string {
	if path == "" || path == "-" || strings.Contains(path, "://") || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.dir, path)
}

func (l *loader) number(n *node, v reflect.Value, s slot, mismatch func(string)) {
	clean := strings.TrimPrefix(n.text, "+")
	if !isInteger(v.Type()) {
		f, err := strconv.ParseFloat(strings.ReplaceAll(clean, "_", ""), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			mismatch("")
			return
		}
		v.SetFloat(f)
		l.bounds(n, s, f, parseBound)
		return
	}
	if digits := strings.TrimLeft(clean, "-"); len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		mismatch("remove the leading zero")
		return
	}
	if len(clean) > 40 {
		mismatch("")
		return
	}
	i, ok := new(big.Int).SetString(clean, 0)
	if !ok {
		mismatch("")
		return
	}
	switch {
	case v.CanInt() && i.IsInt64() && !v.OverflowInt(i.Int64()):
		v.SetInt(i.Int64())
	case v.CanUint() && i.IsUint64() && !v.OverflowUint(i.Uint64()):
		v.SetUint(i.Uint64())
	default:
		l.bad(n, "", "%s: out of range; found %s", s.path, n)
		return
	}
	f, _ := new(big.Float).SetInt(i).Float64()
	l.bounds(n, s, f, parseBound)
}

func parseBound(text string) float64 {
	f, _ := strconv.ParseFloat(text, 64)
	return f
}

func (l *loader) bounds(n *node, s slot, value float64, parse func(string) float64) {
	switch {
	case s.min != "" && value < parse(s.min):
		l.bad(n, "", "%s: at least %s; found %s", s.path, s.min, n)
	case s.max != "" && value > parse(s.max):
		l.bad(n, "", "%s: at most %s; found %s", s.path, s.max, n)
	}
}
