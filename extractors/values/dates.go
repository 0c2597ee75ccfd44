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
// days or more gives a date alone. It knows the languages of languageNames; a program
// with a reader of dates asks that for others. Last, and without a locale, it reads
// dates by the names of their months in any of its languages, where these agree.
func ParseDateIn(l Locale, s string, now time.Time) (string, error) {
	out, err := ParseDate(s)
	if err == nil || errors.Is(err, errNoSuchDay) || len(s) > maxDate {
		return out, err
	}
	if l.Language != "" {
		own, oerr := readDate(l, s, now)
		if oerr == nil || errors.Is(oerr, errNoSuchDay) {
			return own, oerr
		}
		if dateReader != nil {
			if out, rerr := dateReader(l, Fold(s), now); rerr == nil {
				return out, nil
			}
		}
	}
	if out, nerr := readNamed(s); nerr == nil {
		return out, nil
	}
	return "", err
}
