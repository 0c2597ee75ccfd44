package values

import (
	"slices"
	"time"
)

// maxAgo bounds the number of units that a date lies back.
const maxAgo = 9999

// relative reads a text that counts from now, such as "vor 3 Tagen". What counts by
// days or more gives a date alone.
func (l *dateLanguage) relative(tokens []token, now time.Time) (string, bool) {
	if now.IsZero() {
		return "", false
	}
	said, ok := spoken(tokens)
	if !ok {
		return "", false
	}
	if begins(said, l.now) == len(said) && len(said) > 0 {
		return now.UTC().Format(time.RFC3339), true
	}
	for _, lead := range append([][]string{nil}, l.lead...) {
		if rest, ok := without(said, lead); ok {
			if out, n, ok := l.back(rest, now); ok && ends(rest[n:], l.after) {
				return out, true
			}
		}
	}
	for _, before := range l.before {
		if rest, ok := without(said, before); ok {
			if out, n, ok := l.back(rest, now); ok && n == len(rest) {
				return out, true
			}
		}
	}
	out, n, ok := l.back(said, now)
	return out, ok && n == len(said) && l.past.has(said[n-1])
}

// dayWord reads a text of nothing but a word such as "gestern", and words that do not
// change it.
func (l *dateLanguage) dayWord(tokens []token, now time.Time) (day time.Time, ok bool) {
	said, ok := spoken(tokens)
	if !ok || now.IsZero() {
		return day, false
	}
	for i, some := range l.days {
		for from := range said {
			n := begins(said[from:], some)
			if n == 0 || slices.ContainsFunc(said[:from], l.changes) || slices.ContainsFunc(said[from+n:], l.changes) {
				continue
			}
			offset := [...]int{0, -1, -2, 1}[i]
			day := now.UTC().AddDate(0, 0, offset)
			return day, day.Year() >= 1 && day.Year() <= 9999
		}
	}
	return day, false
}

func (l *dateLanguage) changes(t token) bool { return !l.says(t) }

// spoken is a text without its marks, which must be such as stand between words.
func spoken(tokens []token) ([]token, bool) {
	var out []token
	for i, t := range tokens {
		if !t.mark {
			out = append(out, t)
			continue
		}
		signed := t.isMark("-–") && i+1 < len(tokens) && tokens[i+1].digits > 0
		if signed || !t.isMark(between) {
			return nil, false
		}
	}
	return out, true
}

// without is a text without the phrase that it starts with.
func without(said []token, phrase []string) ([]token, bool) {
	if len(phrase) > len(said) {
		return nil, false
	}
	for i, word := range phrase {
		if !said[i].isWord() || said[i].text != word {
			return nil, false
		}
	}
	return said[len(phrase):], true
}

// begins is the length of the longest of the phrases that a text starts with, or 0.
func begins(said []token, phrases [][]string) int {
	n := 0
	for _, phrase := range phrases {
		if _, ok := without(said, phrase); ok {
			n = max(n, len(phrase))
		}
	}
	return n
}

// ends reports whether a text is one of the phrases.
func ends(said []token, phrases [][]string) bool {
	n := begins(said, phrases)
	return n > 0 && n == len(said)
}

// back reads numbers with their units at the start of a text, and the moment that they
// lie back; n is how many tokens they take.
func (l *dateLanguage) back(said []token, now time.Time) (out string, n int, ok bool) {
	var seconds, days, months int
	timed := false
	for n < len(said) {
		a, taken := l.amountAt(said[n:])
		if taken == 0 {
			break
		}
		n += taken
		if a.n > maxAgo {
			return "", 0, false
		}
		switch a.unit {
		case 's', 'm', 'h':
			seconds += a.n * map[byte]int{'s': 1, 'm': 60, 'h': 3600}[a.unit]
			timed = true
		case 'd':
			days += a.n
		case 'w':
			days += 7 * a.n
		case 'o':
			months += a.n
		case 'y':
			months += 12 * a.n
		}
	}
	if n == 0 {
		return "", 0, false
	}
	at := monthsBack(now.UTC(), months).AddDate(0, 0, -days).Add(-time.Duration(seconds) * time.Second)
	if at.Year() < 1 || at.Year() > 9999 {
		return "", 0, false
	}
	if timed {
		return at.Format(time.RFC3339), n, true
	}
	return at.Format(time.DateOnly), n, true
}

// amountAt reads one number with its unit.
func (l *dateLanguage) amountAt(said []token) (a amount, taken int) {
	unit := func(i int) byte {
		if i < len(said) && l.units.has(said[i]) {
			return unitCodes[l.units[said[i].text]-1]
		}
		return 0
	}
	switch first := said[0]; {
	case first.digits > 0 && unit(1) != 0:
		return amount{first.value, unit(1)}, 2
	case l.one.has(first) && unit(1) != 0:
		return amount{1, unit(1)}, 2
	case first.isWord():
		a, ok := l.alone[first.text]
		if a.unit == 0 {
			a.unit = unit(0)
		}
		if ok && a.unit != 0 {
			return a, 1
		}
	}
	return a, 0
}

// monthsBack is the same day of an earlier month, or that month's last.
func monthsBack(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()-time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}
