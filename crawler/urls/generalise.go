package urls

import (
	"slices"
	"strings"
)

// What stands in a general pattern for the parts that vary.
const (
	anyNumber = "{n}"
	anyDate   = "{date}"
	anyID     = "{id}"
	anyDepth  = "..." // more segments of the kind before
)

// maxAlike is the number of general segments of one kind that are told from
// more of them: a path that gets ever longer by them has one pattern.
const maxAlike = 3

// calendarParams are query parameters that together make a date.
var calendarParams = []string{"year", "month", "day", "date", "week", "yr", "yyyy", "mm", "dd"}

// Generalise returns the pattern that u shares with the pages made alike: its
// path with {n} for numbers, {date} for dates and {id} for random identifiers,
// and the sorted names of its query parameters, each once, those of dates
// together as {date}. Three segments of one kind and more are one pattern. Their values do not count, nor does the host. The pattern
// is that of the dedup form, so that two spellings of one page have one.
//
// general is false when nothing was replaced and there is no query: then the
// pattern is that of one page.
func (c *Canon) Generalise(u URL) (pattern string, general bool) {
	path, query, hasQuery := strings.Cut(c.pathAndQuery(u), "?")
	b := make([]byte, 0, len(path)+16)
	b = appendPath(b, path)
	general = hasQuery || string(b) != path
	if hasQuery {
		b = appendNames(append(b, '?'), query)
	}
	return string(b), general
}

// ParamNames returns the sorted names of the dedup form's query parameters, each
// once, and the path before them.
func (c *Canon) ParamNames(u URL) (path string, names []string) {
	path, query, ok := strings.Cut(c.pathAndQuery(u), "?")
	if ok {
		names = paramNames(query)
	}
	return path, names
}

// pathAndQuery is the dedup form behind the host.
func (c *Canon) pathAndQuery(u URL) string {
	if !u.IsHTTP() {
		return u.href[u.pathStart:u.fragStart]
	}
	return strings.TrimPrefix(c.Dedup(u), u.Origin())
}

func paramNames(query string) []string {
	var names []string
	for param := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(param, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func appendNames(b []byte, query string) []byte {
	names := make([]string, 0, 16)
	for param := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(param, "=")
		if slices.Contains(calendarParams, strings.ToLower(name)) || dateLen(value) == len(value) && value != "" {
			name = anyDate
		} else if strings.ContainsAny(name, "0123456789") {
			name = string(appendSegment(nil, name))
		}
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range slices.Compact(names) {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, name...)
	}
	return b
}

// appendPath appends a path in general form.
func appendPath(b []byte, path string) []byte {
	segments := make([]string, 0, 16)
	for s := range strings.SplitSeq(path, "/") {
		segments = append(segments, s)
	}
	same, last := 1, "" // how often the last general segment stands here
	for i := 0; i < len(segments); i++ {
		if i > 0 {
			b = append(b, '/')
		}
		start := len(b)
		if n := dateSegments(segments[i:]); n > 0 {
			b = append(b, anyDate...)
			i += n - 1
		} else {
			b = appendSegment(b, segments[i])
		}
		if now := string(b[start:]); now != last || now == segments[i] {
			same, last = 1, now
			continue
		}
		if same++; same == maxAlike {
			b = append(b[:start], anyDepth...)
		} else if same > maxAlike {
			b = b[:start-1]
		}
	}
	return b
}

// dateSegments tells how many segments are a date together: year and month, or
// year, month and day.
func dateSegments(s []string) int {
	switch {
	case len(s) < 2 || len(s[0]) != 4 || !isYear(s[0]) || !isMonth(s[1]):
		return 0
	case len(s) > 2 && isDay(s[2]):
		return 3
	}
	return 2
}

// appendSegment appends a segment or a name in general form. Percent-encodings
// stay as they are: their digits are letters of some script.
func appendSegment(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '%' && i+3 <= len(s):
			b = append(b, s[i:i+3]...)
			i += 3
		case !isDigit(c) && !isLetter(c):
			b = append(b, c)
			i++
		default:
			n, what := readToken(s[i:])
			if what == "" {
				b = appendWord(b, s[i:i+n])
			} else {
				b = append(b, what...)
			}
			i += n
		}
	}
	return b
}

