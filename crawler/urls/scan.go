package urls

import "strings"

// Classes of bytes that stand unchanged in a component of a special URL: the
// printable ASCII outside the component's percent-encode set
// (https://url.spec.whatwg.org/#percent-encoded-bytes).
const (
	inPath = 1 << iota
	inQuery
	inFragment
	inHost  // letters, digits, '-' and '_'; the dot is structure
	isUpper // ASCII capital letter
	isHex
	isUnreserved // RFC 3986, section 2.3
)

var class = func() (t [256]byte) {
	for c := byte('!'); c <= '~'; c++ {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		// The backslash reads as a slash in the path of a special URL.
		set(&t, c, inPath, !strings.ContainsRune("\"#<>?`{}^\\", rune(c)))
		set(&t, c, inQuery, !strings.ContainsRune("\"#<>'", rune(c)))
		set(&t, c, inFragment, !strings.ContainsRune("\"<>`", rune(c)))
		set(&t, c, inHost, letter || digit || c == '-' || c == '_')
		set(&t, c, isUpper, letter && c < 'a')
		set(&t, c, isHex, digit || letter && c|0x20 <= 'f')
		set(&t, c, isUnreserved, letter || digit || strings.ContainsRune("-._~", rune(c)))
	}
	return t
}()

func set(t *[256]byte, c, bit byte, on bool) {
	if on {
		t[c] |= bit
	}
}

// trim removes what the standard strips from both ends: C0 controls and space.
func trim(s string) string {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// tail is the shape of everything from the path on.
type tail struct {
	query, frag int  // offsets of '?' and '#', as in URL
	dots        bool // the path has "." or ".." segments
}

// scanTail reads path, query and fragment from s[i:]. It is not ok with any
// byte that the standard would encode, strip or read as something else.
func scanTail(s string, i int) (t tail, ok bool) {
	start := i
	for ; i < len(s); i++ {
		c := s[i]
		if class[c]&inPath == 0 {
			break
		}
		if c == '.' && (i == start || s[i-1] == '/') {
			t.dots = t.dots || isDotSegment(s[i:])
		} else if c == '%' && len(s)-i >= 3 && s[i+1] == '2' && s[i+2]|0x20 == 'e' {
			return t, false // an encoded dot counts as a dot
		}
	}
	t.query = i
	if i < len(s) && s[i] == '?' {
		for i++; i < len(s) && class[s[i]]&inQuery != 0; i++ {
		}
	}
	t.frag = i
	if i < len(s) && s[i] == '#' {
		for i++; i < len(s) && class[s[i]]&inFragment != 0; i++ {
		}
	}
	return t, i == len(s)
}

// isDotSegment reports whether s, which starts with a dot at the beginning of a
// segment, has "." or ".." as that whole segment.
func isDotSegment(s string) bool {
	n := 1
	if len(s) > 1 && s[1] == '.' {
		n = 2
	}
	return len(s) == n || s[n] == '/' || s[n] == '?' || s[n] == '#'
}

// scanHost reads a host name that starts at s[i] and returns where it ends. It
// is not ok with anything but a plain ASCII name, whose only change may be to
// lower case (upper), or an IPv4 address as the standard serialises it.
func scanHost(s string, i int) (end int, upper, ok bool) {
	const maxName = 253 // DNS; longer ones are left to the engine
	start, label := i, i
	for ; i < len(s); i++ {
		c := s[i]
		if class[c]&inHost != 0 {
			upper = upper || class[c]&isUpper != 0
			continue
		}
		if c != '.' {
			break
		}
		if i == label || isPunycode(s[label:i]) {
			return 0, false, false
		}
		label = i + 1
	}
	if i == label || i-start > maxName || isPunycode(s[label:i]) {
		return 0, false, false
	}
	// A last label that starts with a digit may make the whole host an IPv4
	// address in one of its many spellings.
	if c := s[label]; c >= '0' && c <= '9' && !isIPv4(s[start:i]) {
		return 0, false, false
	}
	// The engine reads a sign before digits as part of a number.
	if s[label] == '-' {
		return 0, false, false
	}
	return i, upper, true
}

func isPunycode(label string) bool {
	return len(label) >= 4 && label[2:4] == "--" && strings.EqualFold(label[:2], "xn")
}

// isIPv4 reports whether s is four decimal octets without leading zeros.
func isIPv4(s string) bool {
	for part := 0; part < 4; part++ {
		n, i := 0, 0
		for ; i < len(s) && i < 3 && s[i] >= '0' && s[i] <= '9'; i++ {
			n = n*10 + int(s[i]-'0')
		}
		if i == 0 || n > 255 || i > 1 && s[0] == '0' {
			return false
		}
		s = s[i:]
		if part < 3 {
			if s == "" || s[0] != '.' {
				return false
			}
			s = s[1:]
		}
	}
	return s == ""
}

// scanPort reads the digits after the colon at s[i]. It is not ok with a port
// that the standard would rewrite, drop or refuse.
func scanPort(s string, i int, scheme string) (end int, ok bool) {
	n, start := 0, i+1
	for i = start; i < len(s) && i < start+5 && s[i] >= '0' && s[i] <= '9'; i++ {
		n = n*10 + int(s[i]-'0')
	}
	switch {
	case i == start, n > 65535, i > start+1 && s[start] == '0',
		scheme == "http" && n == 80, scheme == "https" && n == 443:
		return 0, false
	}
	return i, true
}
