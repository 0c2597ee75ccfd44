package values

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Errors of dates.
var (
	errDate      = errors.New("not a date in a known format")
	errNoSuchDay = errors.New("there is no such day or time")
	errAmbiguous = errors.New("ambiguous: month and day could be either way round")
	errZone      = errors.New("the time zone is not known")
)

// maxDate is how many bytes the text of a date may have.
const maxDate = 128

// ParseDate reads a date, or date and time, and returns it as RFC 3339 writes
// it: 2026-03-01 where no time is given, else 2026-03-01T09:30:00Z or with the
// offset given; a time without a zone is taken as UTC.
//
// Dates: 2026-03-01 (and with / or . between, and 20260301), 1.3.2026 (day first),
// 1 March 2026, 1st Mar 2026, 01-Mar-26, March 1, 2026, each after a weekday or
// not; 3/14/2026 and 14/3/2026 where one of the two can only be the day, else
// it is ambiguous and an error. English month names.
// Times: 09:30, 09:30:15.5, 9:30 PM, after T, a space, a comma or "at".
// Zones: Z, UTC, GMT, +01:00, +0100, +01 and the American ones of RFC 822.
// That covers RFC 3339, ISO 8601's usual forms, RFC 822, 850, 1123 and 2822 dates
// and C's asctime and date.
func ParseDate(s string) (string, error) {
	if len(s) > maxDate {
		return "", errDate
	}
	s = strings.Join(strings.Fields(s), " ")
	s = weekday.ReplaceAllString(s, "")
	if m := ctime.FindStringSubmatch(s); m != nil { // the year is last: bring it forward
		s = strings.TrimSpace(m[1] + " " + m[4] + " " + m[2] + " " + m[3])
	}
	day, rest, err := parseDay(s)
	if err != nil {
		return "", err
	}
	if rest == "" {
		return day.Format(time.DateOnly), nil
	}
	return parseTime(day, rest)
}

var (
	weekday = regexp.MustCompile(`^(?i:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? `)
	ctime   = regexp.MustCompile(`^([A-Za-z]{3} \d{1,2}) (\d{2}:\d{2}:\d{2}) ?([A-Z]{3,4}|[+-]\d{4})? (\d{4})$`)

	yearFirst  = regexp.MustCompile(`^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})`)
	compact    = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})(?:T|$)`)
	dotted     = regexp.MustCompile(`^(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})`)
	slashed    = regexp.MustCompile(`^(\d{1,2})/(\d{1,2})/(\d{4})`)
	dayMonth   = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th)?\.?(?: of)?[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4}|\d{2})`)
	monthDay   = regexp.MustCompile(`^([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})`)
	timeOfDay  = regexp.MustCompile(`^(?:T|,? (?:at )?)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)? ?([AaPp]\.?[Mm]\.?)? ?([A-Za-z]{1,4}|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?)?$`)
	monthNames = map[string]time.Month{"sept": time.September}
	zones      = map[string]int{ // hours east of UTC, RFC 822 section 5.1
		"z": 0, "ut": 0, "utc": 0, "gmt": 0,
		"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
	}
)

func init() {
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		monthNames[name], monthNames[name[:3]] = m, m
	}
}

// parseDay reads the day at the start of s.
func parseDay(s string) (day time.Time, rest string, err error) {
	var y, m, d int
	var match []string
	switch {
	case find(yearFirst, s, &match):
		y, m, d = atoi(match[1]), atoi(match[3]), atoi(match[5])
		if match[2] != match[4] {
			return day, "", errDate
		}
	case find(compact, s, &match):
		y, m, d = atoi(match[1]), atoi(match[2]), atoi(match[3])
		match[0] = strings.TrimSuffix(match[0], "T")
	case find(dotted, s, &match):
		d, m, y = atoi(match[1]), atoi(match[2]), atoi(match[3])
	case find(slashed, s, &match):
		d, m, y = atoi(match[1]), atoi(match[2]), atoi(match[3])
		if d <= 12 && m <= 12 && d != m {
			return day, "", errAmbiguous
		}
		if m > 12 {
			d, m = m, d
		}
	case find(dayMonth, s, &match):
		d, m, y = atoi(match[1]), int(monthNames[strings.ToLower(match[2])]), fullYear(match[3])
	case find(monthDay, s, &match):
		m, d, y = int(monthNames[strings.ToLower(match[1])]), atoi(match[2]), atoi(match[3])
	}
	switch {
	case match == nil, m == 0 && (dayMonth.MatchString(s) || monthDay.MatchString(s)):
		// A month of another language is for another reader.
		return day, "", errDate
	}
	day = time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < 1 || m < 1 || day.Day() != d || int(day.Month()) != m {
		return day, "", errNoSuchDay
	}
	return day, s[len(match[0]):], nil
}

func find(re *regexp.Regexp, s string, match *[]string) bool {
	*match = re.FindStringSubmatch(s)
	return *match != nil
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s) // at most nine digits by the expressions
	return n
}

// fullYear reads a year of two digits as RFC 850 dates are read: 69 is the first
// of the last century.
func fullYear(s string) int {
	y := atoi(s)
	switch {
	case len(s) == 4:
		return y
	case y >= 69:
		return 1900 + y
	}
	return 2000 + y
}

// parseTime reads what follows the day.
func parseTime(day time.Time, s string) (string, error) {
	m := timeOfDay.FindStringSubmatch(s)
	if m == nil {
		return "", errDate
	}
	hour, minute, second := atoi(m[1]), atoi(m[2]), atoi(m[3])
	if half := strings.ToLower(m[5]); half != "" {
		if hour < 1 || hour > 12 {
			return "", errNoSuchDay
		}
		hour %= 12
		if half[0] == 'p' {
			hour += 12
		}
	}
	if hour > 23 || minute > 59 || second > 59 {
		return "", errNoSuchDay
	}
	nanos := atoi((m[4] + "000000000")[:9])
	offset, err := parseZone(m[6])
	if err != nil {
		return "", err
	}
	zone := time.UTC
	if offset != 0 {
		zone = time.FixedZone("", offset)
	}
	t := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, second, nanos, zone)
	return t.Format(time.RFC3339Nano), nil
}

// parseZone gives an offset in seconds east of UTC.
func parseZone(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	if hours, ok := zones[strings.ToLower(s)]; ok {
		return hours * 3600, nil
	}
	at := strings.IndexAny(s, "+-")
	if at < 0 {
		return 0, fmt.Errorf("%w: %q", errZone, s)
	}
	digits := strings.ReplaceAll(s[at+1:], ":", "")
	hours, minutes := atoi(digits[:2]), 0
	if len(digits) == 4 {
		minutes = atoi(digits[2:])
	}
	if hours > 14 || minutes > 59 {
		return 0, errZone
	}
	offset := hours*3600 + minutes*60
	if s[at] == '-' {
		offset = -offset
	}
	return offset, nil
}
