package tables

import (
	"strconv"
	"strings"
)

// maxNumber bounds a number in JSON, its digits and its exponent: PostgreSQL's numeric
// ends at 131,072 digits before the point and 16,383 behind it, and others far before.
const maxNumber = 1000

const replacement = `\ufffd`

// portable is a text of JSON as every database takes it. Valid JSON may hold what some
// refuse, and a refused batch would come again for ever: U+0000 and halves of surrogate
// pairs become U+FFFD, and numbers beyond any use become texts.
func portable(text string) string {
	var b strings.Builder // of what has been changed; nothing in it as a rule
	done := 0
	replace := func(from, to int, by string) {
		b.WriteString(text[done:from])
		b.WriteString(by)
		done = to
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			i = inString(text, i+1, replace)
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(text) && strings.IndexByte("0123456789.eE+-", text[end]) >= 0 {
				end++
			}
			if endless(text[i:end]) {
				replace(i, end, `"`+text[i:end]+`"`)
			}
			i = end
		default:
			i++
		}
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}

// inString passes over a string whose first byte is at i, and its end.
func inString(text string, i int, replace func(from, to int, by string)) int {
	for i < len(text) && text[i] != '"' {
		if text[i] != '\\' {
			i++
			continue
		}
		unit, ok := escaped(text, i)
		switch {
		case !ok:
			i += 2
			continue
		case unit >= 0xd800 && unit < 0xdc00:
			if low, ok := escaped(text, i+6); ok && low >= 0xdc00 && low < 0xe000 {
				i += 12
				continue
			}
			replace(i, i+6, replacement)
		case unit == 0 || unit >= 0xdc00 && unit < 0xe000:
			replace(i, i+6, replacement)
		}
		i += 6
	}
	return i + 1
}

// escaped is the code unit of \uXXXX at i.
func escaped(text string, i int) (unit uint64, ok bool) {
	if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(text[i+2:i+6], 16, 16)
	return unit, err == nil
}

func endless(number string) bool {
	if len(number) > maxNumber {
		return true
	}
	_, exponent, has := strings.Cut(strings.ToLower(number), "e")
	if !has {
		return false
	}
	e, err := strconv.Atoi(exponent)
	return err != nil || e > maxNumber || e < -maxNumber
}
