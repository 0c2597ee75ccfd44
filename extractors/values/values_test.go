package values

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseNumber(t *testing.T) {
	for s, want := range map[string]float64{
		"0": 0, "12": 12, "-3": -3, "+3": 3, "£1,234.50": 1234.5, "1.234,50 €": 1234.5, "1 234,50\u00a0€": 1234.5,
		"1'234.50 CHF": 1234.5, "CHF 1’234.50": 1234.5, "US$ 5": 5, "USD5": 5, "12 kr": 12, "-£5": -5, "£-5": -5, "−5": -5,
		"1.234": 1.234, "1,234": 1234, "0,125": 0.125, "12,5": 12.5, "1234,567": 1234.567, "1.234.567": 1234567,
		"1,234,567": 1234567, "12,34,567.5": 1234567.5, ".5": 0.5, "5.": 5, "45 %": 45, "1e5": 1e5, "2.5E-3": 2.5e-3,
		"R$ 1.234,00": 1234, "\u20091\u2009000\u2009": 1000,
	} {
		if got, err := ParseNumber(s); err != nil || got != want {
			t.Errorf("ParseNumber(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", " ", "£", "-", ".", ",", "'", "free", "2 for 10", "1-2", "1–2", "NaN", "Inf", "0x10", "1_000", "12 50", "1,23,4",
		"1.234.56", "1,234.567,8", "--5", "5-", "1e", "e5", "1e99999", "1e999", "5 apples", "1.2.3", "1''000", strings.Repeat("9", 70),
	} {
		if got, err := ParseNumber(s); err == nil {
			t.Errorf("ParseNumber(%q) = %v, want an error", s, got)
		}
	}
}

func TestParseInteger(t *testing.T) {
	for s, want := range map[string]int64{
		"19": 19, "1,234": 1234, "1.234": 1234, "1.234.567": 1234567, "12.00": 12, "12,0": 12, "9223372036854775807": math.MaxInt64,
		"-9 000": -9000, "0.000": 0,
	} {
		if got, err := ParseInteger(s); err != nil || got != want {
			t.Errorf("ParseInteger(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for s, want := range map[string]error{
		"12.5": errInteger, "1e3": errInteger, "9223372036854775808": errTooBig, "many": errNumber,
	} {
		if got, err := ParseInteger(s); !errors.Is(err, want) {
			t.Errorf("ParseInteger(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
}

// A number written with any of the usual marks is read back.
func TestNumberRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1e15).Draw(t, "n")
		marks := rapid.SampledFrom([][2]string{{",", "."}, {".", ","}, {" ", ","}, {"'", "."}, {"", "."}}).Draw(t, "marks")
		cents := rapid.IntRange(10, 99).Draw(t, "cents")
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		digits := strconv.FormatInt(n, 10)
		grouped := digits
		for i := len(digits) - 3; i > 0; i -= 3 {
			grouped = grouped[:i] + marks[0] + grouped[i:]
		}
		text := sign + "€" + grouped + marks[1] + strconv.Itoa(cents) + " EUR"
		want, _ := strconv.ParseFloat(sign+digits+"."+strconv.Itoa(cents), 64)
		if got, err := ParseNumber(text); err != nil || got != want {
			t.Fatalf("ParseNumber(%q) = %v, %v, want %v", text, got, err, want)
		}
	})
}

func TestParseDate(t *testing.T) {
	for s, want := range map[string]string{
		"2026-03-01": "2026-03-01", "2026/3/1": "2026-03-01", "20260301": "2026-03-01", "2026.03.01": "2026-03-01",
		"2026-03-01T09:30:00Z": "2026-03-01T09:30:00Z", "2026-03-01T09:30:00.250+01:00": "2026-03-01T09:30:00.25+01:00",
		"2026-03-01 09:30": "2026-03-01T09:30:00Z", "2026-03-01T09:30:00-0500": "2026-03-01T09:30:00-05:00", "20260301T09:30Z": "2026-03-01T09:30:00Z",
		"2026-03-01 09:30:00 +0200": "2026-03-01T09:30:00+02:00",
		"1.3.2026":                  "2026-03-01", "01. 03. 2026": "2026-03-01", "31/12/2026": "2026-12-31", "12/31/2026": "2026-12-31", "3/3/2026": "2026-03-03",
		"1 March 2026": "2026-03-01", "1st of March 2026": "2026-03-01", "March 1, 2026": "2026-03-01", "Mar. 1st, 2026": "2026-03-01", "Sept 2, 2026": "2026-09-02",
		"Sunday, March 1, 2026 at 9:05 PM": "2026-03-01T21:05:00Z", "March 1, 2026, 12:00 a.m.": "2026-03-01T00:00:00Z",
		"Sun, 01 Mar 2026 09:30:00 GMT": "2026-03-01T09:30:00Z", "Sun, 01 Mar 2026 09:30:00 +0100": "2026-03-01T09:30:00+01:00",
		"Sunday, 01-Mar-26 09:30:00 GMT": "2026-03-01T09:30:00Z", "01 Mar 26 09:30 EST": "2026-03-01T09:30:00-05:00",
		"Sun Mar  1 09:30:00 2026": "2026-03-01T09:30:00Z", "Sun Mar  1 09:30:00 UTC 2026": "2026-03-01T09:30:00Z", "Sun Mar 01 09:30:00 -0700 2026": "2026-03-01T09:30:00-07:00",
		"29 February 2028": "2028-02-29",
	} {
		if got, err := ParseDate(s); err != nil || got != want {
			t.Errorf("ParseDate(%q) = %q, %v, want %q", s, got, err, want)
		}
	}
	for s, want := range map[string]error{
		"": errDate, "soon": errDate, "2026": errDate, "2026-13-01": errNoSuchDay, "2026-02-29": errNoSuchDay, "31 April 2026": errNoSuchDay,
		"03/04/2026": errAmbiguous, "2026-03-01 24:30": errNoSuchDay, "2026-03-01 13:00 PM": errNoSuchDay, "2026-03-01 09:30 XYZ": errZone,
		"1 Brumaire 2026": errDate, "2026-03-01 and then": errDate, "2026-03/01": errDate, "0000-01-01": errNoSuchDay, "2026-03-01T09:30:00+99:00": errZone,
	} {
		if got, err := ParseDate(s); !errors.Is(err, want) {
			t.Errorf("ParseDate(%q) = %q, %v, want %v", s, got, err, want)
		}
	}
}

// Every form in which an instant is commonly written is read as that instant.
func TestDateRoundTrip(t *testing.T) {
	layouts := []string{
		time.RFC3339, time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC, time.UnixDate, time.RubyDate, time.DateTime,
		"2 January 2006 15:04:05", "January 2, 2006 3:04:05 PM", "Jan 2, 2006 at 3:04:05pm MST", "02.01.2006 15:04:05",
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 3_000_000_000).Draw(t, "unix"), 0).UTC()
		text := at.Format(rapid.SampledFrom(layouts).Draw(t, "layout"))
		if at.Year() > 2068 {
			return // two digits would be of another century
		}
		if got, err := ParseDate(text); err != nil || got != at.Format(time.RFC3339) {
			t.Fatalf("ParseDate(%q) = %q, %v, want %s", text, got, err, at.Format(time.RFC3339))
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-03-01", "Sun, 01 Mar 2026 09:30:00 +0100", "Sun Mar  1 09:30:00 UTC 2026", "1st of Mar. 26 12 AM", "9999-12-31T23:59:59.999999999-14:59"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseDate(s)
		if err != nil {
			return
		}
		if len(got) == len(time.DateOnly) {
			_, err = time.Parse(time.DateOnly, got)
		} else {
			_, err = time.Parse(time.RFC3339, got)
		}
		if err != nil {
			t.Fatalf("ParseDate(%q) = %q, which is not RFC 3339: %v", s, got, err)
		}
		if again, err := ParseDate(got); err != nil || again != got {
			t.Fatalf("ParseDate(%q) = %q, %v, want itself", got, again, err)
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"£1,234.50", "1.234,50 €", "1e-7", "-0", "12,34,567", "US$ .5", "5 %"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseNumber(s)
		if n, ierr := ParseInteger(s); ierr == nil && err != nil {
			t.Fatalf("%q is the integer %d, but no number: %v", s, n, err)
		}
		if err != nil {
			return
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("ParseNumber(%q) = %v", s, v)
		}
		if again, err := ParseNumber(strconv.FormatFloat(v, 'g', -1, 64)); err != nil || again != v {
			t.Fatalf("ParseNumber of its own %v = %v, %v", v, again, err)
		}
	})
}
