package rows

import (
	"encoding/json"
	"errors"
	"fmt"
	"github.com/amblecrawl/amble/crawler"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Context is where a template's text goes, and so how values are escaped in it.
type Context uint8

// The contexts of templates.
const (
	URL  Context = iota // percent-encoded, all but unreserved characters (RFC 3986 section 2.3)
	JSON                // escaped in a string (RFC 8259 section 7); a JSON value elsewhere
	Form                // application/x-www-form-urlencoded: percent-encoded as in a URL
	Text                // as it is: header fields, and bodies of other types
)

// MaxTemplate bounds the text of a template in bytes.
const MaxTemplate = 64 << 10

// Template is a text with places for columns. It is safe for concurrent use.
type Template struct {
	context Context
	parts   []part
	tail    string
	dots    bool // the text itself has path segments of dots
}

// part is a text and the column behind it.
type part struct {
	text   string
	ref    Ref
	filter filter
	inside bool // within a JSON string
}

// Ref is where a template names a column.
type Ref struct {
	Column string
	Offset int // in bytes, of the name
}

type filter uint8

const (
	escaped filter = iota
	raw
	asJSON
)

// SyntaxError is a mistake in a template.
type SyntaxError struct {
	Offset int // in bytes
	Msg    string
	Hint   string // what to do, may be empty
}

func (e *SyntaxError) Error() string { return e.Msg }

// Parse reads a template. Its errors are *SyntaxError.
func Parse(text string, in Context) (*Template, error) {
	if len(text) > MaxTemplate {
		return nil, &SyntaxError{Msg: fmt.Sprintf("the template is longer than %d KiB", MaxTemplate>>10)}
	}
	t := &Template{context: in}
	inString := false
	at := 0
	for {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			break
		}
		open += at
		end := strings.Index(text[open:], "}}")
		if end < 0 {
			return nil, &SyntaxError{open, "{{ has no }}", "write {{column}}"}
		}
		end += open
		inString = endsInString(text[at:open], inString)
		p, err := parsePart(text, open+2, end)
		if err != nil {
			return nil, err
		}
		p.text, p.inside = text[at:open], in == JSON && inString
		if p.inside && p.filter == asJSON {
			return nil, &SyntaxError{open, "{{" + p.ref.Column + "|json}} stands within quotes, and brings its own", "leave out the quotes around it, or |json"}
		}
		t.parts = append(t.parts, p)
		at = end + 2
	}
	t.tail = text[at:]
	if in == URL {
		t.dots = hasDots(t.shape("x"))
	}
	return t, nil
}

// parsePart reads what stands between the braces.
func parsePart(text string, from, to int) (part, error) {
	name, rest, filtered := strings.Cut(text[from:to], "|")
	p := part{ref: Ref{Column: strings.TrimSpace(name), Offset: from + len(name) - len(strings.TrimLeftFunc(name, unicode.IsSpace))}}
	if p.ref.Column == "" {
		return p, &SyntaxError{from - 2, "{{}} names no column", ""}
	}
	if !filtered {
		return p, nil
	}
	switch rest = strings.TrimSpace(rest); rest {
	case "raw":
		p.filter = raw
	case "json":
		p.filter = asJSON
	default:
		return p, &SyntaxError{from + len(name) + 1, fmt.Sprintf("%q is not a filter", rest), "there are raw and json"}
	}
	return p, nil
}

// endsInString reports whether JSON text ends within a string.
func endsInString(text string, within bool) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			within = !within
		case text[i] == '\\' && within:
			i++
		}
	}
	return within
}

// Columns are the places that name one.
func (t *Template) Columns() []Ref {
	refs := make([]Ref, len(t.parts))
	for i, p := range t.parts {
		refs[i] = p.ref
	}
	return refs
}

// Prefix is the text before the first column, all of it where none is named.
func (t *Template) Prefix() string {
	if len(t.parts) == 0 {
		return t.tail
	}
	return t.parts[0].text
}

// Constant reports whether the template names no column.
func (t *Template) Constant() bool { return len(t.parts) == 0 }

// shape is the text with a stand-in for every value.
func (t *Template) shape(stand string) string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.text)
		b.WriteString(stand)
	}
	return b.String() + t.tail
}

// errDots refuses a value that would lead elsewhere in a path (RFC 3986 section 5.2.4).
var errDots = errors.New("a value makes the path segment . or .., which would lead to another path")

// Fill makes the text for a row. The error says which column it is about.
func (t *Template) Fill(row *Row) (string, error) {
	return t.fill(func(p *part) (string, error) {
		v, ok := row.value(p.ref.Column)
		if !ok {
			return "", errNone
		}
		return t.write(p, v)
	})
}

// errNone means that a row has not what a template names.
var errNone = errors.New("the row has no such column")

func (t *Template) fill(value func(p *part) (string, error)) (string, error) {
	if t.Constant() {
		return t.tail, nil
	}
	var b strings.Builder
	filtered := true
	for i := range t.parts {
		p := &t.parts[i]
		b.WriteString(p.text)
		text, err := value(p)
		if err == errNone {
			return "", fmt.Errorf("the row has no %s", p.ref.Column)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.ref.Column, err)
		}
		b.WriteString(text)
		filtered = filtered && p.filter != raw
	}
	b.WriteString(t.tail)
	text := b.String()
	switch {
	case t.context == URL && filtered && !t.dots && hasDots(text):
		return "", errDots
	case t.context == JSON && !json.Valid([]byte(text)):
		return "", errors.New("the body is not JSON with the values of this row")
	}
	return text, nil
}

func (t *Template) write(p *part, v any) (string, error) {
	if p.filter == asJSON || p.filter == escaped && t.context == JSON && !p.inside {
		text, err := jsonOf(v)
		if err == nil && (t.context == URL || t.context == Form) {
			text = percentEncode(text)
		}
		return text, err
	}
	text := crawler.TextOf(v)
	switch {
	case p.filter == raw || t.context == Text:
		return text, nil
	case t.context == JSON:
		quoted, err := jsonOf(text)
		return strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`), err
	}
	return percentEncode(text), nil
}

const upperHex = "0123456789ABCDEF"

func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c-'0' < 10 || c|0x20-'a' < 26 || c == '-' || c == '.' || c == '_' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
	return b.String()
}

// hasDots reports whether the path of a URL has a segment of one or two dots.
func hasDots(url string) bool {
	path, _, _ := strings.Cut(url, "#")
	path, _, _ = strings.Cut(path, "?")
	if _, rest, ok := strings.Cut(path, "://"); ok {
		_, path, _ = strings.Cut(rest, "/")
	}
	for segment := range strings.SplitSeq(path, "/") {
		if len(segment) > 6 {
			continue
		}
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".", "..":
			return true
		}
	}
	return false
}

func jsonOf(v any) (string, error) {
	if s, ok := v.(string); ok && !utf8.ValidString(s) {
		return "", errEncoding
	}
	b := &strings.Builder{}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
