package robots

import "strings"

const upperHex = "0123456789ABCDEF"

// pathOf returns what rules are matched against: path, parameters and query of
// a URL, without scheme, authority and fragment, always beginning with "/".
// It also takes a URL that is a path already.
func pathOf(url string) string {
	start := 0
	if strings.HasPrefix(url, "//") {
		start = 2
	}
	at := start
	first := indexFrom(url, start, "/?;")
	if scheme := strings.Index(url[start:], "://"); scheme >= 0 &&
		(first < 0 || first >= start+scheme) {
		at = start + scheme + len("://")
	}
	begin := indexFrom(url, at, "/?;")
	if begin < 0 {
		return "/"
	}
	end := len(url)
	if hash := strings.IndexByte(url[start:], '#'); hash >= 0 {
		end = start + hash
	}
	if end < begin {
		return "/"
	}
	if url[begin] != '/' {
		return "/" + url[begin:end]
	}
	return url[begin:end]
}

func indexFrom(s string, from int, chars string) int {
	i := strings.IndexAny(s[from:], chars)
	if i < 0 {
		return i
	}
	return from + i
}

// escape is Google's reading of a rule: octets beyond ASCII are
// percent-encoded, the digits of what is encoded already are made upper case.
func escape(s string) string {
	if !needsEscape(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case encoded(s, i):
			writeEncoded(&b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		case c >= 0x80:
			writeEncoded(&b, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func needsEscape(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 || s[i] == '%' && encoded(s, i) {
			return true
		}
	}
	return false
}

// side tells which of the two things that are compared is normalised: "*" and
// a last "$" are operators in a rule and plain characters in a URL.
type side uint8

const (
	sideURL side = iota
	sideRule
)

// normalise is the RFC's reading of a rule or a URL (RFC 9309 section 2.2.2):
// unreserved octets are decoded, octets that may not stand in a URL are
// encoded, and so are "*" and "$" where they are no operators (section 2.2.3).
func normalise(s string, of side) string {
	i := 0
	for i < len(s) && !special[s[i]] {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case !special[c]:
			b.WriteByte(c)
		case c == '%' && encoded(s, i):
			if d := unhex(s[i+1])<<4 | unhex(s[i+2]); unreserved(d) {
				b.WriteByte(d)
			} else {
				writeEncoded(&b, d)
			}
			i += 2
		case c == '%',
			c == '*' && of == sideRule,
			c == '$' && of == sideRule && i == len(s)-1:
			b.WriteByte(c)
		default:
			writeEncoded(&b, c)
		}
	}
	return b.String()
}

// special marks the octets that normalise looks at twice.
var special = func() (t [256]bool) {
	for c := range t {
		t[c] = c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}%*$", byte(c)) >= 0
	}
	return t
}()

// unreserved is RFC 3986 section 2.3.
func unreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// encoded reports whether s[i] begins "%" and two hexadecimal digits.
func encoded(s string, i int) bool {
	return s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func writeEncoded(b *strings.Builder, c byte) {
	b.WriteByte('%')
	b.WriteByte(upperHex[c>>4])
	b.WriteByte(upperHex[c&15])
}
