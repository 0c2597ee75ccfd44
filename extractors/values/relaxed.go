package values

import "fmt"

// RelaxJSON turns JSON as people write it into JSON as RFC 8259 has it: comments
// and commas before a closing bracket are left out, control characters in
// strings are escaped. What is wrong beyond that stays as it is, for the parser
// to report.
func RelaxJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	comma := false // one is due before the next value
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '/' && i+1 < len(text) && (text[i+1] == '/' || text[i+1] == '*'):
			i = afterComment(text, i)
			continue
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		case c == ',' && !comma:
			comma = true
			i++
			continue
		case comma:
			if c != '}' && c != ']' {
				out = append(out, ',')
			}
			comma = c == ',' // a second one is a fault, and is kept
			if comma {
				i++
				continue
			}
		}
		if c == '"' {
			out, i = appendString(out, text, i)
			continue
		}
		out = append(out, c)
		i++
	}
	if comma {
		out = append(out, ',')
	}
	return out
}

// afterComment is where the comment at i ends.
func afterComment(text []byte, i int) int {
	block := text[i+1] == '*'
	for i += 2; i < len(text); i++ {
		if !block && text[i] == '\n' {
			return i
		}
		if block && text[i] == '*' && i+1 < len(text) && text[i+1] == '/' {
			return i + 2
		}
	}
	return len(text)
}

// appendString copies the string literal at i.
func appendString(out, text []byte, i int) ([]byte, int) {
	out = append(out, '"')
	for i++; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return append(out, c), i + 1
		case c == '\\' && i+1 < len(text) && text[i+1] >= ' ':
			out = append(out, c, text[i+1])
			i++
		case c < ' ':
			out = fmt.Appendf(out, `\u%04x`, c)
		default:
			out = append(out, c)
		}
	}
	return out, i
}
