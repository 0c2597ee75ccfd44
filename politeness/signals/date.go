package signals

import (
	"slices"
	"strings"
	"time"
)

// maxDate bounds the octets of a date.
const maxDate = 96

// dateLayouts are the orders a date is written in, after what is between its
// parts was made blanks. In the last two the order is open where both fit.
var dateLayouts = []string{
	"2006 1 2", "20060102", "2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006",
	"2 Jan 06", "2 January 06", "1 2 2006", "2 1 2006",
}

// zoneHours are the named zones of RFC 822 section 5.1, in hours east of UTC.
var zoneHours = map[string]int{
	"z": 0, "ut": 0, "utc": 0, "gmt": 0,
	"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}

// firstZone is where a day begins first on Earth; a date whose zone is unknown
// or not given is read there.
const firstZone = 14 * time.Hour

// earliestDate reads a date, with or without a time: those of RFC 822, 850,
// 1123 and 3339, of ISO 8601 and of C's asctime, and numeric ones. It returns
// the earliest instant the text can mean.
func earliestDate(s string) (at time.Time, ok bool) {
	if len(s) > maxDate {
		return time.Time{}, false
	}
	s = splitT(strings.ToLower(s))
	var date, clocks []string
	zone, zoned := firstZone, false
	for _, f := range strings.FieldsFunc(s, func(c rune) bool { return c == ',' || blank(c) }) {
		offset, isZone := zoneOf(f)
		switch {
		case isWeekday(f) || f == "at" || f == "of":
		case strings.Contains(f, ":") && digit(f[0]):
			clocks = append(clocks, f)
		case f == "am" || f == "pm" || f == "a.m." || f == "p.m.":
			if len(clocks) != 1 {
				return time.Time{}, false
			}
			clocks[0] += f[:1] + "m"
		case isZone && len(clocks) == 1 && !zoned:
			zone, zoned = offset, true
		default:
			date = append(date, f)
		}
	}
	day, ok := earliestDay(strings.Join(date, " "))
	if !ok || len(clocks) > 1 {
		return time.Time{}, false
	}
	if len(clocks) == 0 {
		return day.Add(-zone), true
	}
	clock := clocks[0]
	if end := strings.IndexAny(clock, "+-z"); end > 0 {
		if zoned {
			return time.Time{}, false
		}
		if zone, ok = zoneOf(clock[end:]); !ok {
			return time.Time{}, false
		}
		clock = clock[:end]
	}
	since, ok := sinceMidnight(clock)
	return day.Add(since - zone), ok
}

// splitT parts the time from the day of an ISO 8601 date.
func splitT(s string) string {
	for i := 1; i+1 < len(s); i++ {
		if s[i] == 't' && digit(s[i-1]) && digit(s[i+1]) {
			return s[:i] + " " + s[i+1:]
		}
	}
	return s
}

func sinceMidnight(clock string) (time.Duration, bool) {
	for _, layout := range []string{"15:04:05", "15:04", "3:04:05pm", "3:04pm"} {
		if t, err := time.Parse(layout, clock); err == nil {
			return t.Sub(t.Truncate(24 * time.Hour)), true
		}
	}
	return 0, false
}

// earliestDay returns the first of the days a text can mean, at midnight UTC.
func earliestDay(s string) (day time.Time, ok bool) {
	parts := strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == '-' || c == '/' || c == '.' })
	for i, p := range parts {
		if p == "sept" {
			parts[i] = "sep"
		}
		if n := len(p) - 2; n > 0 && digit(p[n-1]) && slices.Contains([]string{"st", "nd", "rd", "th"}, p[n:]) {
			parts[i] = p[:n]
		}
	}
	s = strings.Join(parts, " ")
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil && (!ok || t.Before(day)) {
			day, ok = t, true
		}
	}
	return day, ok
}

// zoneOf reads a time zone as its offset east of UTC. An unknown name of a zone
// is read as the one where it is earliest.
func zoneOf(f string) (offset time.Duration, ok bool) {
	if h, known := zoneHours[f]; known {
		return time.Duration(h) * time.Hour, true
	}
	name := strings.TrimRight(f, "0123456789+-:")
	if name == "utc" || name == "gmt" {
		f = f[len(name):]
	}
	if f != "" && (f[0] == '+' || f[0] == '-') {
		for _, layout := range []string{"-07:00", "-0700", "-07"} {
			if t, err := time.Parse(layout, f); err == nil {
				_, seconds := t.Zone()
				return time.Duration(seconds) * time.Second, seconds <= 14*3600 && seconds >= -12*3600
			}
		}
		return 0, false
	}
	return firstZone, len(f) >= 2 && len(f) <= 5 && !isMonth(f) && strings.IndexFunc(f, func(c rune) bool { return c < 'a' || c > 'z' }) < 0
}

func isMonth(f string) bool {
	if f == "sept" {
		return true
	}
	_, short := time.Parse("Jan", f)
	_, long := time.Parse("January", f)
	return short == nil || long == nil
}

func isWeekday(f string) bool {
	f = strings.TrimSuffix(f, ".")
	if len(f) < 3 {
		return false
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.HasPrefix(strings.ToLower(d.String()), f) {
			return true
		}
	}
	return false
}
