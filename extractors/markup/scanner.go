package markup

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// Kind is what a token is.
type Kind uint8

// The kinds of tokens. A tag that the end of the page cuts is no token.
const (
	End Kind = iota // of the page
	Text
	StartTag
	EndTag
	Comment // "<!-- -->", and whatever else is no content: "<?x>", "<!x>", "</>"
	Doctype
)

// span is a part of the source.
type span struct{ from, to int }

// Scanner gives the tokens of a page, in order. Make it with Scan. It is for one
// goroutine.
type Scanner struct {
	src  []byte
	page string // src, where texts may keep all of it in memory
	next int    // where the next token starts
	kind Kind   // of the current token
	data span   // its text, or its name
	end  int    // of a start tag: where its ">" is

	attrs   []attribute         // of a start tag
	slash   int                 // of a start tag: where the value of the last attribute ends
	cut     bool                // a tag had more attributes than are read
	names   map[string]struct{} // of attrs, once they are many
	name    []byte              // the tag's name in lower case
	room    [24]byte            // for name
	rawTag  string              // whose end tag ends the text that comes next
	isRaw   bool                // the text holds no character references
	keepNUL bool                // the text keeps its NULs, for the parser to drop
	cdata   bool
}

// Scan starts at the beginning of a page in UTF-8, which must not change while
// it is scanned.
func Scan(page []byte) *Scanner { return &Scanner{src: page} }

// Cut reports whether a tag had more attributes than are read, so that the tokens
// are not all of what the page says.
func (s *Scanner) Cut() bool { return s.cut }

// AllowCDATA tells whether "<![CDATA[" starts a text, as it does in SVG and
// MathML.
func (s *Scanner) AllowCDATA(on bool) { s.cdata = on }

// NextIsNotRawText makes what follows the start tag of a script, a title and
// their like be read as markup.
func (s *Scanner) NextIsNotRawText() { s.rawTag = "" }

// Next moves on to the next token.
func (s *Scanner) Next() Kind {
	start := s.next
	if s.rawTag != "" {
		tag := s.rawTag
		s.rawTag = ""
		if end := s.rawTextEnd(start, tag); end > start {
			s.isRaw, s.keepNUL = tag != "textarea" && tag != "title", false
			return s.text(start, end)
		}
	}
	s.isRaw, s.keepNUL = false, true
	for i := start; ; i++ {
		angle := bytes.IndexByte(s.src[i:], '<')
		if angle < 0 || i+angle+1 >= len(s.src) {
			return s.rest(start)
		}
		i += angle
		c := s.src[i+1]
		if !isLetter(c) && c != '/' && c != '!' && c != '?' {
			continue
		}
		if i > start {
			return s.text(start, i)
		}
		return s.markup(i, c)
	}
}

// markup reads the token that starts with "<" and c, at i.
func (s *Scanner) markup(i int, c byte) Kind {
	switch {
	case c == '!':
		return s.declaration(i + 2)
	case c == '?':
		return s.bogus(i + 1)
	case c != '/':
		return s.startTag(i + 1)
	case i+2 >= len(s.src):
		return s.rest(i)
	case s.src[i+2] == '>':
		return s.token(Comment, span{i, i}, i+3)
	case isLetter(s.src[i+2]):
		return s.endTag(i + 2)
	}
	return s.bogus(i + 2)
}

func (s *Scanner) token(k Kind, data span, next int) Kind {
	s.kind, s.data, s.next = k, data, next
	return k
}

func (s *Scanner) text(from, to int) Kind { return s.token(Text, span{from, to}, to) }

// rest is the text up to the end of the page, or the end itself.
func (s *Scanner) rest(from int) Kind {
	if from >= len(s.src) {
		return s.token(End, span{from, from}, len(s.src))
	}
	return s.text(from, len(s.src))
}

// Text is the text of a text or a comment, with character references decoded.
func (s *Scanner) Text() string {
	b := s.src[s.data.from:s.data.to]
	if s.page != "" && bytes.IndexByte(b, '&') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return s.page[s.data.from:s.data.to] // which has no NUL
	}
	if (!s.keepNUL || s.kind == Comment) && bytes.IndexByte(b, 0) >= 0 {
		b = bytes.ReplaceAll(b, []byte{0}, []byte("\ufffd"))
	}
	text := newlines(string(b))
	if s.isRaw && s.kind == Text || strings.IndexByte(text, '&') < 0 {
		return text
	}
	return html.UnescapeString(text)
}

// Blank reports whether a text holds nothing but white space as HTML has it,
// as it is written.
func (s *Scanner) Blank() bool {
	for _, c := range s.src[s.data.from:s.data.to] {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

// newlines makes each "\r\n" and "\r" a "\n".
func newlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f'
}
