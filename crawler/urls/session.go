package urls

import (
	"slices"
	"strings"
)

// The places where servers put a session's id when a client keeps no cookies:
// a parameter of the path (Java servlets, Jakarta Servlet 6.0 section 7.1.3), a
// segment of the path (ASP.NET's cookieless sessions), or a query parameter.

// certainSessions name a session whatever their value is, in lower case.
var certainSessions = []string{
	"jsessionid", "phpsessid", "sessid", "asp.net_sessionid", "cfid", "cftoken", "oscsid", "zenid", "xtcsid",
}

// likelySessions do so when their value looks like nothing else.
var likelySessions = []string{"sid", "s", "session", "sessionid", "session_id", "sess"}

const (
	aspSession = "aspsessionid" // followed by letters of the server's choice
	// leastSessionID is the shortest value of a likely session: 64 bits in
	// hexadecimal digits. Words and numbers are shorter, or of one kind.
	leastSessionID = 16
)

// isSession reports whether "name=value" is a session's id.
func isSession(param string) bool {
	name, value, _ := strings.Cut(param, "=")
	if len(name) == 0 || len(name) > 32 {
		return false
	}
	name = strings.ToLower(name)
	if slices.Contains(certainSessions, name) || strings.HasPrefix(name, aspSession) {
		return true
	}
	return slices.Contains(likelySessions, name) && isSessionID(value)
}

// isSessionID reports whether a value is long, and of letters and digits mixed.
func isSessionID(value string) bool {
	if len(value) < leastSessionID {
		return false
	}
	letters, digits := false, false
	for i := range len(value) {
		switch c := value[i]; {
		case isDigit(c):
			digits = true
		case isLetter(c):
			letters = true
		case c != '-' && c != '_' && c != ',':
			return false
		}
	}
	return letters && digits
}

// isSessionSegment reports whether a segment of a path is one of ASP.NET's:
// "(S(id))", also with other tickets beside the session's, or "S(id)".
func isSessionSegment(seg string) bool {
	inner, whole := strings.CutPrefix(seg, "(")
	if whole {
		if inner, whole = strings.CutSuffix(inner, ")"); !whole {
			return false
		}
	}
	session := false
	for inner != "" {
		end := strings.IndexByte(inner, ')')
		if end < 3 || inner[1] != '(' || !strings.Contains("ASFX", inner[:1]) {
			return false
		}
		for _, c := range []byte(inner[2:end]) {
			if !isDigit(c) && !isLetter(c) && c != '-' && c != '_' {
				return false
			}
		}
		session = session || inner[0] == 'S'
		inner = inner[end+1:]
	}
	return session
}

// mayHoldSession is a cheap test that misses no path with a session.
func mayHoldSession(path string) bool { return strings.ContainsAny(path, ";(") }

// withoutSessions returns a path without the ids of sessions. Dot segments
// never come of it: they would lead elsewhere.
func withoutSessions(path string) string {
	if !mayHoldSession(path) {
		return path
	}
	kept := make([]string, 0, 16)
	for seg := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		name, params, has := strings.Cut(seg, ";")
		if has {
			all := strings.Split(params, ";")
			all = slices.DeleteFunc(all, isSession)
			if stripped := strings.Join(append([]string{name}, all...), ";"); !isDots(stripped) {
				seg = stripped
			}
		}
		if !isSessionSegment(seg) {
			kept = append(kept, seg)
		}
	}
	return "/" + strings.Join(kept, "/")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isDots reports whether a normalised segment is a dot segment.
func isDots(seg string) bool { return seg == "." || seg == ".." }
