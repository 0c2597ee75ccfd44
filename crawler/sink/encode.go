package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
)

// maxDepth bounds the nesting of a value; what lies deeper becomes null. Pages
// decide how deep a value is, and a goroutine's stack must not be theirs.
const maxDepth = 500

// timeFormat is RFC 3339 in milliseconds, always as long, so that it sorts as
// text.
const timeFormat = "2006-01-02T15:04:05.000Z"

// AppendJSON appends a record as a line of the jsonl sink, without its end.
func AppendJSON(dst []byte, r *crawler.Record) []byte { return appendRecord(dst, r) }

// AppendValue appends the value of a field as the jsonl sink writes it.
func AppendValue(dst []byte, value any) []byte { return appendValue(dst, value, 1) }

// appendRecord appends a record as one JSON object without a line end.
func appendRecord(dst []byte, r *crawler.Record) []byte {
	dst = append(dst, '{')
	dst = appendMembers(dst, r.Fields, recordNames(r.Fields), 0)
	for i, name := range crawler.ProvenanceNames {
		value := provenance(r, i)
		if value == "" && name == "_usage" {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = appendString(dst, name)
		dst = append(dst, ':')
		dst = appendString(dst, value)
	}
	if r.Deleted {
		dst = append(dst, `,"`+crawler.DeletedName+`":true`...)
	}
	return append(dst, '}')
}

// provenance is the value of crawler.ProvenanceNames[i].
func provenance(r *crawler.Record, i int) string {
	switch crawler.ProvenanceNames[i] {
	case "_type":
		return r.Type
	case "_url":
		return r.URL
	case "_requested":
		return r.Requested
	case "_fetched_at":
		return r.FetchedAt.UTC().Format(timeFormat)
	case "_run":
		return r.Run
	case "_key":
		return r.Key
	default:
		return r.Usage
	}
}

// appendMembers appends the members of an object without its braces. names
// replaces the fields' own names unless it is nil.
func appendMembers(dst []byte, fields []crawler.Field, names []string, depth int) []byte {
	for i := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		name := fields[i].Name
		if names != nil {
			name = names[i]
		}
		dst = appendString(dst, name)
		dst = append(dst, ':')
		dst = appendValue(dst, fields[i].Value, depth+1)
	}
	return dst
}

// appendValue appends one of the values that crawler.Field allows, and the
// numbers and times that a plugin may hand over by mistake. Anything else
// becomes a string that says so: a value must not end a run.
func appendValue(dst []byte, value any, depth int) []byte {
	if depth > maxDepth {
		return append(dst, "null"...)
	}
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return appendString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return appendFloat(dst, v)
	case json.RawMessage:
		return appendRaw(dst, v, depth)
	case []any:
		dst = append(dst, '[')
		for i := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, v[i], depth+1)
		}
		return append(dst, ']')
	case []crawler.Field:
		dst = append(dst, '{')
		dst = appendMembers(dst, v, memberNames(v), depth)
		return append(dst, '}')
	case time.Time:
		return appendString(dst, v.UTC().Format(time.RFC3339Nano))
	}
	return appendString(dst, fmt.Sprintf("unsupported value of type %T", value))
}

// appendFloat writes a number as encoding/json does (ECMA-262, Number to
// String). JSON has no infinities and no NaN: they become null.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(dst, "null"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if format == 'e' {
		// One digit of exponent where one is enough: 1e-7, not 1e-07.
		if n := len(dst); n-start >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string (RFC 8259, section 7). The bytes < > & stay
// as they are, U+2028 and U+2029 are escaped since some readers of lines split
// there, and each byte that is not UTF-8 becomes U+FFFD.
func appendString[S string | []byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if b >= ' ' && b != '"' && b != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, b)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\u202`...)
			dst = append(dst, hexDigits[r&0xf])
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&0xf])
}

// appendRaw writes JSON that an extractor took from a page: on one line, in
// UTF-8. What is not JSON is written as a string.
func appendRaw(dst []byte, raw json.RawMessage, depth int) []byte {
	if len(raw) == 0 {
		return append(dst, "null"...)
	}
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	}
	// A value of several MiB is rare enough for a copy to be cheaper than care.
	buf := bytes.NewBuffer(make([]byte, 0, len(raw)))
	if err := json.Compact(buf, raw); err != nil {
		return appendString(dst, []byte(raw))
	}
	out := buf.Bytes()
	if bytes.Contains(out, []byte("\u2028")) || bytes.Contains(out, []byte("\u2029")) {
		// In valid JSON they can only stand inside strings.
		out = bytes.ReplaceAll(out, []byte("\u2028"), []byte(`\u2028`))
		out = bytes.ReplaceAll(out, []byte("\u2029"), []byte(`\u2029`))
	}
	if bytes.Count(out, []byte("["))+bytes.Count(out, []byte("{")) > maxDepth+1-depth {
		return appendShallow(dst, out, maxDepth+1-depth)
	}
	return append(dst, out...)
}

// appendShallow writes JSON with null for what is nested deeper than so many levels.
func appendShallow(dst, text []byte, levels int) []byte {
	open, inString := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		begins := !inString && (c == '[' || c == '{')
		if begins {
			if open++; open == levels+1 {
				dst = append(dst, "null"...)
			}
		}
		if open <= levels {
			dst = append(dst, c)
		}
		switch {
		case inString && c == '\\': // and what it escapes
			if i++; open <= levels {
				dst = append(dst, text[i])
			}
		case c == '"':
			inString = !inString
		case !inString && (c == ']' || c == '}'):
			open--
		}
	}
	return dst
}
