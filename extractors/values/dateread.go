package values

import (
	"time"
)

// between are the marks that may stand between the words and numbers of a date.
const between = ".,'’/-–—·•|()"

// readDate reads a date as a locale writes it.
func readDate(l Locale, s string, now time.Time) (string, error) {
	code := l.Language
	if other, ok := languageOf[code]; ok {
		code = other
	}
	lang := tablesOfDates().languages[code]
	if lang == nil {
		return "", errDate
	}
	tokens := lang.cut(lex(s))
	if out, ok := lang.relative(tokens, now); ok {
		return out, nil
	}
	c, rest, err := lang.takeClock(tokens)
	if err != nil {
		return "", err
	}
	if day, ok := lang.dayWord(rest, now); ok {
		return c.on(day), nil
	}
	order := lang.order
	switch full := code + "-" + l.Region; {
	case monthFirst[full]:
		order = "mdy"
	case full == "en-CA":
		order = "ymd"
	case code == "en":
		order = "dmy"
	}
	day, err := lang.readDay(rest, order, false)
	if err != nil {
		return "", err
	}
	return c.on(day), nil
}

// readNamed reads a date of whatever language by the name or mark of its month, where
// all languages that can read it take it for the same day.
func readNamed(s string) (string, error) {
	tables, tokens := tablesOfDates(), lex(s)
	out := ""
	tried := map[*dateLanguage]bool{}
	try := func(l *dateLanguage) bool {
		if tried[l] {
			return true
		}
		tried[l] = true
		c, rest, err := l.takeClock(l.cut(tokens))
		if err != nil {
			return true
		}
		day, err := l.readDay(rest, l.order, true)
		if err != nil {
			return true
		}
		agrees := out == "" || out == c.on(day)
		out = c.on(day)
		return agrees
	}
	for i, t := range tokens {
		if !t.isWord() {
			continue
		}
		tellers := tables.telling[t.text]
		if i > 0 && tokens[i-1].isWord() {
			tellers = append(tellers[:len(tellers):len(tellers)], tables.telling[tokens[i-1].text+" "+t.text]...)
		}
		for _, l := range tellers {
			if !try(l) {
				return "", errAmbiguous
			}
		}
	}
	if out == "" {
		return "", errDate
	}
	return out, nil
}

// part is a number of a date or its month's name.
type part struct {
	value, digits int
	role          byte // y, m or d where a name or mark tells; 0
	weekday       bool // the name is that of a weekday, too
	mark          string
}

// readDay reads a whole day; named: only one whose month is told by a name or mark.
func (l *dateLanguage) readDay(tokens []token, order string, named bool) (time.Time, error) {
	parts, err := l.parts(tokens)
	if err != nil {
		return time.Time{}, err
	}
	roles := ""
	for _, p := range parts {
		if p.role == 0 {
			p.role = '_'
		}
		roles += string(p.role)
	}
	if len(parts) != 3 {
		return time.Time{}, errDate
	}
	a, b, c := parts[0], parts[1], parts[2]
	switch {
	case roles == "ymd":
		return dayOf(a, b, c)
	case roles == "dmy":
		return dayOf(c, b, a)
	case roles == "_m_" && a.digits == 4:
		return dayOf(a, b, c)
	case roles == "_m_" && (c.digits == 4 || c.digits == 2 && order != "ymd"):
		return dayOf(c, b, a)
	case roles == "m__" && c.digits == 4:
		return dayOf(c, a, b)
	case roles != "___" || named || b.mark != c.mark || b.mark == "" || len(b.mark) > 1 || b.mark[0] != '.' && b.mark[0] != '/' && b.mark[0] != '-':
		return time.Time{}, errDate
	case a.digits == 4:
		return dayOf(a, b, c)
	case c.digits != 4 && c.digits != 2:
		return time.Time{}, errDate
	case order == "ymd", order == "mdy" && b.mark == ".":
		return time.Time{}, errAmbiguous // with a year of four digits, dots have been read
	}
	if order == "mdy" {
		a, b = b, a
	}
	if b.value > 12 && a.value <= 12 && c.digits == 4 {
		a, b = b, a
	}
	return dayOf(c, b, a)
}

// dayOf is the day of a year, month and day.
func dayOf(y, m, d part) (time.Time, error) {
	if m.digits > 2 || d.digits > 2 || y.digits != 2 && y.digits != 4 {
		return time.Time{}, errDate
	}
	year := y.value
	if y.digits == 2 {
		if year += 1900; y.value < 69 {
			year += 100
		}
	}
	day := time.Date(year, time.Month(m.value), d.value, 0, 0, 0, 0, time.UTC)
	if year < 1 || m.value < 1 || day.Day() != d.value || int(day.Month()) != m.value {
		return time.Time{}, errNoSuchDay
	}
	return day, nil
}

// parts are the numbers and the month of a date; another word is an error.
func (l *dateLanguage) parts(tokens []token) ([]part, error) {
	var out []part
	mark, names := "", 0
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		var next token
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		p := part{value: t.value, digits: t.digits, mark: mark}
		switch {
		case t.mark:
			if !t.isMark(between) {
				return nil, errDate
			}
			mark += t.text
			continue
		case t.digits > 0:
			if p.role = l.roleOf(next); p.role != 0 {
				i++
			}
		case l.ahead.has(t) && next.digits > 0:
			p = part{value: next.value, digits: next.digits, role: 'm'}
			i++
		case l.months.has(t):
			p = part{value: l.months[t.text], role: 'm', weekday: l.weekdays.has(t)}
			names++
		case l.says(t):
			continue
		default:
			return nil, errDate
		}
		mark = ""
		out = append(out, p)
	}
	if names > 1 { // mar. 10 mar. 2026
		for i, p := range out {
			if p.weekday {
				return append(out[:i:i], out[i+1:]...), nil
			}
		}
	}
	return out, nil
}

// roleOf is what the word behind a number makes of it.
func (l *dateLanguage) roleOf(t token) byte {
	switch {
	case l.year.has(t):
		return 'y'
	case l.month.has(t):
		return 'm'
	case l.day.has(t):
		return 'd'
	}
	return 0
}
