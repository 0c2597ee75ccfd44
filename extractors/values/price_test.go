package values

import "testing"

func TestPrice(t *testing.T) {
	for _, tt := range []struct {
		locale, text string
		amount       float64
		currency     string
	}{
		{"", "1.234,56 €", 1234.56, "EUR"},
		{"", "£12.50", 12.5, "GBP"},
		{"", "$1,299", 1299, "$"},
		{"en-US", "$1,299", 1299, "USD"},
		{"en-CA", "$1,299", 1299, "CAD"},
		{"", "US$ 5", 5, "USD"},
		{"", "EUR 5", 5, "EUR"},
		{"", "5 chf", 5, "CHF"},
		{"de-CH", "CHF 1'299.90", 1299.9, "CHF"},
		{"de", "1.299", 1299, ""},
		{"", "1.299", 1.299, ""},
		{"de", "99,- €", 99, "EUR"},
		{"da", "1.299,00 kr.", 1299, "DKK"},
		{"nb-NO", "1 299 kr", 1299, "NOK"},
		{"pl", "12,00 zł", 12, "PLN"},
		{"", "-5,50 €", -5.5, "EUR"},
		{"", "€ -5.50", -5.5, "EUR"},
		{"ja", "¥1,980", 1980, "JPY"},
		{"", "1980円", 1980, "JPY"},
		{"hi", "Rs. 1,00,000", 100000, "INR"},
		{"", "0", 0, ""},
	} {
		l, _ := ParseLocale(tt.locale)
		if p, err := ParsePrice(l, tt.text); err != nil || p != (Price{tt.amount, tt.currency}) {
			t.Errorf("%q in %q is %+v, %v; want %v %q", tt.text, tt.locale, p, err, tt.amount, tt.currency)
		}
	}
	for _, text := range []string{"", "free", "from 5 €", "5 € to 9 €", "€ 5 $", "5 apples", "€", "1.2.3 €"} {
		if p, err := ParsePrice(Locale{}, text); err == nil {
			t.Errorf("%q is %+v", text, p)
		}
	}
}

func TestLocales(t *testing.T) {
	for tag, want := range map[string]Locale{
		"de": {"de", ""}, "de_CH": {"de", "CH"}, "zh-Hant-TW": {"zh", "TW"}, "EN-gb": {"en", "GB"}, "en-US-x-private": {"en", "US"}, "de_DE.UTF-8": {"de", "DE"},
	} {
		if l, ok := ParseLocale(tag); !ok || l != want {
			t.Errorf("%s is %+v, %v", tag, l, ok)
		}
	}
	for _, tag := range []string{"", "german", "d", "1", "de/at"} {
		if l, ok := ParseLocale(tag); ok {
			t.Errorf("%q is %+v", tag, l)
		}
	}
	for text, want := range map[string]map[string]float64{
		"1.234":     {"de": 1234, "en": 1.234, "de-CH": 1.234},
		"1,234":     {"de": 1.234, "en": 1234},
		"1.234,5":   {"fr": 1234.5},
		"1 234,5":   {"fr": 1234.5},
		"1.234.567": {"it": 1234567},
		"0,125":     {"de": 0.125},
	} {
		for tag, v := range want {
			l, _ := ParseLocale(tag)
			if got, err := ParseNumberIn(l, text); err != nil || got != v {
				t.Errorf("%q in %s is %v, %v; want %v", text, tag, got, err, v)
			}
		}
	}
	de, _ := ParseLocale("de")
	if v, err := ParseNumberIn(de, "1,234.5"); err == nil {
		t.Errorf("an English number in German is %v", v)
	}
}
