package signals

import (
	"strings"
	"unicode/utf16"
)

// MaxSize is the number of octets of a robots.txt or a tdmrep.json that are
// read, the least RFC 9309 section 2.5 asks for.
const MaxSize = 500 << 10

// lineKind is what a line of robots.txt states, as far as it matters here.
type lineKind uint8

const (
	lineOther lineKind = iota
	lineAgent
	lineRule // Allow or Disallow
	lineSignal
	lineUsage
	lineLicense
)

// lineKinds lists keys in lower case without blanks, hyphens and underscores,
// with the usual slips: an owner who wrote "contentsignals" meant it.
var lineKinds = map[string]lineKind{
	"useragent":      lineAgent,
	"allow":          lineRule,
	"disallow":       lineRule,
	"dissallow":      lineRule,
	"dissalow":       lineRule,
	"disalow":        lineRule,
	"diasllow":       lineRule,
	"disallaw":       lineRule,
	"contentsignal":  lineSignal,
	"contentsignals": lineSignal,
	"contentusage":   lineUsage,
	"license":        lineLicense,
	"licence":        lineLicense,
}

type line struct {
	kind   lineKind
	number int // from 1
	value  string
	cut    bool // the end of the value is missing
}

// linesOf splits a robots.txt (RFC 9309 section 2.2) into the lines that matter.
func linesOf(body []byte) []line {
	short := len(body) > MaxSize
	if short {
		body = body[:MaxSize]
	}
	text := strings.TrimPrefix(plain(string(body)), "\ufeff")
	var out []line
	for number := 1; text != ""; number++ {
		var raw string
		end := strings.IndexAny(text, "\r\n")
		last := end < 0
		switch {
		case last:
			raw, text = text, ""
		case strings.HasPrefix(text[end:], "\r\n"):
			raw, text = text[:end], text[end+2:]
		default:
			raw, text = text[:end], text[end+1:]
		}
		if l, ok := readLine(raw, last && short); ok {
			l.number = number
			out = append(out, l)
		}
	}
	return out
}

func readLine(raw string, cut bool) (line, bool) {
	if len(raw) > maxField {
		raw, cut = raw[:maxField], true
	}
	if hash := strings.IndexByte(raw, '#'); hash >= 0 {
		raw, cut = raw[:hash], false
	}
	key, value, _ := strings.Cut(raw, ":")
	if len(key) > maxName {
		return line{}, false
	}
	key = strings.Map(func(r rune) rune {
		if blank(r) || r == '-' || r == '_' {
			return -1
		}
		return r
	}, strings.ToLower(key))
	k := lineKinds[key]
	return line{kind: k, value: strings.TrimFunc(value, blank), cut: cut}, k != lineOther
}

// plain turns UTF-16, marked or plainly such, into UTF-8 and drops NULs: a
// file in the wrong encoding still says what its owner reserves.
func plain(body string) string {
	var low int // index of the low octet in each pair
	switch {
	case strings.HasPrefix(body, "\xff\xfe"):
	case strings.HasPrefix(body, "\xfe\xff"):
		low = 1
	case spaced(body, 0) && !spaced(body, 1):
		low = 1
	case spaced(body, 1) && !spaced(body, 0):
	default:
		return strings.ReplaceAll(body, "\x00", "")
	}
	units := make([]uint16, 0, len(body)/2)
	for i := 0; i+1 < len(body); i += 2 {
		units = append(units, uint16(body[i+low])|uint16(body[i+1-low])<<8)
	}
	return strings.ReplaceAll(string(utf16.Decode(units)), "\x00", "")
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
