package values

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// token is a number, a word or a punctuation mark of a date.
type token struct {
	text   string // of a word or a mark
	value  int    // of a number
	digits int    // 0: not a number
	mark   bool
	tight  bool // no space stands before it
}

func (t token) isWord() bool { return t.digits == 0 && !t.mark }

// isMark reports a punctuation mark out of some.
func (t token) isMark(of string) bool { return t.mark && strings.Contains(of, t.text) }

// lex cuts a date into tokens, by letters without case and diacritics. Of numbers
// that are longer than a date's only the length counts.
func lex(s string) []token {
	var out []token
	tight := false
	rest := []rune(plainLetters(s))
	for i := 0; i < len(rest); {
		r, start := rest[i], i
		t := token{tight: tight}
		switch {
		case unicode.IsSpace(r):
			tight = false
			i++
			continue
		case unicode.IsDigit(r):
			for ; i < len(rest) && unicode.IsDigit(rest[i]); i++ {
				t.value = min(10*t.value+digitOf(rest[i]), 1<<20)
				t.digits++
			}
		case unicode.IsLetter(r) || unicode.IsMark(r):
			for i < len(rest) && (unicode.IsLetter(rest[i]) || unicode.IsMark(rest[i])) {
				i++
			}
			t.text = string(rest[start:i])
		default:
			i++
			t.text, t.mark = string(r), true
		}
		tight = true
		out = append(out, t)
	}
	return joinHalves(out)
}

// joinHalves makes one word of an abbreviated half of the day: a.m. or π.μ.
func joinHalves(tokens []token) []token {
	out := tokens[:0]
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if i+2 < len(tokens) && tokens[i+1].isMark(".") && tokens[i+2].isWord() {
			switch both := t.text + tokens[i+2].text; both {
			case "am", "pm", "πμ", "μμ":
				t.text = both
				i += 2
				if i+1 < len(tokens) && tokens[i+1].isMark(".") {
					i++
				}
			}
		}
		out = append(out, t)
	}
	return out
}

// plainLetters is a text in lower case without diacritics, in which variants of a
// character are one.
func plainLetters(s string) string {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		switch r = unicode.ToLower(r); r {
		case 'ß':
			b.WriteString("ss")
		case 'æ':
			b.WriteString("ae")
		case 'ø':
			b.WriteByte('o')
		case 'ł':
			b.WriteByte('l')
		case 'đ':
			b.WriteByte('d')
		case 'ı':
			b.WriteByte('i')
		case 'ς':
			b.WriteRune('σ')
		default:
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// digitOf is the value of a digit: those of a script stand in a row from zero.
func digitOf(r rune) int {
	if r <= '9' {
		return int(r - '0')
	}
	n := 0
	for n < 9 && unicode.IsDigit(r-1) {
		r--
		n++
	}
	return n
}
