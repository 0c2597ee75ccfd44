package values

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Errors of numbers, as they stand beside the value in a report.
var (
	errNumber   = errors.New("not a number (a regex can narrow the text)")
	errGroups   = errors.New("not a number: its separators fit neither thousands nor a fraction")
	errInteger  = errors.New("not an integer: it has a fraction")
	errTooBig   = errors.New("the number is too large")
	maxNumChars = 64
)

// ParseNumber reads a number as pages write it. A currency sign or code, a
// percent sign and white space may stand around it, a sign in front, spaces and
// apostrophes between thousands. Comma and point:
//   - with both, the last one is the decimal mark: 1,234.50 and 1.234,50;
//   - one that stands several times separates thousands: 1.234.567;
//   - a lone point is the decimal mark: 1.234 is a little over one;
//   - a lone comma separates thousands before exactly three digits (1,234) unless
//     zero is in front (0,125), and is the decimal mark otherwise (12,5).
//
// Groups have three digits; with commas, all but the last may have two (12,34,567).
// Everything else is an error: other words, two numbers, infinities, hex.
func ParseNumber(s string) (float64, error) { return ParseNumberIn(Locale{}, s) }

// ParseNumberIn reads a number as it is written in a locale: there is one decimal
// mark, and the other of comma and point separates thousands.
func ParseNumberIn(l Locale, s string) (float64, error) {
	n, err := normalise(l, s, false)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(n, 64)
	if err != nil {
		return 0, errTooBig
	}
	return v, nil
}

// ParseInteger reads a whole number by the rules of ParseNumber, but that a lone
// point before exactly three digits separates thousands too. A fraction of
// zeros is allowed.
func ParseInteger(s string) (int64, error) { return ParseIntegerIn(Locale{}, s) }

// ParseIntegerIn reads a whole number as it is written in a locale.
func ParseIntegerIn(l Locale, s string) (int64, error) {
	n, err := normalise(l, s, true)
	if err != nil {
		return 0, err
	}
	whole, fraction, _ := strings.Cut(n, ".")
	if strings.Trim(fraction, "0") != "" || strings.ContainsAny(n, "eE") {
		return 0, errInteger
	}
	v, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return 0, errTooBig
	}
	return v, nil
}

// normalise turns a number into the form that strconv reads.
func normalise(l Locale, s string, integer bool) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > 4*maxNumChars {
		return "", errNumber
	}
	s = strings.Map(plain, s)
	negative := false
	s, negative = strip(s)
	digits, exponent := cutExponent(s)
	if digits == "" || len(digits) > maxNumChars {
		return "", errNumber
	}
	for _, r := range digits {
		if !strings.ContainsRune("0123456789.,' ", r) {
			return "", errNumber
		}
	}
	out, err := separate(l, digits, integer)
	if err != nil {
		return "", err
	}
	if negative {
		out = "-" + out
	}
	return out + exponent, nil
}

// plain maps the many forms of space, minus and apostrophe to one each.
func plain(r rune) rune {
	switch r {
	case '−', '‐', '‑', '–':
		return '-'
	case '’', '‘', '´', '`':
		return '\''
	case '\u200e', '\u200f', '\ufeff':
		return -1
	}
	if unicode.IsSpace(r) {
		return ' '
	}
	return r
}

// strip takes sign, currency and percent sign off both ends.
func strip(s string) (rest string, negative bool) {
	signed := false
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case (r == '-' || r == '+') && !signed:
			signed, negative = true, r == '-'
		case r == ' ', unicode.Is(unicode.Sc, r):
		default:
			n = currencyPrefix(s)
		}
		if n == 0 {
			break
		}
		s = s[n:]
	}
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		if r != ' ' && r != '%' && !unicode.Is(unicode.Sc, r) {
			n = currencySuffix(s)
		}
		if n == 0 {
			break
		}
		s = s[:len(s)-n]
	}
	return s, negative
}

// Words for money beside the ISO codes.
var (
	before = []string{"US$", "CA$", "AU$", "NZ$", "HK$", "R$", "A$", "C$", "S$", "Rs.", "Rs", "kr.", "kr", "Fr.", "SFr."}
	after  = []string{"kr.", "kr", "zł", "Kč", "Ft", "lei", "лв.", "руб.", "Fr.", "Rs", "元", "円"}
)

func currencyPrefix(s string) int {
	for _, w := range before {
		if strings.HasPrefix(s, w) {
			return len(w)
		}
	}
	if len(s) > 3 && isCode(s[:3]) && !isLetter(s[3]) {
		return 3
	}
	return 0
}

func currencySuffix(s string) int {
	for _, w := range after {
		if strings.HasSuffix(s, w) {
			return len(w)
		}
	}
	if n := len(s); n > 3 && isCode(s[n-3:]) && !isLetter(s[n-4]) {
		return 3
	}
	return 0
}

// isCode reports whether s looks like an ISO 4217 code.
func isCode(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// cutExponent cuts an exponent such as e-7 off a number without separators.
func cutExponent(s string) (digits, exponent string) {
	i := strings.IndexAny(s, "eE")
	if i < 1 {
		return s, ""
	}
	power := strings.TrimLeft(s[i+1:], "+-")
	if len(s)-i-1-len(power) > 1 || power == "" || len(power) > 4 || strings.Trim(power, "0123456789") != "" {
		return s, ""
	}
	return s[:i], s[i:]
}

// separate reads the marks between the digits.
func separate(l Locale, s string, integer bool) (string, error) {
	whole, fraction := s, ""
	if at := decimalMark(l, s, integer); at >= 0 {
		whole, fraction = s[:at], s[at+1:]
	}
	if strings.Trim(fraction, "0123456789") != "" {
		return "", errGroups
	}
	if whole == "" && fraction == "" {
		return "", errNumber
	}
	mark := strings.IndexAny(whole, ",.' ")
	if mark < 0 {
		if whole == "" {
			whole = "0"
		}
	} else {
		groups := strings.Split(whole, whole[mark:mark+1])
		if !thousands(groups, whole[mark] == ',') {
			return "", errGroups
		}
		whole = strings.Join(groups, "")
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return whole, nil
}

// decimalMark is the place of the decimal mark, or -1.
func decimalMark(l Locale, s string, integer bool) int {
	if mark := l.decimal(); mark != 0 {
		if at := strings.IndexByte(s, mark); at < 0 || strings.Count(s, string(mark)) == 1 {
			return at
		}
		return -1 // which cannot be: the groups will tell
	}
	point, comma := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
	points, commas := strings.Count(s, "."), strings.Count(s, ",")
	switch {
	case points > 0 && commas > 0:
		return max(point, comma)
	case points == 1:
		if integer && lone(s, point) {
			return -1
		}
		return point
	case commas == 1 && !lone(s, comma):
		return comma
	}
	return -1
}

// lone reports whether the only mark of s, at i, separates thousands.
func lone(s string, i int) bool {
	return len(s)-i-1 == 3 && i >= 1 && i <= 3 && s[0] != '0'
}

// thousands checks the sizes of the groups.
func thousands(groups []string, pairs bool) bool {
	last := len(groups) - 1
	for i, g := range groups {
		if strings.Trim(g, "0123456789") != "" {
			return false
		}
		switch {
		case i == 0:
			if len(g) < 1 || len(g) > 3 {
				return false
			}
		case i == last || !pairs:
			if len(g) != 3 {
				return false
			}
		case len(g) != 3 && len(g) != 2:
			return false
		}
	}
	return true
}
