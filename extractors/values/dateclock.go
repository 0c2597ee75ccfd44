package values

import (
	"slices"
	"time"
)

// clock is a time of day.
type clock struct {
	hour, minute, second int
	offset               int // seconds east of UTC
	given                bool
}

// zonesElsewhere are hours east of UTC of zones that have one meaning, beside those of
// RFC 822.
var zonesElsewhere = map[string]int{
	"wet": 0, "west": 1, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3,
	"msk": 3, "мск": 3, "trt": 3, "jst": 9, "kst": 9, "wib": 7, "wita": 8, "wit": 9, "brt": -3,
}

// takeClock takes the time out of a text, where it has one.
func (l *dateLanguage) takeClock(tokens []token) (c clock, rest []token, err error) {
	for i := range tokens {
		n := l.clockAt(tokens, i, &c)
		if n == 0 {
			continue
		}
		from, to := i, i+n
		half, taken := 0, false
		switch {
		case from > 0 && (l.before12.has(tokens[from-1]) || l.noon.has(tokens[from-1])):
			from--
			half, taken = from, true
		case to < len(tokens) && (l.before12.has(tokens[to]) || l.noon.has(tokens[to])):
			half, taken = to, true
			to++
		}
		if taken {
			if err := c.twelve(l.noon.has(tokens[half])); err != nil {
				return c, nil, err
			}
		}
		offset, n, err := zoneAt(tokens[to:])
		if err != nil {
			return c, nil, err
		}
		c.offset, c.given = offset, true
		if c.hour > 23 || c.minute > 59 || c.second > 59 {
			return c, nil, errNoSuchDay
		}
		return c, slices.Concat(tokens[:from], tokens[to+n:]), nil
	}
	return c, tokens, nil
}

// twelve makes an hour of a clock of twelve one of the day. One above twelve stays, as
// "下午14:30" is written.
func (c *clock) twelve(afternoon bool) error {
	switch {
	case c.hour > 12 && !afternoon, c.hour > 23:
		return errNoSuchDay
	case c.hour <= 12:
		c.hour %= 12
		if afternoon {
			c.hour += 12
		}
	}
	return nil
}

// clockAt reads the time that starts at a token, and says how many it takes, or 0.
func (l *dateLanguage) clockAt(tokens []token, i int, c *clock) int {
	at := func(k int) token {
		if i+k < len(tokens) {
			return tokens[i+k]
		}
		return token{mark: true}
	}
	if d := at(0).digits; d < 1 || d > 2 {
		return 0
	}
	c.hour = at(0).value
	switch next := at(1); {
	case next.isMark(":") && at(2).digits == 2:
		c.minute = at(2).value
		n := 3
		if at(3).isMark(":") && at(4).digits == 2 {
			c.second = at(4).value
			n = 5
		}
		if l.hour.has(at(n)) {
			n++
		}
		return n
	case next.isMark(".") && at(2).digits == 2 && at(2).tight && !(at(3).isMark(".") && at(4).digits > 0) && (l.hour.has(at(3)) || l.named(tokens[:i])):
		c.minute = at(2).value
		if l.hour.has(at(3)) {
			return 4
		}
		return 3
	case l.hour.has(next):
		return l.spelled(tokens[i:], c)
	case l.before12.has(next) || l.noon.has(next):
		return 1
	}
	return 0
}

// named reports whether a text ends in a word that announces a time.
func (l *dateLanguage) named(before []token) bool {
	n := len(before)
	if n > 0 && before[n-1].isMark(".") {
		n--
	}
	return n > 0 && l.at.has(before[n-1])
}

// spelled reads hours, minutes and seconds that are followed by their words; those of
// minutes may miss.
func (l *dateLanguage) spelled(tokens []token, c *clock) int {
	n := 2
	if n >= len(tokens) || tokens[n].digits < 1 || tokens[n].digits > 2 {
		return n
	}
	follows := n+1 < len(tokens) && l.minute.has(tokens[n+1])
	if !follows && (tokens[n].digits != 2 || !tokens[n].tight) {
		return n
	}
	c.minute = tokens[n].value
	n++
	if !follows {
		return n
	}
	n++
	if n+1 < len(tokens) && tokens[n].digits > 0 && l.second.has(tokens[n+1]) {
		c.second = tokens[n].value
		n += 2
	}
	return n
}

// zoneAt reads the zone that a text starts with, and says how many tokens it takes.
func zoneAt(tokens []token) (offset, n int, err error) {
	if len(tokens) == 0 {
		return 0, 0, nil
	}
	if t := tokens[0]; t.isWord() {
		hours, known := zones[t.text]
		if !known {
			hours, known = zonesElsewhere[t.text]
		}
		if !known {
			return 0, 0, nil
		}
		offset, n = hours*3600, 1
	}
	if offset != 0 || n+1 >= len(tokens) || !tokens[n].isMark("+-") || !tokens[n+1].tight {
		return offset, n, nil
	}
	sign, number := tokens[n], tokens[n+1]
	hours, minutes, taken := number.value, 0, 2
	switch {
	case number.digits == 4:
		hours, minutes = number.value/100, number.value%100
	case n+3 < len(tokens) && number.digits <= 2 && tokens[n+2].isMark(":") && tokens[n+3].digits == 2:
		minutes, taken = tokens[n+3].value, 4
	case number.digits == 2, number.digits == 1 && n == 1:
	default:
		return offset, n, nil
	}
	if hours > 14 || minutes > 59 {
		return 0, 0, errZone
	}
	offset = hours*3600 + minutes*60
	if sign.text == "-" {
		offset = -offset
	}
	return offset, n + taken, nil
}

// on is the time of a day, or the day alone where there is no time, as RFC 3339 has it.
func (c clock) on(day time.Time) string {
	if !c.given {
		return day.Format(time.DateOnly)
	}
	zone := time.UTC
	if c.offset != 0 {
		zone = time.FixedZone("", c.offset)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), c.hour, c.minute, c.second, 0, zone).Format(time.RFC3339)
}
