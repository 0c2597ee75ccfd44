package signals

import "strings"

// maxField bounds the octets read of one header field or robots.txt value,
// twice the 8 KiB that draft-illyes-repext asks of readers of X-Robots-Tag.
const maxField = 16 << 10

// contentSignal reads the value of a Content-Signal line or header: pairs such
// as "search=yes, ai-train=no" (Cloudflare's Content Signals Policy, 24
// September 2025; draft-romm-aipref-contentsignals-00 section 3). Semicolons
// and blanks are taken for commas, and the case of letters does not matter.
// What is neither yes nor no is a no.
func contentSignal(value, source string) []Statement {
	if len(value) > maxField {
		return []Statement{unreadable(source, value, "too long to be read")}
	}
	value = strings.Join(strings.FieldsFunc(value, blank), " ")
	value = strings.NewReplacer(" = ", "=", " =", "=", "= ", "=").Replace(value)
	var out []Statement
	for _, pair := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		if len(out) == maxStatements {
			return append(out, unreadable(source, pair, "too many signals"))
		}
		out = append(out, signalPair(pair, source))
	}
	return out
}

func signalPair(pair, source string) Statement {
	name, stated, pairs := strings.Cut(pair, "=")
	category, ok := categoryOf(name)
	if !pairs || !ok {
		return unreadable(source, pair, quoted(pair)+" is no signal")
	}
	s := Statement{Category: category, Allow: Denied, Source: source, Text: shown(pair, maxText)}
	switch strings.ToLower(stated) {
	case "yes", "y":
		s.Allow = Allowed
	case "no", "n":
	default:
		s.Problem = quoted(stated) + " is neither yes nor no"
	}
	return s
}

func blank(r rune) bool {
	return r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '\v' || r == '\f'
}
