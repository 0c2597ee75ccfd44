package urls

import (
	"fmt"
	neturl "net/url"
	"strings"

	problem "github.com/nlnwa/whatwg-url/errors"
	whatwg "github.com/nlnwa/whatwg-url/url"
	"golang.org/x/text/unicode/norm"
)

// Bounds in bytes as written, so that no input keeps the engine busy: it takes
// quadratic time over hosts and credentials and microseconds for each letter of
// a scheme. No name that DNS could answer is longer, nor a registered scheme.
const (
	maxHost        = 1 << 10
	maxCredentials = 1 << 8
	maxScheme      = 1 << 6
)

// pathSet has the circumflex, which the standard came to encode in paths after
// the engine was written.
var pathSet = whatwg.PathPercentEncodeSet.Set('^')

var withoutBreaks = strings.NewReplacer("\t", "", "\n", "", "\r", "")

// parseFull reads ref against base, an absolute URL or "", with the complete
// engine, whose known faults are mended around it.
func parseFull(base, ref string) (URL, error) {
	// The standard's first step; below, nothing may hide between the characters.
	ref = withoutBreaks.Replace(ref)
	if start, end := authority(ref); strings.LastIndexByte(ref[start:end], '@') > maxCredentials {
		return URL{}, fmt.Errorf("%w: credentials too long", ErrInvalid)
	}
	scheme, colon := scanScheme(ref)
	if scheme > maxScheme {
		if colon {
			return URL{}, fmt.Errorf("%w: scheme too long", ErrInvalid)
		}
		ref = "./" + ref // means the same and does not look like a scheme
	}
	u, err := parsePunycode(base, ref)
	if err != nil {
		return URL{}, fmt.Errorf("%w: %s", ErrInvalid, reason(err))
	}
	return u.bounded()
}

// parseEngine runs the engine. Its errors quote the URL and so must not leave
// this file.
func parseEngine(base, ref string) (u URL, err error) {
	defer func() {
		if r := recover(); r != nil {
			u, err = URL{}, fmt.Errorf("engine failed: %v", r)
		}
	}()
	var host string
	parser := whatwg.NewParser(
		whatwg.WithPathPercentEncodeSet(pathSet),
		whatwg.WithPreParseHostFunc(func(_ *whatwg.Url, h string) string {
			host = h
			return admitHost(h)
		}))
	parsed, err := parser.ParseRef(base, ref)
	if err != nil {
		return URL{}, err
	}
	if parsed.IsIPv4() && hasSign(host) {
		return URL{}, problem.Error(problem.IPv4NonNumericPart, "", true)
	}
	href := parsed.Href(false)
	if parsed.OpaquePath() {
		href = encodeLastSpace(href)
	}
	if len(href) > MaxLen {
		return URL{href: href}, nil // bounded refuses it; its offsets would not fit
	}
	return index(href), nil
}

// admitHost returns host, or in its place one that every kind of host refuses:
// for hosts too long, and for brackets within the brackets of an IPv6 address,
// which the engine strips.
func admitHost(host string) string {
	const refused = "\x00"
	if len(host) > maxHost {
		return refused
	}
	if strings.HasPrefix(host, "[") && (strings.Count(host, "[") > 1 || strings.Count(host, "]") > 1) {
		return refused
	}
	return host
}

// hasSign reports whether a host that came out as an IPv4 address was written
// with a signed number, which the engine takes for a number and the standard
// for a name. No such name exists, so it is refused.
func hasSign(host string) bool {
	if decoded, err := neturl.PathUnescape(host); err == nil {
		host = decoded
	}
	return strings.ContainsAny(norm.NFKC.String(host), "+-")
}

// encodeLastSpace encodes the space that ends an opaque path before a query or
// fragment, lest it be stripped when the URL loses them.
func encodeLastSpace(href string) string {
	end := strings.IndexAny(href, "?#")
	if end < 1 || href[end-1] != ' ' {
		return href
	}
	return href[:end-1] + "%20" + href[end:]
}

// authority returns where credentials, host and port stand in ref, if it has
// them at all: what follows the scheme and the slashes.
func authority(ref string) (start, end int) {
	if s := schemeOf(ref); s != "" {
		start = len(s) + 1
	}
	for start < len(ref) && (ref[start] == '/' || ref[start] == '\\') {
		start++
	}
	if i := strings.IndexAny(ref[start:], `/\?#`); i >= 0 {
		return start, start + i
	}
	return start, len(ref)
}

// reason says in a few words, without quoting the URL, why the engine refused.
func reason(err error) string {
	switch problem.Type(err) {
	case problem.MissingSchemeNonRelativeURL:
		return "no scheme (an absolute URL starts with https:// or the like)"
	case problem.HostMissing, problem.InvalidCredentials:
		return "no host"
	case problem.DomainToASCII:
		return "host is not a domain name"
	case problem.DomainInvalidCodePoint, problem.HostInvalidCodePoint:
		return "host too long or with a forbidden character"
	case problem.PortInvalid, problem.PortMissing, problem.PortOutOfRange:
		return "bad port"
	case problem.IPv4TooManyParts, problem.IPv4NonNumericPart, problem.IPv4OutOfRangePart, problem.IPv4EmptyPart:
		return "host ends in a number but is not an IPv4 address"
	case "":
		return "cannot be read"
	}
	return "bad IPv6 address"
}
