package schedule

import (
	"time"

	"github.com/zeebo/xxh3"
)

// Next is the first occurrence after an instant, without its jitter; zero where
// there is none within five years.
func (s *Schedule) Next(after time.Time) time.Time {
	if s.wall == nil {
		next := s.clock.Next(after.In(s.zone))
		if next.IsZero() {
			return next
		}
		return next.UTC()
	}
	for wall := wallOf(after, s.zone); ; {
		wall = s.wall.Next(wall)
		if wall.IsZero() {
			return wall
		}
		if at := instantOf(wall, s.zone); at.After(after) {
			return at
		}
	}
}

// lookedAhead is how many occurrences Shortest looks at.
const lookedAhead = 200

// Shortest is the least time from one occurrence to the next, of some after an instant;
// zero where there are not two.
func (s *Schedule) Shortest(after time.Time) time.Duration {
	var least time.Duration
	last := s.Next(after)
	for range lookedAhead {
		next := s.Next(last)
		if next.IsZero() {
			break
		}
		if gap := next.Sub(last); least == 0 || gap < least {
			least = gap
		}
		last = next
	}
	return least
}

// Start is when an occurrence is to start: it is moved by its jitter.
func (s *Schedule) Start(occurrence time.Time) time.Time {
	if s.spec.Jitter <= 0 {
		return occurrence
	}
	spread := xxh3.HashString(s.spec.Name + "\x00" + occurrence.UTC().Format(time.RFC3339))
	return occurrence.Add(time.Duration(spread % uint64(s.spec.Jitter)))
}

// wallOf is what a clock in the zone shows, written as a time in UTC.
func wallOf(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// instantOf is when a clock in the zone shows wall for the first time. Where none
// does, since the clock is put forward over it, it is the moment of that change.
func instantOf(wall time.Time, zone *time.Location) time.Time {
	// A change moves the clock by hours at most, so that the offsets a day before
	// and after are all that can be in force.
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	_, after := wall.Add(24 * time.Hour).In(zone).Zone()
	first := wall.Add(-time.Duration(max(before, after)) * time.Second)
	second := wall.Add(-time.Duration(min(before, after)) * time.Second)
	for _, t := range []time.Time{first, second} {
		if wallOf(t, zone).Equal(wall) {
			return t.UTC()
		}
	}
	change, _ := wall.Add(-time.Duration(before) * time.Second).In(zone).ZoneBounds()
	return change.UTC()
}
