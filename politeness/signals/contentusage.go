package signals

// contentUsage reads the value of a Content-Usage header, or of a line of
// robots.txt without its path: a dictionary such as "train-ai=n, search=y"
// (draft-ietf-aipref-attach-04 with draft-ietf-aipref-vocab-05 section 6).
// Parameters are skipped, as section 6.4 asks. A value other than the tokens y
// and n is a no, and what is no dictionary denies every use. A key that is
// there twice is two statements, and the stricter counts.
func contentUsage(value, source string) []Statement {
	if len(value) > maxField {
		return []Statement{unreadable(source, value, "too long to be read")}
	}
	members, err := parseDictionary(value)
	if err != nil {
		return []Statement{unreadable(source, value, err.Error())}
	}
	var out []Statement
	for _, m := range members {
		if len(out) == maxStatements {
			return append(out, unreadable(source, value, "too many preferences"))
		}
		category, ok := categoryOf(m.key)
		if !ok {
			continue // a key too long to be a category of any vocabulary
		}
		s := Statement{Category: category, Allow: Denied, Source: source, Text: shown(m.key+"="+m.value, maxText)}
		switch {
		case m.kind == kindToken && m.value == "y":
			s.Allow = Allowed
		case m.kind == kindToken && m.value == "n":
		default:
			s.Problem = quoted(m.value) + " is neither y nor n"
		}
		out = append(out, s)
	}
	return out
}
