package signals

import "strings"

// maxLinks bounds the links that are looked at in Link headers.
const maxLinks = 256

// licence is a statement that an RSL licence governs a page. It denies until
// the licence's terms are met, since RSL 1.0 asks crawlers to read them before
// they use what they fetch.
func licence(address, source, problem string) Statement {
	return Statement{Category: CategoryLicense, Allow: Denied, Source: source, Text: shown(address, maxText), Problem: problem}
}

// licenceLine is the value of a License line of robots.txt (RSL 1.0, "Adding
// RSL to robots.txt"): an absolute address.
func licenceLine(address, source string, cut bool) Statement {
	scheme, rest, ok := strings.Cut(address, "://")
	switch {
	case cut:
		return licence(address, source, "the end of the address is missing")
	case !ok || rest == "" || !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http"):
		return licence(address, source, quoted(address)+" is no absolute address")
	}
	return licence(address, source, "")
}

// linkLicences finds RSL licences in the Link headers of a page (RSL 1.0, "HTTP
// Link header"; RFC 8288 section 3): the links whose relations hold license and
// whose type is application/rsl+xml. What cannot be parsed counts as one when
// it names that type.
func linkLicences(fields []string) []Statement {
	const source = "RSL, Link header"
	var out []Statement
	links := 0
	for _, field := range fields {
		if len(field) > maxField {
			out = append(out, unreadable(source, field, "too long to be read"))
			field = ""
		}
		for rest := strings.TrimLeft(field, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
			if links++; links > maxLinks {
				return append(out, unreadable(source, "", "too many links"))
			}
			l, after, ok := nextLink(rest)
			if !ok {
				if strings.Contains(strings.ToLower(rest), "rsl+xml") {
					out = append(out, licence(rest, source, "a link that cannot be read"))
				}
				break
			}
			rest = after
			if l.isLicence() {
				out = append(out, licence(l.target, source, ""))
			}
		}
	}
	return out
}

type link struct{ target, relations, mediaType string }

func (l link) isLicence() bool {
	mediaType, _, _ := strings.Cut(l.mediaType, ";")
	if !strings.EqualFold(strings.TrimSpace(mediaType), "application/rsl+xml") {
		return false
	}
	for _, r := range strings.Fields(l.relations) {
		if strings.EqualFold(r, "license") {
			return true
		}
	}
	return false
}

// nextLink parses one link-value of RFC 8288 section 3 and returns what stands
// behind it. Of a repeated parameter the first counts (section 3.3).
func nextLink(s string) (l link, rest string, ok bool) {
	if s == "" || s[0] != '<' {
		return l, "", false
	}
	end := strings.IndexByte(s, '>')
	if end < 0 {
		return l, "", false
	}
	l.target, s = strings.TrimSpace(s[1:end]), strings.TrimLeft(s[end+1:], " \t")
	for strings.HasPrefix(s, ";") {
		s = strings.TrimLeft(s[1:], " \t")
		at := strings.IndexAny(s, "=;, \t")
		if at < 0 {
			return l, "", true
		}
		name := s[:at]
		s = strings.TrimLeft(s[at:], " \t")
		value := ""
		if strings.HasPrefix(s, "=") {
			if value, s, ok = parameterValue(strings.TrimLeft(s[1:], " \t")); !ok {
				return l, "", false
			}
			s = strings.TrimLeft(s, " \t")
		}
		switch {
		case strings.EqualFold(name, "rel") && l.relations == "":
			l.relations = value
		case strings.EqualFold(name, "type") && l.mediaType == "":
			l.mediaType = value
		}
	}
	return l, s, s == "" || s[0] == ','
}

// parameterValue reads a token or a quoted string.
func parameterValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ";, \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}
