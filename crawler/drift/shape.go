package drift

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
)

// seen is what a value looks like; the names are "" where there is none.
type seen struct {
	kind, length, pattern string
	text                  string // the beginning of the value
}

// scanned is how much of a text its pattern is taken from, in bytes.
const scanned = 512

// look describes a value; ok is false for one that says nothing: null, an empty
// text, an empty list or object.
func look(value any) (s seen, ok bool) {
	switch v := value.(type) {
	case nil:
		return seen{}, false
	case string:
		return lookText(v)
	case bool:
		return seen{kind: "boolean"}, true
	case int64:
		return lookInteger(v), true
	case int:
		return lookInteger(int64(v)), true
	case float64:
		if math.IsNaN(v) {
			return seen{}, false
		}
		return seen{kind: "number", length: magnitude(math.Abs(v)), text: strconv.FormatFloat(v, 'g', -1, 64)}, true
	case json.RawMessage:
		return lookJSON(v)
	case []any:
		return lookList(v)
	case []crawler.Field:
		if len(v) == 0 {
			return seen{}, false
		}
		return seen{kind: "object"}, true
	}
	return seen{kind: "other"}, true
}

func lookInteger(v int64) seen {
	return seen{kind: "integer", length: magnitude(math.Abs(float64(v))), text: strconv.FormatInt(v, 10)}
}

func lookText(v string) (seen, bool) {
	if strings.TrimSpace(v) == "" {
		return seen{}, false
	}
	return seen{kind: "string", length: lengthOf(runes(v)), pattern: pattern(maskOf(v)), text: v}, true
}

// lookList describes a list by the number of its items and what texts among the
// first of them are made of.
func lookList(v []any) (seen, bool) {
	if len(v) == 0 {
		return seen{}, false
	}
	s := seen{kind: "list", length: lengthOf(len(v))}
	var mask uint8
	for _, item := range v[:min(len(v), 16)] {
		if text, ok := item.(string); ok {
			mask |= maskOf(text)
			if s.text == "" {
				s.text = text
			}
		}
	}
	s.pattern = pattern(mask)
	return s, true
}

// lookJSON goes by the first character, which tells the type of a JSON value.
func lookJSON(v json.RawMessage) (seen, bool) {
	text := strings.TrimLeft(string(v[:min(len(v), scanned)]), " \t\r\n")
	switch {
	case text == "" || strings.HasPrefix(text, "null"):
		return seen{}, false
	case text[0] == '{':
		return seen{kind: "object"}, true
	case text[0] == '[':
		return seen{kind: "list"}, true
	case text[0] == '"':
		return seen{kind: "string"}, true
	case text[0] == 't' || text[0] == 'f':
		return seen{kind: "boolean"}, true
	}
	return seen{kind: "number"}, true
}

// lengths are the classes of lengths, of texts in characters and of lists in
// items; magnitudes those of numbers without their sign. Each begins at its bound.
var (
	lengths    = []class{{0, "1-4"}, {5, "5-16"}, {17, "17-64"}, {65, "65-256"}, {257, "257-1024"}, {1025, "1025-4096"}, {4097, "over 4096"}}
	magnitudes = []class{
		{0, "below 1"}, {1, "from 1"}, {10, "from 10"}, {100, "from 100"}, {1000, "from 1000"}, {10_000, "from 10000"},
		{100_000, "from 100000"}, {1e6, "from a million"}, {1e9, "from a billion"},
	}
)

type class struct {
	from float64
	name string
}

func classOf(v float64, classes []class) string {
	name := classes[0].name
	for _, c := range classes {
		if v >= c.from {
			name = c.name
		}
	}
	return name
}

func lengthOf(n int) string      { return classOf(float64(n), lengths) }
func magnitude(v float64) string { return classOf(v, magnitudes) }
func place(name string) (order int) { // in its list; lists lie far apart
	for i, c := range lengths {
		if c.name == name {
			return i
		}
	}
	for i, c := range magnitudes {
		if c.name == name {
			return 100 + i
		}
	}
	return -100
}

// runes counts characters, up to what the classes tell apart.
func runes(v string) int {
	const enough = 4 * 4097
	return utf8.RuneCountInString(v[:min(len(v), enough)])
}

// What a text is made of.
const (
	digits uint8 = 1 << iota
	letters
	otherLetters // beyond ASCII
	spaces
	symbols
)

var maskNames = []string{"digits", "letters", "letters beyond ASCII", "spaces", "symbols"}

func maskOf(text string) (mask uint8) {
	for _, r := range text[:min(len(text), scanned)] {
		switch {
		case r >= '0' && r <= '9' || unicode.IsDigit(r):
			mask |= digits
		case r|0x20 >= 'a' && r|0x20 <= 'z':
			mask |= letters
		case unicode.IsSpace(r):
			mask |= spaces
		case r == utf8.RuneError && len(text) > scanned: // where it was cut
		case r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsMark(r)):
			mask |= otherLetters
		default:
			mask |= symbols
		}
	}
	return mask
}

var patterns = func() (names [1 << 5]string) {
	for mask := range names {
		var parts []string
		for bit, name := range maskNames {
			if mask&(1<<bit) != 0 {
				parts = append(parts, name)
			}
		}
		names[mask] = strings.Join(parts, ", ")
	}
	return names
}()

func pattern(mask uint8) string { return patterns[mask] }

// excerpt is the beginning of a value, on one line, for people.
func excerpt(text string) string {
	if len(text) <= maxValue && !strings.ContainsAny(text, " \t\r\n") && utf8.ValidString(text) {
		return text
	}
	text = strings.Join(strings.Fields(text[:min(len(text), 8*maxValue)]), " ")
	if r := []rune(text); len(r) > maxValue {
		text = string(r[:maxValue]) + "…"
	}
	return strings.ToValidUTF8(text, "")
}
