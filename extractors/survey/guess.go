package survey

import (
	"regexp"
	"strings"

	"github.com/amblecrawl/amble/extractors/values"
)

var (
	currency = regexp.MustCompile(`[€$£¥₹₽₩₺₪฿]|\b(?:EUR|USD|GBP|JPY|CHF|AUD|CAD|INR|CNY|SEK|NOK|DKK|PLN|CZK|BRL|Kč|zł|kr)\b`)
	digits   = regexp.MustCompile(`^[+-]?[0-9]{1,15}$`)
	decimal  = regexp.MustCompile(`^[+-]?[0-9]{1,3}(?:[.,' ]?[0-9]{3})*[.,][0-9]+$|^[+-]?[0-9]+[.,][0-9]+$`)
	price    = regexp.MustCompile(`^[^0-9]{0,12}[0-9][0-9.,' \x{a0}\x{202f}]*[^0-9]{0,12}$`)
	longName = regexp.MustCompile(`(?:^|_)(?:id|sku|upc|ean|isbn|gtin|mpn|asin|zip|postcode|plz|phone|tel|fax|code|number|no|version)(?:_|$)`)
	dateLike = regexp.MustCompile(`[0-9]{4}`)
)

// guess is the type that suits all of a field's values, "" for plain text.
func guess(name string, samples []string) string {
	if len(samples) == 0 {
		return ""
	}
	all := func(fits func(string) bool) bool {
		for _, s := range samples {
			if !fits(s) {
				return false
			}
		}
		return true
	}
	number := func(s string) bool { _, err := values.ParseNumber(s); return err == nil }
	code := longName.MatchString(name)
	switch {
	case all(func(s string) bool { return currency.MatchString(s) && price.MatchString(s) && number(s) }):
		return "number"
	case code:
		return "" // digits that nobody counts with
	case all(func(s string) bool {
		return digits.MatchString(s) && (s[0] != '0' || len(s) == 1)
	}):
		return "integer"
	case all(func(s string) bool { return decimal.MatchString(s) && number(s) }):
		return "number"
	case all(func(s string) bool {
		_, err := values.ParseDate(s)
		return err == nil && dateLike.MatchString(s) && !digits.MatchString(s)
	}):
		return "date"
	}
	return ""
}

// inWords are texts with one number in the same words, as "In stock (19 available)".
var inWords = regexp.MustCompile(`^([^0-9]*)([0-9]{1,9})([^0-9]*)$`)

// counted is a regular expression for the number in texts that are otherwise the
// same, "" when they are not, or when that is a price or holds no words.
func counted(samples []string) string {
	if len(samples) < 2 {
		return ""
	}
	before, after := "", ""
	for i, s := range samples {
		m := inWords.FindStringSubmatch(s)
		if m == nil || i > 0 && (m[1] != before || m[3] != after) {
			return ""
		}
		before, after = m[1], m[3]
	}
	if len(strings.Fields(before+" "+after)) == 0 || currency.MatchString(before+after) {
		return ""
	}
	head := before
	if i := strings.LastIndexByte(strings.TrimRight(before, " "), ' '); i >= 0 && len(strings.TrimSpace(before[i:])) > 0 {
		head = strings.TrimLeft(before[i:], " ")
	}
	tail, _, _ := strings.Cut(strings.TrimLeft(after, " "), " ")
	if after != "" && strings.HasPrefix(after, " ") {
		tail = " " + tail
	}
	return regexp.QuoteMeta(head) + `(\d+)` + strings.TrimRight(regexp.QuoteMeta(tail), " ")
}
