package politeness

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Hours is a part of the day in a time zone. The zero value is the whole day.
//
// What counts is the clock on the site's wall: where daylight saving time skips
// the opening, the window opens with the first instant after the gap, and where
// an hour comes twice, both are in the window or neither is.
type Hours struct {
	from, to time.Duration // since midnight by the wall clock; to is not within
	zone     *time.Location
	text     string
}

// ParseHours reads a window such as "22:00-06:00" in an IANA time zone such as
// "Europe/Berlin"; an empty zone is UTC. A window may pass midnight, and may end
// at 24:00. An empty text is the whole day.
func ParseHours(text, zone string) (Hours, error) {
	at, err := time.LoadLocation(zone)
	if err != nil {
		return Hours{}, fmt.Errorf("time zone %q is not known", zone)
	}
	if text == "" {
		return Hours{}, nil
	}
	first, second, ok := strings.Cut(text, "-")
	from, okFrom := readClock(first)
	to, okTo := readClock(second)
	if !ok || !okFrom || !okTo || from == day {
		return Hours{}, fmt.Errorf("%q is not a window such as 22:00-06:00", text)
	}
	if from == to {
		return Hours{}, fmt.Errorf("window %q begins where it ends; leave it out for the whole day", text)
	}
	return Hours{from: from, to: to, zone: at, text: text + " " + at.String()}, nil
}

const day = 24 * time.Hour

// readClock reads HH:MM, up to 24:00.
func readClock(s string) (time.Duration, bool) {
	hour, minute, ok := strings.Cut(strings.TrimSpace(s), ":")
	h, errH := strconv.ParseUint(hour, 10, 8)
	m, errM := strconv.ParseUint(minute, 10, 8)
	at := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if !ok || errH != nil || errM != nil || len(hour) > 2 || len(minute) != 2 || m > 59 || at > day {
		return 0, false
	}
	return at, true
}

// String is the window as people write it, "" for the whole day.
func (h Hours) String() string { return h.text }

// Open reports whether t lies within the window.
func (h Hours) Open(t time.Time) bool {
	return h.zone == nil || h.holds(wall(t.In(h.zone)))
}

// Next returns the first instant from t on that lies within the window: t
// itself while it is open.
func (h Hours) Next(t time.Time) time.Time {
	if h.Open(t) {
		return t
	}
	at := t.In(h.zone)
	for {
		// Up to end the wall clock runs evenly.
		_, end := at.ZoneBounds()
		opens := at.Add((h.from - wall(at) + day) % day)
		if end.IsZero() || opens.Before(end) {
			return opens.In(t.Location())
		}
		if at = end.In(h.zone); h.holds(wall(at)) {
			return at.In(t.Location())
		}
	}
}

// Closes returns the first instant after t that lies outside of the window, the
// zero time when there is none: the window is the whole day. While the window
// is shut that is the end of the next one.
func (h Hours) Closes(t time.Time) time.Time {
	if h.zone == nil {
		return time.Time{}
	}
	at := h.Next(t).In(h.zone)
	for {
		_, end := at.ZoneBounds()
		left := h.to - wall(at)
		if left <= 0 {
			left += day
		}
		closes := at.Add(left)
		if end.IsZero() || !end.Before(closes) {
			return closes.In(t.Location())
		}
		if at = end.In(h.zone); !h.holds(wall(at)) {
			return at.In(t.Location())
		}
	}
}

func (h Hours) holds(w time.Duration) bool {
	if h.from < h.to {
		return h.from <= w && w < h.to
	}
	return w >= h.from || w < h.to
}

// wall is what the clock shows, as the time since midnight.
func wall(t time.Time) time.Duration {
	hour, minute, second := t.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(t.Nanosecond())
}
