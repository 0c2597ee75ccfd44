package markup

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxAttributes is how many attributes of a tag are read. No page that means well
// has as many; one that does not would have each of a million kept.
const maxAttributes = 4096

// attribute is one of a tag, as it is written. Its key is not empty, and the
// first of its name.
type attribute struct{ key, value span }

func (s *Scanner) startTag(i int) Kind {
	if !s.tag(i) {
		return s.token(End, span{i, i}, len(s.src))
	}
	s.kind = StartTag
	switch name := string(s.name); name {
	case "iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea", "title", "xmp":
		s.rawTag = name
	}
	return StartTag
}

func (s *Scanner) endTag(i int) Kind {
	if !s.tag(i) {
		return s.token(End, span{i, i}, len(s.src))
	}
	s.attrs = s.attrs[:0]
	s.kind = EndTag
	return EndTag
}

// tag reads a tag whose name starts at i, up to its ">". It is false where the
// page ends before.
func (s *Scanner) tag(i int) bool {
	from, src := i, s.src
	upper := false
	for ; i < len(src); i++ {
		c := src[i]
		if c == '>' || c == '/' || isSpace(c) {
			break
		}
		upper = upper || c >= 'A' && c <= 'Z' || c == 0
	}
	s.data = span{from, i}
	s.attrs = s.attrs[:0]
	for {
		for i < len(src) && isSpace(src[i]) {
			i++
		}
		if i >= len(src) {
			return false
		}
		if src[i] == '>' {
			break
		}
		i = s.attribute(i)
	}
	s.end, s.next = i, i+1
	s.name = src[s.data.from:s.data.to]
	if upper {
		s.name = appendLower(s.room[:0], s.name)
	}
	return true
}

// attribute reads the attribute that starts at i and returns where it ends,
// beyond the page where the page ends first. A lone "/" is an attribute without
// a key, which is none.
func (s *Scanner) attribute(i int) int {
	src := s.src
	key := span{i, i}
	for ; i < len(src); i++ {
		c := src[i]
		if c == '/' || c == '>' || isSpace(c) || c == '=' && i > key.from {
			break
		}
	}
	key.to = i
	value := span{i, i}
	for i < len(src) && isSpace(src[i]) {
		i++
	}
	switch {
	case i >= len(src):
		return i
	case src[i] == '/':
		i++
	case src[i] == '=':
		if value, i = s.value(i + 1); i >= len(src) {
			return i
		}
	}
	switch {
	case key.to == key.from:
	case len(s.attrs) == maxAttributes:
		s.cut, s.slash = true, value.to
	case s.isNew(key):
		s.attrs, s.slash = append(s.attrs, attribute{key, value}), value.to
	}
	return i
}

// isNew reports whether no attribute of the tag had this name before. Few
// attributes are compared one by one; a page that is made to have thousands in
// a tag must not make that dear.
func (s *Scanner) isNew(key span) bool {
	const few = 16
	name := s.bytes(key)
	if len(s.attrs) < few {
		for _, a := range s.attrs {
			if equalFold(s.bytes(a.key), name) {
				return false
			}
		}
		return true
	}
	if len(s.attrs) == few {
		s.names = make(map[string]struct{}, 4*few)
		for _, a := range s.attrs {
			s.names[string(appendLower(nil, s.bytes(a.key)))] = struct{}{}
		}
	}
	folded := string(appendLower(nil, name))
	_, known := s.names[folded]
	s.names[folded] = struct{}{}
	return !known
}

// value reads the value behind an attribute's "=", and returns where it ends.
func (s *Scanner) value(i int) (span, int) {
	src, none := s.src, span{i - 1, i - 1}
	for i < len(src) && isSpace(src[i]) {
		i++
	}
	if i >= len(src) || src[i] == '>' {
		return none, i
	}
	if quote := src[i]; quote == '"' || quote == '\'' {
		n := bytes.IndexByte(src[i+1:], quote)
		if n < 0 {
			return none, len(src)
		}
		return span{i + 1, i + 1 + n}, i + n + 2
	}
	from := i
	for i++; i < len(src) && src[i] != '>' && !isSpace(src[i]); i++ {
	}
	return span{from, i}, i
}

