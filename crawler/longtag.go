package crawler

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/net/html"
)

// longToken is from where on a token of a page is too long for the tokenizer,
// which keeps each attribute of a tag in 100 bytes and more: a million of them
// would take more memory than the tree that is not to be made of them.
const longToken = 256 << 10

// begin starts the tokenizer anew at a place in the body.
func (s *treeSizer) begin(at int) {
	s.at = at
	s.z = html.NewTokenizer(bytes.NewReader(s.body[at:]))
	s.z.SetMaxBuf(longToken)
}

// next is the next token, however long. Of a long start tag it is the name alone;
// the rest is in the size.
func (s *treeSizer) next() html.TokenType {
	if s.whole {
		s.whole = false
		s.begin(s.at)
	}
	kind := s.z.Next()
	if s.z.Err() == html.ErrBufferExceeded {
		kind = s.long()
	}
	s.at += len(s.z.Raw())
	if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
		s.raw = "" // else start says what comes
	}
	return kind
}

// long reads the token that was too long.
func (s *treeSizer) long() html.TokenType {
	rest := s.body[s.at:]
	if s.raw != "" || len(rest) < 2 || rest[0] != '<' || rest[1]|0x20 < 'a' || rest[1]|0x20 > 'z' {
		s.whole = true
		if s.z = html.NewTokenizer(bytes.NewReader(rest)); s.raw != "" {
			s.z = html.NewTokenizer(io.MultiReader(strings.NewReader("<"+s.raw+">"), bytes.NewReader(rest)))
			s.z.Next()
		}
		return s.z.Next()
	}
	name, attributes, end := measureTag(rest)
	if end < 0 {
		s.z = html.NewTokenizer(bytes.NewReader(nil)) // a tag that the page cuts is none
		return s.z.Next()
	}
	s.size += int64(end)
	s.unread = attributeBytes * int64(attributes)
	// No name that means something is longer.
	short := append(bytes.Clone(rest[:min(name, 64)]), ' ')
	if rest[end-2] == '/' {
		short = append(short, '/')
	}
	short = append(short, '>')
	s.z = html.NewTokenizer(io.MultiReader(bytes.NewReader(short), bytes.NewReader(rest[end:])))
	s.z.SetMaxBuf(longToken)
	s.at += end - len(short)
	return s.z.Next()
}

// measureTag tells of a start tag where its name and the tag end, and how many
// attributes are written in it. The end is negative where there is none. It
// follows HTML section 13.2.5.32 to 13.2.5.40, as the tokenizer does.
func measureTag(tag []byte) (name, attributes, end int) {
	i := 1
	for i < len(tag) && tag[i] != '>' && tag[i] != '/' && !isSpace(tag[i]) {
		i++
	}
	name = i
	for {
		i = skipSpace(tag, i)
		if i >= len(tag) {
			return name, attributes, -1
		}
		if tag[i] == '>' {
			return name, attributes, i + 1
		}
		from := i
		for i < len(tag) && tag[i] != '>' && tag[i] != '/' && !isSpace(tag[i]) && (tag[i] != '=' || i == from) {
			i++
		}
		if i > from {
			attributes++
		}
		if i = skipSpace(tag, i); i >= len(tag) {
			continue
		}
		switch tag[i] {
		case '/':
			i++
		case '=':
			i = skipValue(tag, skipSpace(tag, i+1))
		}
	}
}

// skipValue returns where the attribute's value ends that starts at i.
func skipValue(tag []byte, i int) int {
	if i >= len(tag) || tag[i] == '>' {
		return i
	}
	if quote := tag[i]; quote == '"' || quote == '\'' {
		n := bytes.IndexByte(tag[i+1:], quote)
		if n < 0 {
			return len(tag)
		}
		return i + n + 2
	}
	for i < len(tag) && tag[i] != '>' && !isSpace(tag[i]) {
		i++
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f'
}
