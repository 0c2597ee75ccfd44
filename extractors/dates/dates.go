package dates

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode"

	dateparser "github.com/markusmobius/go-dateparser"

	"github.com/amblecrawl/amble/extractors/values"
)

func init() { values.RegisterDates(Parse) }

var (
	errLong     = errors.New("too long for a date")
	errLanguage = errors.New("the language is not known")
	errDay      = errors.New("there is no such day")
)

// maxText is how long the text of a date may be.
const maxText = 128

// Parse reads a date as it is written in a locale, and gives it as RFC 3339 does: with
// a time where one is given or counted in hours or less.
func Parse(l values.Locale, text string, now time.Time) (out string, err error) {
	defer func() {
		if v := recover(); v != nil {
			out, err = "", fmt.Errorf("the library failed: %v", v)
		}
	}()
	if len(text) > maxText {
		return "", errLong
	}
	cfg := &dateparser.Configuration{CurrentTime: now.UTC(), StrictParsing: true, ReturnTimeAsPeriod: true}
	switch code := language(l.Language); {
	case l.Region != "" && dateparser.IsKnownLocale(code+"-"+l.Region):
		cfg.Locales = []string{code + "-" + l.Region}
	case dateparser.IsKnownLocale(code):
		cfg.Languages = []string{code}
	default:
		return "", fmt.Errorf("%w: %s", errLanguage, l.Language)
	}
	d, err := dateparser.Parse(cfg, text)
	if err != nil {
		return "", err
	}
	if y := d.Time.Year(); y < 1 || y > 9999 {
		return "", errDay
	}
	// The library takes the last of February for its 31st.
	written := numbers(text)
	if year := d.Time.Year(); (slices.Contains(written, year) || slices.Contains(written, year%100)) && len(written) > 1 && !slices.Contains(written, d.Time.Day()) {
		return "", errDay
	}
	if d.Period.IsTime() {
		return d.Time.Format(time.RFC3339), nil
	}
	return d.Time.Format(time.DateOnly), nil
}

// language is a language as the library names it.
func language(code string) string {
	switch code {
	case "no":
		return "nb"
	case "iw":
		return "he"
	case "in":
		return "id"
	}
	return code
}

// numbers are the numbers in a text, of whatever digits.
func numbers(text string) []int {
	var all []int
	within := false
	for _, r := range text {
		if !unicode.IsDigit(r) {
			within = false
			continue
		}
		if !within {
			all = append(all, 0)
		}
		within = true
		all[len(all)-1] = min(10*all[len(all)-1]+digit(r), 1<<20)
	}
	return all
}

// digit is the value of a digit: those of a script stand in a row from zero.
func digit(r rune) int {
	n := 0
	for n < 9 && unicode.IsDigit(r-1) {
		r--
		n++
	}
	return n
}
