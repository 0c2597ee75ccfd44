package signals

import "strings"

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

func (l link) isLicence() bool { return IsRSL(l.mediaType) && l.has("license") }

// IsRSL reports whether a media type is that of RSL documents.
func IsRSL(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "application/rsl+xml")
}

// FromLicenceLinks returns what the link elements of a page say by which it names
// RSL licences, given by their addresses.
func FromLicenceLinks(addresses []string) []Statement {
	var out []Statement
	for _, a := range addresses[:min(len(addresses), maxLicences)] {
		out = append(out, licence(a, "RSL, link element", ""))
	}
	return out
}