// readToken measures what s, which begins with a letter or digit, begins with: a
// date, an identifier, or the run of letters and digits that it is.
func readToken(s string) (n int, what string) {
	if n := dateLen(s); n > 0 {
		return n, anyDate
	}
	if n := uuidLen(s); n > 0 {
		return n, anyID
	}
	for n < len(s) && (isDigit(s[n]) || isLetter(s[n])) {
		n++
	}
	if isID(s[:n]) {
		return n, anyID
	}
	return n, ""
}

// appendWord appends a run of letters and digits with {n} for its numbers.
func appendWord(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			b = append(b, s[i])
			continue
		}
		for i+1 < len(s) && isDigit(s[i+1]) {
			i++
		}
		b = append(b, anyNumber...)
	}
	return b
}

// isID reports whether a run of letters and digits is made by a machine: of
// hexadecimal digits, or with more changes between kinds than a person makes.
func isID(s string) bool {
	if len(s) < 8 {
		return false
	}
	hex, digits, letters, changes := true, 0, 0, 0
	for i := range len(s) {
		hex = hex && class[s[i]]&isHex != 0
		if isDigit(s[i]) {
			digits++
		} else {
			letters++
		}
		if i > 0 && kind(s[i]) != kind(s[i-1]) {
			changes++
		}
	}
	switch {
	case digits == 0 || letters == 0:
		return false
	case hex:
		return true
	}
	return len(s) >= 20 || changes >= 4
}

// kind tells digits, capitals and small letters apart.
func kind(c byte) int {
	switch {
	case isDigit(c):
		return 0
	case c < 'a':
		return 1
	}
	return 2
}

// uuidLen is the length of the UUID that s begins with, 0 without one (RFC 9562,
// section 4).
func uuidLen(s string) int {
	const length = 36
	if len(s) < length {
		return 0
	}
	for i := range length {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (s[i] == '-') || !dash && class[s[i]]&isHex == 0 {
			return 0
		}
	}
	return ended(s, length)
}

// dateLen is the length of the date that s begins with, 0 without one:
// 2026-01-31, 2026-01 (also with dots or underscores), 2026-W05 or 20260131.
func dateLen(s string) int {
	if len(s) < 7 || !isYear(s[:4]) {
		return 0
	}
	sep := s[4]
	switch {
	case isDigit(sep):
		if len(s) >= 8 && isMonth(s[4:6]) && isDay(s[6:8]) {
			return ended(s, 8)
		}
		return 0
	case sep != '-' && sep != '.' && sep != '_':
		return 0
	case s[5]|0x20 == 'w' && len(s) >= 8 && isDigit(s[6]) && isDigit(s[7]):
		return ended(s, 8)
	case !isMonth(s[5:7]):
		return 0
	case len(s) >= 10 && s[7] == sep && isDay(s[8:10]):
		return ended(s, 10)
	}
	return ended(s, 7)
}

// ended is n when what begins at s[n] is no letter or digit, else 0.
func ended(s string, n int) int {
	if len(s) > n && (isDigit(s[n]) || isLetter(s[n])) {
		return 0
	}
	return n
}

func isYear(s string) bool {
	return len(s) == 4 && s[0] >= '1' && isDigit(s[0]) && isDigit(s[1]) && isDigit(s[2]) && isDigit(s[3])
}

var monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

func isMonth(s string) bool {
	n, ok := small(s)
	return ok && n >= 1 && n <= 12 || len(s) == 3 && slices.Contains(monthNames, strings.ToLower(s))
}

func isDay(s string) bool {
	n, ok := small(s)
	return ok && n >= 1 && n <= 31
}

// small reads one or two digits.
func small(s string) (n int, ok bool) {
	if len(s) == 0 || len(s) > 2 {
		return 0, false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}
