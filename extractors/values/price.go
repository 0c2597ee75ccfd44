package values

import (
	"errors"
	"strings"
	"unicode"
)

// Price is an amount of money. Currency is the ISO 4217 code where the text says
// which it is, else the sign as it stands there, or empty.
type Price struct {
	Amount   float64
	Currency string
}

var errCurrencies = errors.New("more than one currency")

// Signs and words that stand for one currency wherever they are written.
var currencyOf = map[string]string{
	"€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₴": "UAH", "₺": "TRY", "₩": "KRW", "₪": "ILS", "₫": "VND", "฿": "THB",
	"₱": "PHP", "₦": "NGN", "₵": "GHS", "₸": "KZT", "₼": "AZN", "₾": "GEL", "₲": "PYG", "₡": "CRC", "₮": "MNT", "₭": "LAK", "₿": "XBT",
	"zł": "PLN", "Kč": "CZK", "Ft": "HUF", "лв.": "BGN", "лв": "BGN", "руб.": "RUB", "руб": "RUB", "lei": "RON", "元": "CNY", "円": "JPY",
	"US$": "USD", "CA$": "CAD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "R$": "BRL", "A$": "AUD", "C$": "CAD", "S$": "SGD",
	"Fr.": "CHF", "SFr.": "CHF",
}

// Signs of several currencies, by the region that a locale names; a language
// without one stands for where it is at home.
var currencyIn = map[string]map[string]string{
	"$":  {"US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "MX": "MXN", "SG": "SGD", "HK": "HKD", "TW": "TWD", "AR": "ARS", "CL": "CLP", "CO": "COP"},
	"kr": {"SE": "SEK", "NO": "NOK", "DK": "DKK", "IS": "ISK", "sv": "SEK", "nb": "NOK", "nn": "NOK", "no": "NOK", "da": "DKK", "is": "ISK"},
	"¥":  {"JP": "JPY", "CN": "CNY", "ja": "JPY", "zh": "CNY"},
	"Rs": {"IN": "INR", "PK": "PKR", "LK": "LKR", "NP": "NPR", "MU": "MUR", "hi": "INR", "ur": "PKR", "ne": "NPR", "si": "LKR"},
}

// ParsePrice reads a price as pages write it: a number (see ParseNumberIn) with
// the sign or code of a currency before or behind it, or none.
func ParsePrice(l Locale, s string) (Price, error) {
	text := strings.TrimSpace(strings.Map(plain, s))
	// ",-" and ".-" behind the number stand for no cents.
	for _, end := range []string{",-", ".-", ",--"} {
		text = strings.ReplaceAll(text, end+" ", " ")
		text = strings.TrimSuffix(text, end)
	}
	first, last := strings.IndexFunc(text, unicode.IsDigit), strings.LastIndexFunc(text, unicode.IsDigit)
	if first < 0 {
		return Price{}, errNumber
	}
	sign := ""
	for _, around := range []string{text[:first], text[last+1:]} {
		around = strings.Trim(around, " +-%'")
		around = strings.TrimRight(around, ":")
		if around == "" {
			continue
		}
		if sign != "" && currency(l, sign) != currency(l, around) {
			return Price{}, errCurrencies
		}
		sign = around
	}
	code := currency(l, sign)
	if sign != "" && code == "" {
		return Price{}, errNumber
	}
	number := text[first : last+1]
	if strings.ContainsRune(text[:first], '-') {
		number = "-" + number
	}
	amount, err := ParseNumberIn(l, number)
	if err != nil {
		return Price{}, err
	}
	return Price{Amount: amount, Currency: code}, nil
}

// currency is the code, or the sign itself where it may be that of several; it is
// empty for what is none.
func currency(l Locale, sign string) string {
	if code, ok := currencyOf[sign]; ok {
		return code
	}
	if len(sign) == 3 && isCode(strings.ToUpper(sign)) && (sign == strings.ToUpper(sign) || sign == strings.ToLower(sign)) {
		return strings.ToUpper(sign)
	}
	sign = strings.TrimSuffix(sign, ".")
	if codes, ok := currencyIn[sign]; ok {
		if code := codes[l.Region]; code != "" {
			return code
		}
		if code := codes[l.Language]; code != "" && l.Region == "" {
			return code
		}
		return sign
	}
	if r := []rune(sign); len(r) == 1 && unicode.Is(unicode.Sc, r[0]) {
		return sign
	}
	return ""
}
