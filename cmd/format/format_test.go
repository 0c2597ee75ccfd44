package format

import (
	"math"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFigures(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(-123456), "-123,456"}, {Count(math.MaxInt64), "9,223,372,036,854,775,807"},
		{Plural(1, "page"), "1 page"}, {Plural(0, "page"), "0 pages"}, {Plural(1200, "query"), "1,200 queries"}, {Plural(2, "key"), "2 keys"},
		{Size(0), "0 B"}, {Size(1023), "1023 B"}, {Size(1024), "1.0 KiB"}, {Size(math.MaxInt64), "8.0 EiB"},
		{Duration(1234 * time.Millisecond), "1.2s"}, {Duration(61 * time.Second), "1m01s"}, {Duration(25 * time.Hour), "25h00m"},
		{Clip(" a\n b  c ", 10), "a b c"}, {Clip("äöü", 2), "äö…"}, {OneLine("a\x00\u202eb\xff", 10), "ab"},
		{Label(0, "requests"), "requests"}, {Label(1, "requests"), ""},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// Text of a page that is shown stays on its line, and within its room.
func TestOneLineIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		line := OneLine(rapid.String().Draw(t, "text"), n)
		if utf8.RuneCountInString(line) > n+1 || !utf8.ValidString(line) {
			t.Fatalf("%q is too long for %d", line, n)
		}
		for _, r := range line {
			if r < ' ' || r == 0x7f {
				t.Fatalf("%q has the control character %q", line, r)
			}
		}
	})
}
