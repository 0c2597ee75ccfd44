package urls

import (
	"bytes"
	"strings"
)

// Parse reads an absolute URL as the standard says
// (https://url.spec.whatwg.org/#concept-basic-url-parser, without a base). The
// error is ErrInvalid or ErrTooLong.
func Parse(raw string) (URL, error) {
	if len(raw) > MaxLen {
		return URL{}, ErrTooLong
	}
	raw = trim(raw)
	u, ok := parseFast(raw)
	if !ok {
		return parseFull("", raw)
	}
	return u.bounded()
}

// Resolve reads ref relative to u, as a browser reads a link on the page u. The
// error is ErrInvalid or ErrTooLong.
func (u URL) Resolve(ref string) (URL, error) {
	if len(ref) > MaxLen {
		return URL{}, ErrTooLong
	}
	ref = trim(ref)
	r, ok := u.resolveFast(ref)
	if ok {
		return r.bounded()
	}
	base := u.href
	if s := schemeOf(ref); s != "" && !strings.EqualFold(s, u.Scheme()) {
		base = "" // a URL of another scheme has no use for the base
	}
	return parseFull(base, ref)
}

// bounded refuses a URL that grew beyond MaxLen.
func (u URL) bounded() (URL, error) {
	if len(u.href) > MaxLen {
		return URL{}, ErrTooLong
	}
	return u, nil
}

// BaseOf returns the URL that the links of page are relative to, given the href
// of its <base> element: href resolved against page, or page itself where that
// is not a valid http(s) URL
// (https://html.spec.whatwg.org/multipage/semantics.html#the-base-element).
func BaseOf(page URL, href string) URL {
	base, err := page.Resolve(href)
	if err != nil || !base.IsHTTP() {
		return page
	}
	return base
}

// parseFast reads the ordinary http(s) URL, and that of an object or a query, mostly
// without copying it. It is not ok with whatever else the standard knows.
func parseFast(raw string) (URL, bool) {
	var scheme int
	special := true
	switch {
	case strings.HasPrefix(raw, "https://"):
		scheme = len("https")
	case strings.HasPrefix(raw, "http://"):
		scheme = len("http")
	case strings.HasPrefix(raw, "blob://"):
		scheme, special = len("blob"), false
	case strings.HasPrefix(raw, "sql://"):
		scheme, special = len("sql"), false
	default:
		return URL{}, false
	}
	host := scheme + len("://")
	hostEnd, upper, ok := scanHost(raw, host)
	if !ok {
		return URL{}, false
	}
	path := hostEnd
	if path < len(raw) && raw[path] == ':' {
		if path, ok = scanPort(raw, path, raw[:scheme]); !ok {
			return URL{}, false
		}
	}
	if path < len(raw) && raw[path] != '/' && raw[path] != '?' && raw[path] != '#' {
		return URL{}, false
	}
	t, ok := scanTail(raw, path)
	if !ok {
		return URL{}, false
	}
	if !special && (upper || t.dots || t.query == path) {
		return URL{}, false // hosts keep their case there, and a path may be empty
	}
	u := URL{
		href:       raw,
		schemeEnd:  uint16(scheme),
		userEnd:    uint16(host),
		hostStart:  uint16(host),
		hostEnd:    uint16(hostEnd),
		pathStart:  uint16(path),
		queryStart: uint16(t.query),
		fragStart:  uint16(t.frag),
	}
	if upper {
		u.href = strings.ToLower(raw[:hostEnd]) + raw[hostEnd:]
	}
	if t.dots || t.query == path {
		// join makes an empty path "/".
		return u.join(path, u.href[path:t.query], u.href[t.query:]), true
	}
	return u, true
}

// resolveFast reads the ordinary reference against an http(s) base, without
// looking at more of the base than its offsets.
func (u URL) resolveFast(ref string) (URL, bool) {
	if !u.IsHTTP() {
		return URL{}, false
	}
	if ref == "" {
		return u.WithoutFragment(), true
	}
	switch ref[0] {
	case '#':
		return u.replaceFrom(int(u.fragStart), ref)
	case '?':
		return u.replaceFrom(int(u.queryStart), ref)
	case '/':
		if strings.HasPrefix(ref, "//") {
			return parseFast(u.href[:u.schemeEnd+1] + ref)
		}
		return u.replaceFrom(int(u.pathStart), ref)
	}
	if _, colon := scanScheme(ref); colon {
		return parseFast(ref)
	}
	dir := strings.LastIndexByte(u.Path(), '/')
	return u.replaceFrom(int(u.pathStart)+dir+1, ref)
}

// replaceFrom puts ref in the place of u.href[at:], where at is the start of
// the component that ref begins with, or of the path's last segment.
func (u URL) replaceFrom(at int, ref string) (URL, bool) {
	t, ok := scanTail(ref, 0)
	switch {
	case !ok:
		return URL{}, false
	case t.dots:
		return u.join(at, ref[:t.query], ref[t.query:]), true
	case ref[0] != '#':
		u.queryStart, u.fragStart = uint16(at+t.query), uint16(at+t.frag)
	}
	u.href = u.href[:at] + ref
	return u, true
}

// join puts path and rest (query and fragment), both scanned, in the place of
// u.href[at:] and removes the dot segments. Offsets up to pathStart stay.
func (u URL) join(at int, path, rest string) URL {
	var buf [512]byte // most URLs fit; append moves the others to the heap
	b := append(buf[:0], u.href[:at]...)
	floor := int(u.pathStart)
	if at == floor {
		b = append(b, '/')
		path = strings.TrimPrefix(path, "/")
	}
	b = appendSegments(b, floor, path)
	query := len(b)
	b = append(b, rest...)
	frag := len(b)
	if i := strings.IndexByte(rest, '#'); i >= 0 {
		frag = query + i
	}
	u.href = string(b)
	u.queryStart, u.fragStart = uint16(query), uint16(frag)
	return u
}

// appendSegments appends path, a list of segments, to b, which ends in the
// slash before them, and applies "." and "..". No segment before floor, the
// path's first slash, is ever removed.
func appendSegments(b []byte, floor int, path string) []byte {
	for {
		segment, rest, more := strings.Cut(path, "/")
		switch segment {
		case ".":
		case "..":
			if last := len(b) - 1; last > floor {
				b = b[:floor+bytes.LastIndexByte(b[floor:last], '/')+1]
			}
		default:
			b = append(b, segment...)
			if more {
				b = append(b, '/')
			}
		}
		if !more {
			return b
		}
		path = rest
	}
}

// schemeOf returns the scheme that s starts with, "" where there is none.
func schemeOf(s string) string {
	if n, ok := scanScheme(s); ok {
		return s[:n]
	}
	return ""
}

// scanScheme returns how many bytes at the start of s could be a scheme's, and
// whether a colon makes them one.
func scanScheme(s string) (n int, colon bool) {
	for ; n < len(s); n++ {
		c := s[n]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (n == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return n, n > 0 && c == ':'
		}
	}
	return n, false
}
