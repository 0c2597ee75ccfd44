package urls

import (
	"strings"
	"unicode/utf8"
)

// punycode is what starts a label that holds Punycode.
const punycode = "xn--"

// parsePunycode runs the engine with the Punycode prefix of ASCII hosts hidden
// from it. The standard's tests take such hosts as they are, in lower case; the
// engine refuses or empties labels that are not valid Punycode.
func parsePunycode(base, ref string) (URL, error) {
	all := strings.ToLower(base + ref)
	if !strings.Contains(all, punycode) {
		return parseEngine(base, ref)
	}
	stand := standIn(all)
	u, err := parseEngine(hidePunycode("", base, stand), hidePunycode(base, ref, stand))
	if err != nil || len(u.href) > MaxLen {
		return u, err
	}
	host := strings.ReplaceAll(u.Hostname(), stand, punycode)
	u.href = u.href[:u.hostStart] + host + u.href[u.hostEnd:]
	return u, nil
}

// standIn returns a string like the Punycode prefix, as long, that text does
// not contain.
func standIn(text string) string {
	stand := []byte("zq00")
	for i := 0; strings.Contains(text, string(stand)); i++ {
		// MaxLen bytes cannot hold all that these letters spell.
		for j, n := 1, i; j < len(stand); j, n = j+1, n/26 {
			stand[j] = 'a' + byte(n%26)
		}
	}
	return string(stand)
}

// hidePunycode puts stand in the place of the prefix in the host of ref, if
// that is ASCII.
func hidePunycode(base, ref, stand string) string {
	start, end := authority(ref)
	if !hasHost(schemeOf(base), ref, start) {
		return ref
	}
	start += strings.LastIndexByte(ref[start:end], '@') + 1
	host := strings.ToLower(ref[start:end])
	if strings.Contains(host, "%") || strings.IndexFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		return ref
	}
	return ref[:start] + strings.ReplaceAll(host, punycode, stand) + ref[end:]
}

// hasHost reports whether ref, whose scheme and slashes end at start, has the
// host of a scheme known to the standard: behind two slashes, or behind fewer
// if its scheme is not that of the base.
func hasHost(baseScheme, ref string, start int) bool {
	scheme := strings.ToLower(schemeOf(ref))
	slashes := start
	if scheme != "" {
		slashes -= len(scheme) + 1
	} else {
		scheme = baseScheme
	}
	switch scheme {
	case "http", "https", "ws", "wss", "ftp":
		return slashes >= 2 || scheme != baseScheme
	case "file":
		return slashes >= 2
	}
	return false
}