// Name is the lower-cased name of a tag. It is valid until the next token.
func (s *Scanner) Name() []byte { return s.name }

// HasAttributes tells whether a start tag has any.
func (s *Scanner) HasAttributes() bool { return len(s.attrs) > 0 }

// SelfClosing reports whether a start tag ends in "/>", which means something
// in SVG and MathML alone.
func (s *Scanner) SelfClosing() bool {
	if s.src[s.end-1] != '/' {
		return false
	}
	return len(s.attrs) == 0 || s.slash != s.end // else the slash is the value's
}

func (s *Scanner) bytes(p span) []byte { return s.src[p.from:p.to] }

// Raw is an attribute's value as it is written. The name is in lower case and
// holds no NUL.
func (s *Scanner) Raw(name string) (value []byte, ok bool) {
	for _, a := range s.attrs {
		if a.key.to-a.key.from == len(name) && equalFoldString(s.bytes(a.key), name) {
			return s.bytes(a.value), true
		}
	}
	return nil, false
}

// Attr is an attribute's value. The name is in lower case and holds no NUL.
func (s *Scanner) Attr(name string) (value string, ok bool) {
	raw, ok := s.Raw(name)
	return decode(raw), ok
}

// Attributes are all of a start tag's, each name once, as the first has it.
func (s *Scanner) Attributes() []html.Attribute {
	if len(s.attrs) == 0 {
		return nil
	}
	var room [32]byte
	all := make([]html.Attribute, 0, len(s.attrs))
	for _, a := range s.attrs {
		key := appendLower(room[:0], s.bytes(a.key))
		all = append(all, html.Attribute{Key: atom.String(key), Val: decode(s.bytes(a.value))})
	}
	return all
}

// decode makes a value of its source.
func decode(raw []byte) string {
	if bytes.IndexByte(raw, 0) >= 0 {
		raw = bytes.ReplaceAll(raw, []byte{0}, []byte("\ufffd"))
	}
	value := newlines(string(raw))
	if strings.IndexByte(value, '&') < 0 {
		return value
	}
	if simple, ok := decodeSimple(value); ok {
		return simple
	}
	// In attributes some references need their semicolon and others do not. The
	// library knows; it says so of tags only.
	z := html.NewTokenizer(strings.NewReader(`<a b="` + strings.ReplaceAll(value, `"`, "&quot;") + `">`))
	z.Next()
	_, decoded, _ := z.TagAttr()
	return string(decoded)
}

// common are the references that URLs hold.
var common = []struct{ reference, means string }{
	{"&amp;", "&"}, {"&#38;", "&"}, {"&#038;", "&"}, {"&quot;", `"`}, {"&#34;", `"`}, {"&#39;", "'"}, {"&lt;", "<"}, {"&gt;", ">"},
}

// decodeSimple is decode for values whose references are common ones.
func decodeSimple(value string) (string, bool) {
	var b strings.Builder
	b.Grow(len(value))
next:
	for {
		i := strings.IndexByte(value, '&')
		if i < 0 {
			b.WriteString(value)
			return b.String(), true
		}
		b.WriteString(value[:i])
		value = value[i:]
		for _, c := range common {
			if strings.HasPrefix(value, c.reference) {
				b.WriteString(c.means)
				value = value[len(c.reference):]
				continue next
			}
		}
		if len(value) > 1 && (isLetter(value[1]) || value[1] == '#') {
			return "", false
		}
		b.WriteByte('&')
		value = value[1:]
	}
}

// appendLower appends a name in lower case, with NULs replaced.
func appendLower(b, name []byte) []byte {
	for _, c := range name {
		switch {
		case c == 0:
			b = append(b, "\ufffd"...)
			continue
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		}
		b = append(b, c)
	}
	return b
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// equalFold compares names, in which the case of ASCII letters alone does not
// count.
func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func equalFoldString(a []byte, name string) bool {
	for i := range a {
		if lower(a[i]) != name[i] {
			return false
		}
	}
	return true
}
