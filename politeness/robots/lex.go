package robots

import (
	"strings"
	"unicode/utf16"
)

// maxLine is the number of octets of one line that are read: eight times the
// longest URL that browsers once took, less one. The rest of a longer line is
// dropped, as Google's parser does.
const maxLine = 2083*8 - 1

// kind is what a line of the file states.
type kind uint8

const (
	kindOther kind = iota
	kindAgent
	kindAllow
	kindDisallow
	kindDelay
	kindSitemap
)

// directive is one line that states something, not yet interpreted.
type directive struct {
	kind  kind
	cut   bool // the end of the value is missing
	line  int  // from 1
	value string
	text  string // the line without its comment
}

// keys lists how a key may begin, in lower case. Anything may follow, and the
// usual typing errors are understood: an owner who wrote "Dissalow" meant it.
var keys = []struct {
	prefix string
	kind   kind
}{
	{"user-agent", kindAgent},
	{"useragent", kindAgent},
	{"user agent", kindAgent},
	{"allow", kindAllow},
	{"disallow", kindDisallow},
	{"dissallow", kindDisallow},
	{"dissalow", kindDisallow},
	{"disalow", kindDisallow},
	{"diasllow", kindDisallow},
	{"disallaw", kindDisallow},
	{"crawl-delay", kindDelay},
	{"crawldelay", kindDelay},
	{"crawl delay", kindDelay},
	{"sitemap", kindSitemap},
	{"site-map", kindSitemap},
}

// lex splits a body into directives (RFC 9309 section 2.2). short tells that
// the body was longer than what is given.
func lex(body string, mode Mode, short bool) []directive {
	if mode == RFC {
		body = plain(body)
	}
	body = skipMark(body)
	var out []directive
	number := 0
	for {
		end := strings.IndexAny(body, "\r\n")
		last := end < 0
		line := body
		if !last {
			line = body[:end]
		}
		number++
		cut := last && short
		if len(line) > maxLine {
			line, cut = line[:maxLine], true
		}
		if d, ok := readLine(line, cut); ok {
			d.line = number
			out = append(out, d)
		}
		if last {
			return out
		}
		next := end + 1
		if body[end] == '\r' && next < len(body) && body[next] == '\n' {
			next++ // CR LF ends one line, not two
		}
		body = body[next:]
	}
}

// skipMark drops a UTF-8 byte-order mark, and what is left of a damaged one.
func skipMark(body string) string {
	const mark = "\xef\xbb\xbf"
	for i := 0; i < len(mark); i++ {
		if body == "" || body[0] != mark[i] {
			break
		}
		body = body[1:]
	}
	return body
}

// plain turns UTF-16, marked or plainly such, into UTF-8 and drops NULs. A file
// in the wrong encoding still says what its owner does not want fetched.
func plain(body string) string {
	if !strings.HasPrefix(body, "\xff\xfe") && !strings.HasPrefix(body, "\xfe\xff") &&
		strings.IndexByte(body, 0) < 0 {
		return body
	}
	low, wide := 0, false // index of the low octet in each pair
	switch {
	case len(body) < 2:
	case body[:2] == "\xff\xfe":
		wide, body = true, body[2:]
	case body[:2] == "\xfe\xff":
		low, wide, body = 1, true, body[2:]
	case body[0] != 0 && spaced(body, 1):
		wide = true
	case body[1] != 0 && spaced(body, 0):
		low, wide = 1, true
	}
	if wide {
		units := make([]uint16, 0, len(body)/2)
		for i := 0; i+1 < len(body); i += 2 {
			units = append(units, uint16(body[i+low])|uint16(body[i+1-low])<<8)
		}
		body = string(utf16.Decode(units))
	}
	return strings.ReplaceAll(body, "\x00", "")
}

// spaced reports whether every second octet, from one on, is mostly NUL as far
// as can be seen at the start: ASCII in UTF-16. A stray NUL is not taken for it,
// for then a whole file that can be read would be lost.
func spaced(body string, from int) bool {
	pairs, nuls := 0, 0
	for i := from; i < min(len(body), 64); i += 2 {
		pairs++
		if body[i] == 0 {
			nuls++
		}
	}
	return pairs > 0 && 4*nuls >= 3*pairs
}

// readLine reads "key: value", with blanks in place of the colon when that
// leaves exactly two words. cut tells that the line went on.
func readLine(line string, cut bool) (directive, bool) {
	if i := strings.IndexByte(line, 0); i >= 0 {
		line, cut = line[:i], false
	}
	if i := strings.IndexByte(line, '#'); i >= 0 {
		line, cut = line[:i], false
	}
	line = trim(line)
	sep := strings.IndexByte(line, ':')
	if sep < 0 {
		sep = strings.IndexAny(line, " \t")
		if sep < 0 || strings.ContainsAny(strings.TrimLeft(line[sep:], " \t"), " \t") {
			return directive{}, false
		}
	}
	k := kindOf(trim(line[:sep]))
	if k == kindOther {
		return directive{}, false
	}
	return directive{kind: k, cut: cut, value: trim(line[sep+1:]), text: line}, true
}

func kindOf(key string) kind {
	for _, k := range keys {
		if len(key) >= len(k.prefix) && equalFold(key[:len(k.prefix)], k.prefix) {
			return k.kind
		}
	}
	return kindOther
}

func trim(s string) string { return strings.Trim(s, " \t\n\v\f\r") }

// equalFold compares without regard to the case of ASCII letters, and of no
// others.
func equalFold(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(a, b)
}

// token returns the product token at the start of a value: letters, "-" and
// "_" (RFC 9309 section 2.2.1).
func token(s string) string {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && s[i] != '-' && s[i] != '_' {
			return s[:i]
		}
	}
	return s
}

// everyone reports whether the value of a user-agent line is "*", with or
// without words behind it.
func everyone(value string) bool {
	return value != "" && value[0] == '*' &&
		(len(value) == 1 || strings.IndexByte(" \t\n\v\f\r", value[1]) >= 0)
}
