package urls

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/zeebo/xxh3"
)

// Key is a 128-bit fingerprint of a URL's dedup form: xxh3-128, big-endian. It
// is stable across versions and machines. It is not cryptographic: a site can
// make two of its own URLs collide, to the harm of nobody else.
type Key [16]byte

// String returns the key as 32 hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Canon says what is not part of a URL's identity. The zero value and nil drop
// nothing. It is safe for concurrent use while it is not changed.
type Canon struct {
	// DropParams names query parameters that do not count, such as "gclid", or
	// with a star at the end all that start so, such as "utm_*". Case counts.
	DropParams []string
	// DropSessions leaves out the ids of sessions, where servers put them when a
	// client keeps no cookies: ";jsessionid=...", "/(S(...))/", "PHPSESSID=..."
	// and their like.
	DropSessions bool
}

// Validate reports the first entry of DropParams that can not work.
func (c *Canon) Validate() error {
	for _, p := range c.DropParams {
		if name := strings.TrimSuffix(p, "*"); name == "" || strings.ContainsAny(name, "*&=") {
			return fmt.Errorf("%w: query parameter %q: want a name, or the start of one and a star", ErrPattern, p)
		}
	}
	return nil
}

// Key returns the fingerprint of Dedup(u). It does not allocate for a URL that
// is in that form already, fragment aside.
func (c *Canon) Key(u URL) Key {
	return xxh3.HashString128(c.Dedup(u)).Bytes()
}

// Dedup returns the form that u shares with the other addresses of the same
// page: u without credentials, fragment, empty query, dropped parameters and
// sessions, with %XX in upper case and the unreserved characters of RFC 3986 (letters,
// digits and "-._~") decoded. Default ports, dot segments and the spelling of
// the host are settled by parsing. The order of parameters is kept, since
// servers may depend on it. URLs other than http(s) only lose credentials and
// fragment.
//
// The result parses to a URL whose Dedup is the same.
func (c *Canon) Dedup(u URL) string {
	if !u.IsHTTP() {
		return u.Fetch()
	}
	rest := u.href[u.pathStart:u.fragStart]
	if u.queryStart+1 == u.fragStart {
		rest = u.Path() // nothing follows the question mark
	}
	sessions := c != nil && c.DropSessions
	if isNormal(rest) && !c.dropsAny(u.Query()) && !(sessions && mayHoldSession(u.Path())) {
		return u.withoutCredentials(int(u.pathStart) + len(rest))
	}
	b := make([]byte, 0, len(u.href))
	b = append(b, u.withoutCredentials(int(u.pathStart))...)
	start := len(b)
	b = appendNormal(b, u.Path())
	if sessions {
		b = append(b[:start], withoutSessions(string(b[start:]))...)
	}
	if u.hasQuery() {
		query := string(appendNormal(nil, u.Query()))
		b = c.appendQuery(b, query)
	}
	return string(b)
}

// appendQuery appends the query, with its question mark, without the dropped
// parameters.
func (c *Canon) appendQuery(b []byte, query string) []byte {
	start := len(b)
	for more := true; more; {
		var param string
		param, query, more = strings.Cut(query, "&")
		if c.drops(param) {
			continue
		}
		if len(b) == start {
			b = append(b, '?')
		} else {
			b = append(b, '&')
		}
		b = append(b, param...)
	}
	if len(b) == start+1 {
		return b[:start]
	}
	return b
}

// dropsAny reports whether a parameter of the query is dropped.
func (c *Canon) dropsAny(query string) bool {
	if c == nil || len(c.DropParams) == 0 && !c.DropSessions {
		return false
	}
	for query != "" {
		var param string
		param, query, _ = strings.Cut(query, "&")
		if c.drops(param) {
			return true
		}
	}
	return false
}

// drops reports whether "name=value" is dropped.
func (c *Canon) drops(param string) bool {
	if c == nil {
		return false
	}
	if c.DropSessions && isSession(param) {
		return true
	}
	name, _, _ := strings.Cut(param, "=")
	for _, p := range c.DropParams {
		if start, ok := strings.CutSuffix(p, "*"); ok && strings.HasPrefix(name, start) || name == p {
			return true
		}
	}
	return false
}

// isNormal reports whether appendNormal would change nothing.
func isNormal(s string) bool {
	for i := strings.IndexByte(s, '%'); i >= 0 && i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if c, ok := unescape(s[i:]); ok && (class[c]&isUnreserved != 0 || s[i+1] >= 'a' || s[i+2] >= 'a') {
			return false
		}
	}
	return true
}

// appendNormal appends s with its percent-encodings in normal form (RFC 3986,
// section 6.2.2). A '%' that encodes nothing stays, and nothing is decoded
// right behind one, where it could make up an encoding that was not there.
func appendNormal(b []byte, s string) []byte {
	start := len(b)
	for i := 0; i < len(s); i++ {
		c, ok := unescape(s[i:])
		switch {
		case !ok:
			b = append(b, s[i])
		case class[c]&isUnreserved != 0 && !endsInStray(b[start:]):
			b = append(b, c)
			i += 2
		default:
			const digits = "0123456789ABCDEF"
			b = append(b, '%', digits[c>>4], digits[c&15])
			i += 2
		}
	}
	return b
}

// endsInStray reports whether b ends in a '%' that encodes nothing so far, or
// in one and a single hexadecimal digit.
func endsInStray(b []byte) bool {
	n := len(b)
	return n > 0 && b[n-1] == '%' || n > 1 && b[n-2] == '%' && class[b[n-1]]&isHex != 0
}

// unescape decodes the %XX that s starts with.
func unescape(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' || class[s[1]]&class[s[2]]&isHex == 0 {
		return 0, false
	}
	return nibble(s[1])<<4 | nibble(s[2]), true
}

// nibble returns the value of a hexadecimal digit.
func nibble(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
