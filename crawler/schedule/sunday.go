package schedule

import (
	"slices"
	"strconv"
	"strings"
)

// sundayIsZero writes Sunday, which crontabs also call 7, as 0, the one number of it
// that the cron package knows. What it does not understand it leaves to its errors.
func sundayIsZero(text string) string {
	fields := strings.Fields(text)
	if len(fields) < 5 || strings.HasPrefix(text, "@") {
		return text
	}
	last := &fields[len(fields)-1]
	parts := strings.Split(*last, ",")
	for i, part := range parts {
		parts[i] = upToSunday(part)
	}
	*last = strings.Join(parts, ",")
	return strings.Join(fields, " ")
}

func upToSunday(part string) string {
	if part == "7" {
		return "0"
	}
	days, step, stepped := strings.Cut(part, "/")
	low, high, _ := strings.Cut(days, "-")
	if high != "7" {
		return part
	}
	day := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, strings.ToLower(low))
	var err error
	if day < 0 {
		if day, err = strconv.Atoi(low); err != nil || day < 0 {
			return part
		}
	}
	by := 1
	if stepped {
		if by, err = strconv.Atoi(step); err != nil || by < 1 {
			return part
		}
	}
	var all []string
	for ; day <= 7; day += min(by, 8) { // no overflow
		all = append(all, strconv.Itoa(day%7))
	}
	if all == nil {
		return part
	}
	return strings.Join(all, ",")
}
