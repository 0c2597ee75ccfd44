package politeness

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustHours(t interface{ Fatal(...any) }, text, zone string) Hours {
	h, err := ParseHours(text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHoursOpenByTheWallClockOfTheirZone(t *testing.T) {
	// In Europe/Berlin 2026-03-29 has no 02:00 to 03:00, and 2026-10-25 has it
	// twice, at 00:00Z and 01:00Z.
	for _, c := range []struct{ window, zone, now, opens string }{
		{"22:00-06:00", "", "2026-03-01T12:00:00Z", "2026-03-01T22:00:00Z"},
		{"22:00-06:00", "", "2026-03-01T23:00:00Z", "2026-03-01T23:00:00Z"},
		{"22:00-06:00", "", "2026-03-02T05:59:59.999Z", "2026-03-02T05:59:59.999Z"},
		{"22:00-06:00", "", "2026-03-02T06:00:00Z", "2026-03-02T22:00:00Z"},
		{"9:00-24:00", "", "2026-03-02T00:00:00Z", "2026-03-02T09:00:00Z"},
		{"00:00-01:00", "Asia/Kolkata", "2026-03-02T18:00:00Z", "2026-03-02T18:30:00Z"},
		{"22:00-06:00", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-28T21:00:00Z"},
		{"22:00-06:00", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29T20:00:00Z"},

		{"02:30-04:00", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T01:00:00Z"}, // in the gap: at 03:00
		{"02:15-02:45", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-30T00:15:00Z"}, // all of it skipped
		{"03:00-04:00", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T01:00:00Z"},
		{"02:30-04:00", "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"}, // the first time
		{"02:30-04:00", "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"}, // 02:00 again: shut
		{"02:00-02:30", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339Nano, c.now)
		want, _ := time.Parse(time.RFC3339Nano, c.opens)
		h := mustHours(t, c.window, c.zone)
		if got := h.Next(now); !got.Equal(want) || h.Open(now) != want.Equal(now) {
			t.Errorf("%s %s at %s: opens %v, want %s", c.window, c.zone, c.now, got, c.opens)
		}
	}
}

func TestHoursThatCannotBeMeant(t *testing.T) {
	for _, bad := range []string{"22", "22:00", "22:00-", "22:00-22:00", "24:00-06:00", "25:00-06:00", "22:60-06:00", "22:0-06:00", "-1:00-06:00", "22:00-06:00-07:00", "a-b"} {
		if _, err := ParseHours(bad, ""); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if _, err := ParseHours("22:00-06:00", "Mars/Olympus"); err == nil {
		t.Error("any zone is read")
	}
	if h := mustHours(t, "", "Europe/Berlin"); !h.Open(time.Now()) || h.String() != "" || !h.Closes(time.Now()).IsZero() {
		t.Error("no window is not the whole day")
	}
}

// Whatever the zone and the day: the opening is the first instant, by the
// minute, that lies within the window.
func TestNextIsTheFirstInstantWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.IntRange(0, 47).Draw(t, "from"), rapid.IntRange(0, 47).Draw(t, "to")
		if from == to {
			to = (to + 1) % 48
		}
		clock := func(half int) string {
			return time.Date(2026, 1, 1, half/2, half%2*30, 0, 0, time.UTC).Format("15:04")
		}
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"}).Draw(t, "zone")
		h := mustHours(t, clock(from)+"-"+clock(to), zone)
		now := time.Date(2026, 1, 1, 0, rapid.IntRange(0, 365*24*60).Draw(t, "minute"), 0, 0, time.UTC)
		next := h.Next(now)
		for at := now; at.Before(next); at = at.Add(time.Minute) {
			if h.Open(at) {
				t.Fatalf("open at %v, not before %v", at, next)
			}
		}
		if !h.Open(next) || next.Sub(now) > 49*time.Hour {
			t.Fatalf("%v at %v opens at %v", h, now, next)
		}
		closes := h.Closes(now)
		for at := next; at.Before(closes); at = at.Add(time.Minute) {
			if !h.Open(at) {
				t.Fatalf("%v is shut at %v, not before %v", h, at, closes)
			}
		}
		if h.Open(closes) || !closes.After(next) {
			t.Fatalf("%v at %v closes at %v", h, now, closes)
		}
	})
}
