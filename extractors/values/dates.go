package values

import (
	"errors"
	"time"
)

// A DateReader reads dates in the words of a language, and relative ones, which
// count from now. It answers as ParseDate does.
type DateReader func(l Locale, text string, now time.Time) (string, error)

// dateReader is that of the program; nil in one without.
var dateReader DateReader

// RegisterDates makes a reader known to ParseDateIn. Call it from an init function,
// once; a second call panics.
func RegisterDates(r DateReader) {
	if dateReader != nil {
		panic("values: a second reader of dates is registered")
	}
	dateReader = r
}

// ParseDateIn reads a date as ParseDate does, and where that cannot, as it is written
// in a locale: with the names of its months, its order of day and month, and words
// such as "vor 3 Tagen" or "yesterday", which count from now. What is relative by
// days or more gives a date alone. Without a locale, or in a program without a reader
// of dates, it is ParseDate.
func ParseDateIn(l Locale, s string, now time.Time) (string, error) {
	out, err := ParseDate(s)
	if err == nil || dateReader == nil || l.Language == "" || errors.Is(err, errNoSuchDay) {
		return out, err
	}
	if out, rerr := dateReader(l, Fold(s), now); rerr == nil {
		return out, nil
	}
	return "", err
}
