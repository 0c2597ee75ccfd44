package signals

import (
	"net/http"
	"strings"
)

// maxLinks bounds the links that are looked at in Link headers.
const maxLinks = 256

// LinkTargets returns the targets of the links in Link headers that have a
// relation (RFC 8288 section 3), as they are written. Links about another
// resource than the answer (anchor) are left out, and so is what cannot be read.
func LinkTargets(header http.Header, relation string) []string {
	var out []string
	links := 0
	for _, field := range header.Values("Link") {
		for rest := strings.TrimLeft(field, " \t,"); rest != "" && len(field) <= maxField; rest = strings.TrimLeft(rest, " \t,") {
			l, after, ok := nextLink(rest)
			if links++; !ok || links > maxLinks {
				break
			}
			rest = after
			if l.has(relation) && !l.anchored {
				out = append(out, l.target)
			}
		}
	}
	return out
}

type link struct {
	target, relations, mediaType string
	anchored                     bool // it has a context of its own
}

func (l link) has(relation string) bool {
	for _, r := range strings.Fields(l.relations) {
		if strings.EqualFold(r, relation) {
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
	if end < 0 || strings.IndexByte(s[1:end], '<') >= 0 { // the end of one is missing
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
		case strings.EqualFold(name, "anchor"):
			l.anchored = true
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
