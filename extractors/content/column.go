package content

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// column is how the cells of one column become values.
type column struct {
	name    string
	numbers bool
	units   bool
}

// withUnit cuts a cell into a number and what stands behind it, which is no unit
// where the number goes on: a time (04:12) or a share (3/4).
var withUnit = regexp.MustCompile(`^([-+−]?[\d.,'’\s\x{a0}\x{202f}]*\d)\s*((?:/\D|[^\d\s.,'’+−:/-]).{0,15})$`)

// measure reads a number with or without a unit.
func measure(text string) (number float64, unit string, ok bool) {
	n, err := values.ParseNumber(text)
	if err == nil {
		return n, "", true
	}
	if m := withUnit.FindStringSubmatch(text); m != nil {
		if n, err = values.ParseNumber(m[1]); err == nil {
			return n, m[2], true
		}
	}
	return 0, "", false
}

// look finds out whether a column holds nothing but numbers.
func (c *column) look(rows []row, i int) {
	some := false
	for _, r := range rows {
		text := r.text(i)
		if text == "" {
			continue
		}
		_, unit, ok := measure(text)
		if !ok {
			return
		}
		some = true
		c.units = c.units || unit != ""
	}
	c.numbers = some
}

func (c *column) append(fields []crawler.Field, text string) []crawler.Field {
	if !c.numbers {
		return append(fields, crawler.Field{Name: c.name, Value: orNil(text)})
	}
	var value, unit any
	if number, word, ok := measure(text); ok {
		value, unit = number, orNil(word)
	}
	fields = append(fields, crawler.Field{Name: c.name, Value: value})
	if c.units {
		fields = append(fields, crawler.Field{Name: c.name + "_unit", Value: unit})
	}
	return fields
}

// plainName is a text as the name of a field: letters and digits in lower case,
// with an underscore for each run of anything else.
func plainName(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(unicode.ToLower(r))
		if b.Len() > 100 {
			break
		}
	}
	return b.String()
}

// distinct numbers the names that come again, and keeps them off the names of
// the other fields of a record.
func distinct(names []string, taken string) {
	seen := map[string]bool{taken: taken != ""}
	for i, name := range names {
		for n := 2; seen[names[i]]; n++ {
			names[i] = name + "_" + strconv.Itoa(n)
		}
		seen[names[i]] = true
	}
}
