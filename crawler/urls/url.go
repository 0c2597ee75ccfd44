package urls

import (
	"errors"
	"strings"
)

// MaxLen is the longest URL accepted, in bytes, both as written and as
// serialised. Longer ones are traps and inlined data, not pages: servers
// commonly refuse request lines over 8 KiB.
const MaxLen = 8 << 10

// Errors of [Parse] and [URL.Resolve]. Neither carries the URL, which may hold
// credentials; the reason is in the message.
var (
	// ErrInvalid: not a URL. Drop the link, or ask the person who wrote it.
	ErrInvalid = errors.New("invalid URL")
	// ErrTooLong: over MaxLen bytes, perhaps valid.
	ErrTooLong = errors.New("URL longer than 8 KiB")
)

// URL is an absolute URL in WHATWG serialisation. It is an immutable value:
// copy it, compare it with ==, use it as a map key. The zero value is invalid.
//
// A URL may share memory with the string it was parsed from; clone a substring
// of a large text before parsing it if the URL is to outlive the text.
type URL struct {
	href string
	// Offsets into href; MaxLen keeps them in 16 bits.
	schemeEnd  uint16 // the ':' after the scheme
	userEnd    uint16 // end of the user name; hostStart where there are no credentials
	hostStart  uint16 // schemeEnd+1 where there is no authority
	hostEnd    uint16
	pathStart  uint16
	queryStart uint16 // the '?', or fragStart where there is no query
	fragStart  uint16 // the '#', or len(href)
}

// IsZero reports whether u is the zero value, which no Parse returns.
func (u URL) IsZero() bool { return u.href == "" }

// String returns the whole serialisation, credentials and fragment included.
func (u URL) String() string { return u.href }

// Redacted returns String without credentials, for logs and records.
func (u URL) Redacted() string { return u.withoutCredentials(len(u.href)) }

// Fetch returns what the server is asked for: String without fragment and
// credentials.
func (u URL) Fetch() string { return u.withoutCredentials(int(u.fragStart)) }

// withoutCredentials returns href[:end] without user name and password.
func (u URL) withoutCredentials(end int) string {
	if !u.hasCredentials() {
		return u.href[:end]
	}
	return u.href[:u.schemeEnd+3] + u.href[u.hostStart:end]
}

func (u URL) hasAuthority() bool { return u.hostStart > u.schemeEnd+1 }

func (u URL) hasCredentials() bool { return u.hostStart > u.schemeEnd+3 }

// hasQuery reports whether a '?' stands in the URL, even with nothing after it.
func (u URL) hasQuery() bool { return u.queryStart < u.fragStart }

// Scheme returns the scheme in lower case, without the colon.
func (u URL) Scheme() string { return u.href[:u.schemeEnd] }

// Username returns the percent-encoded user name, "" where there is none.
func (u URL) Username() string {
	if !u.hasCredentials() {
		return ""
	}
	return u.href[u.schemeEnd+3 : u.userEnd]
}

// Password returns the percent-encoded password, "" where there is none.
func (u URL) Password() string {
	if !u.hasCredentials() || u.href[u.userEnd] != ':' {
		return ""
	}
	return u.href[u.userEnd+1 : u.hostStart-1]
}

// Hostname returns the host in ASCII without the port: a lower-case domain
// name, an IPv4 address, or an IPv6 address in brackets. Hosts of schemes
// unknown to the standard are opaque and returned as they are.
func (u URL) Hostname() string { return u.href[u.hostStart:u.hostEnd] }

// Port returns the decimal port, "" where it is the scheme's default.
func (u URL) Port() string {
	if !u.hasAuthority() || u.hostEnd == u.pathStart {
		return ""
	}
	return u.href[u.hostEnd+1 : u.pathStart]
}

// Path returns the percent-encoded path; for http(s) it starts with a slash.
func (u URL) Path() string { return u.href[u.pathStart:u.queryStart] }

// Query returns the percent-encoded query without the question mark.
func (u URL) Query() string {
	if !u.hasQuery() {
		return ""
	}
	return u.href[u.queryStart+1 : u.fragStart]
}

// Fragment returns the percent-encoded fragment without the hash.
func (u URL) Fragment() string {
	if int(u.fragStart) == len(u.href) {
		return ""
	}
	return u.href[u.fragStart+1:]
}

// IsHTTP reports whether the scheme is http or https.
func (u URL) IsHTTP() bool { return isHTTP(u.Scheme()) }

func isHTTP(scheme string) bool { return scheme == "https" || scheme == "http" }

// Origin returns scheme, host and port as "https://host[:port]", without the
// default port: the key of a host. It is "" for schemes whose origin the
// standard calls opaque (all but http, https, ws, wss and ftp), save for sql and blob,
// whose host is the name of a connection.
func (u URL) Origin() string {
	switch u.Scheme() {
	case "sql", "blob":
		if !u.hasAuthority() {
			return "" // such as blob:https://page.example/id, which browsers make
		}
		fallthrough
	case "http", "https", "ws", "wss", "ftp":
		return u.withoutCredentials(int(u.pathStart))
	}
	return ""
}

// WithoutFragment returns u without its fragment; credentials stay.
func (u URL) WithoutFragment() URL {
	u.href = u.href[:u.fragStart]
	return u
}

// index finds the components of a serialised URL of at most MaxLen bytes. The
// serialisation is unambiguous: delimiters inside a component are encoded.
func index(href string) URL {
	colon := strings.IndexByte(href, ':')
	frag := strings.IndexByte(href, '#')
	if frag < 0 {
		frag = len(href)
	}
	query := strings.IndexByte(href[:frag], '?')
	if query < 0 {
		query = frag
	}
	host, path := colon+1, colon+1
	user, hostEnd := host, host
	if strings.HasPrefix(href[host:], "//") {
		host += 2
		path = query
		if i := strings.IndexByte(href[host:query], '/'); i >= 0 {
			path = host + i
		}
		user, host, hostEnd = indexAuthority(href[:path], host)
	} else if strings.HasPrefix(href[path:query], "/.//") {
		path += 2 // the "/." keeps a path of "//..." from reading as a host
	}
	return URL{
		href:       href,
		schemeEnd:  uint16(colon),
		userEnd:    uint16(user),
		hostStart:  uint16(host),
		hostEnd:    uint16(hostEnd),
		pathStart:  uint16(path),
		queryStart: uint16(query),
		fragStart:  uint16(frag),
	}
}

// indexAuthority finds, in a href cut after the authority that begins at start,
// the end of the user name, and the start and end of the host.
func indexAuthority(href string, start int) (userEnd, hostStart, hostEnd int) {
	userEnd, hostStart = start, start
	if at := strings.IndexByte(href[start:], '@'); at >= 0 {
		userEnd, hostStart = start+at, start+at+1
		if i := strings.IndexByte(href[start:userEnd], ':'); i >= 0 {
			userEnd = start + i
		}
	}
	hostEnd = len(href)
	after := hostStart
	if i := strings.IndexByte(href[hostStart:], ']'); i >= 0 {
		after += i // colons inside an IPv6 address are not the port's
	}
	if i := strings.IndexByte(href[after:], ':'); i >= 0 {
		hostEnd = after + i
	}
	return userEnd, hostStart, hostEnd
}
