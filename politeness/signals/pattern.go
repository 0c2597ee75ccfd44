package signals

import "strings"

// pattern is a path of RFC 9309 section 2.2.2: compared from the beginning,
// "*" stands for any octets, "$" at the end for the end.
type pattern struct {
	parts    []string // between the stars
	anchored bool
	octets   int // the rank: the longest pattern is the most specific
}

const (
	// maxPattern bounds the octets of a pattern.
	maxPattern = 2 << 10
	// maxStars bounds its stars, each of which costs a search.
	maxStars = 32
)

// newPattern makes a pattern; ok is false for what cannot be the beginning of a
// path, and for what is beyond the bounds.
func newPattern(value string) (p pattern, ok bool) {
	if value == "" || value[0] != '/' && value[0] != '*' || len(value) > maxPattern || strings.Count(value, "*") > maxStars {
		return pattern{}, false
	}
	value = normalise(value, true)
	p.octets = len(value)
	value, p.anchored = strings.CutSuffix(value, "$")
	p.parts = strings.Split(value, "*")
	return p, true
}

// matches takes each part at its first place, which is enough: what fits later
// also fits earlier, with more left over. path is normalised.
func (p *pattern) matches(path string) bool {
	last := len(p.parts) - 1
	for i, part := range p.parts {
		switch {
		case i == 0 && i == last && p.anchored:
			return path == part
		case i == 0:
			if !strings.HasPrefix(path, part) {
				return false
			}
			path = path[len(part):]
		case i == last && p.anchored:
			return strings.HasSuffix(path, part)
		default:
			at := strings.Index(path, part)
			if at < 0 {
				return false
			}
			path = path[at+len(part):]
		}
	}
	return true
}

// pathOf brings what a page is asked for by to the form that patterns are
// compared with: an absolute URL is cut to its path and query.
func pathOf(url string) string {
	url, _, _ = strings.Cut(url, "#")
	if scheme := strings.Index(url, "://"); scheme >= 0 && strings.IndexAny(url, "/?") == scheme+1 {
		url = url[scheme+len("://"):]
		begin := strings.IndexAny(url, "/?")
		if begin < 0 {
			begin = len(url)
		}
		url = url[begin:]
	}
	if !strings.HasPrefix(url, "/") {
		url = "/" + url
	}
	return normalise(url, false)
}

// normalise decodes the octets that RFC 3986 section 2.3 leaves unreserved and
// encodes those that may not stand in a URL, so that a rule and a path that
// mean the same are the same. In a rule "*" and a last "$" are operators;
// elsewhere they are encoded.
func normalise(s string, rule bool) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		keep := c > ' ' && c < 0x7f && strings.IndexByte("\"<>\\^`{|}%*$", c) < 0
		switch {
		case keep, c == '*' && rule, c == '$' && rule && i == len(s)-1:
			b.WriteByte(c)
			continue
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
			if letter(c) || digit(c) || strings.IndexByte("-._~", c) >= 0 {
				b.WriteByte(c)
				continue
			}
		case c == '%':
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

func isHex(c byte) bool { return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if digit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
