package markup

import "bytes"

// rawTextEnd is where the text that starts at i ends before the end tag of its
// element, or the page's end.
func (s *Scanner) rawTextEnd(i int, tag string) int {
	switch tag {
	case "plaintext":
		return len(s.src)
	case "script":
		return s.scriptEnd(i)
	}
	for ; ; i++ {
		angle := bytes.IndexByte(s.src[i:], '<')
		if angle < 0 {
			return len(s.src)
		}
		if i += angle; s.endsRaw(i, tag) > 0 {
			return i
		}
	}
}

// endsRaw is how long the start of tag's end tag at i is, with the octet behind
// the name; 0 where there is none.
func (s *Scanner) endsRaw(i int, tag string) int {
	rest := s.src[i:]
	n := len("</") + len(tag)
	if len(rest) <= n || rest[1] != '/' || !equalFoldString(rest[2:n], tag) || !endsName(rest[n]) {
		return 0
	}
	return n + 1
}

func endsName(c byte) bool { return c == '/' || c == '>' || isSpace(c) }

// The ways in which a script reads its "<", of which old pages make use: in a
// comment another "<script" hides its own end tag.
const (
	plain = iota
	commented
	hidden
)

// scriptEnd is rawTextEnd for scripts. Where the library departs from
// https://html.spec.whatwg.org/multipage/parsing.html#script-data-escaped-less-than-sign-state
// it departs as well.
func (s *Scanner) scriptEnd(i int) int {
	state, dashes := plain, 0
	for i < len(s.src) {
		c := s.src[i]
		switch {
		case state == plain && c != '<':
			angle := bytes.IndexByte(s.src[i:], '<')
			if angle < 0 {
				return len(s.src)
			}
			i += angle
		case c == '-':
			dashes++
			i++
		case c == '>' && dashes >= 2:
			state, dashes = plain, 0
			i++
		case c != '<':
			dashes = 0
			i++
		case state != hidden && s.endsRaw(i, "script") > 0:
			return i
		default:
			state, dashes, i = s.scriptAngle(state, i)
		}
	}
	return len(s.src)
}

// scriptAngle steps over a "<" at i that ends no script.
func (s *Scanner) scriptAngle(state, i int) (newState, dashes, next int) {
	rest := s.src[i:]
	switch {
	case state == plain && bytes.HasPrefix(rest, []byte("<!--")):
		return commented, 2, i + 4
	case state == plain:
		return plain, 0, i + 1
	case state == hidden:
		if n := s.endsRaw(i, "script"); n > 0 {
			return commented, 0, i + n
		}
		return hidden, 0, i + 1
	case len(rest) < 2:
		return commented, 0, i + 1
	case isLetter(rest[1]):
		const n = len("<script")
		if len(rest) > n && equalFoldString(rest[1:n], "script") && endsName(rest[n]) {
			return hidden, 0, i + n + 1
		}
		return commented, 0, i + 1
	case rest[1] == '/':
		return commented, 0, i + 1
	}
	return plain, 0, i + 1 // as the library has it
}

// declaration reads what follows "<!", at i.
func (s *Scanner) declaration(i int) Kind {
	rest := s.src[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("--")):
		return s.comment(i + 2)
	case len(rest) >= len("doctype") && equalFoldString(rest[:len("doctype")], "doctype"):
		for i += len("doctype"); i < len(s.src) && isSpace(s.src[i]); i++ {
		}
		s.bogus(i)
		s.kind = Doctype
		return Doctype
	case s.cdata && bytes.HasPrefix(rest, []byte("[CDATA[")):
		i += len("[CDATA[")
		s.keepNUL = false
		if n := bytes.Index(s.src[i:], []byte("]]>")); n >= 0 {
			return s.token(Text, span{i, i + n}, i+n+3)
		}
		return s.token(Text, span{i, len(s.src)}, len(s.src))
	}
	return s.bogus(i)
}

// bogus is a comment from i to the next ">".
func (s *Scanner) bogus(i int) Kind {
	n := bytes.IndexByte(s.src[i:], '>')
	if n < 0 {
		return s.token(Comment, span{i, len(s.src)}, len(s.src))
	}
	return s.token(Comment, span{i, i + n}, i+n+1)
}

// comment reads a comment whose text starts at i
// (https://html.spec.whatwg.org/multipage/parsing.html#comment-start-state).
func (s *Scanner) comment(i int) Kind {
	src, from := s.src, i
	end := func(at, length int) Kind { return s.token(Comment, span{from, max(from, at)}, at+length) }
	dashes, beginning := 0, true
	for ; i < len(src); i++ {
		switch c := src[i]; {
		case c == '-':
			dashes++
			continue
		case c == '>' && (dashes >= 2 || beginning):
			return end(i-2, 3)
		case c == '!' && dashes >= 2:
			i++
			switch {
			case i >= len(src):
				return end(i-3, 3)
			case src[i] == '>':
				return end(i-3, 4)
			case src[i] == '-':
				dashes, beginning = 1, false
				continue
			}
		}
		dashes, beginning = 0, false
		if n := bytes.IndexByte(src[min(i+1, len(src)):], '-'); n > 0 {
			i += n
		} else if n < 0 {
			i = len(src)
		}
	}
	return end(len(src)-min(dashes, 2), min(dashes, 2))
}
