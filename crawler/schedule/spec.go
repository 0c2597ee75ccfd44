package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Overlap is what becomes of an occurrence that is due while a run goes on.
type Overlap string

// The rules for overlaps.
const (
	Skip   Overlap = "skip"   // it is left out
	Queue  Overlap = "queue"  // it starts when the run has ended
	Cancel Overlap = "cancel" // the run is told to stop, then it starts
)

// CatchUp is what becomes of occurrences that passed while nobody was there.
type CatchUp string

// The rules for what was missed.
const (
	None CatchUp = "none" // they are left out
	One  CatchUp = "one"  // the latest of them starts
	All  CatchUp = "all"  // each starts, one after the other
)

// Spec is a schedule as a config gives it.
type Spec struct {
	// Cron is an expression of five fields, or six with seconds in front, or one of
	// @hourly, @daily, @weekly, @monthly, @yearly and "@every 90m".
	Cron     string
	Timezone string // of the IANA database; empty is UTC
	// Jitter moves each occurrence by up to so much, always by as much: it comes from
	// Name and the occurrence.
	Jitter  time.Duration
	Name    string
	Overlap Overlap // empty is Skip
	CatchUp CatchUp // empty is One
}

// Schedule is a compiled Spec.
type Schedule struct {
	spec    Spec
	zone    *time.Location
	clock   cron.Schedule // by elapsed time
	wall    cron.Schedule // by the clock on the wall, in UTC; nil for clock
	waiting int
}

// Times says when occurrences are, without what becomes of them: two schedules of
// the same Times have the same occurrences.
func (s *Schedule) Times() string { return s.spec.Cron + " in " + s.zone.String() }

var (
	errZoneInside = errors.New("the time zone has a key of its own, timezone")
	errNever      = errors.New("no day is like this: it would never run")
	errTooOften   = errors.New("an interval has at least a second")
)

var parser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// hourStar marks, in the cron package's bits, that the hours were given by a star.
const hourStar = 1 << 63

// Compile checks a Spec. Its errors are for people and name the key that is wrong.
func Compile(spec Spec) (*Schedule, error) {
	s := &Schedule{spec: spec, zone: time.UTC, waiting: maxQueue}
	if s.spec.Overlap == "" {
		s.spec.Overlap = Skip
	}
	if s.spec.CatchUp == "" {
		s.spec.CatchUp = One
	}
	var err error
	if s.zone, err = time.LoadLocation(spec.Timezone); err != nil || spec.Timezone == "Local" {
		return nil, fmt.Errorf("timezone: there is no %q; write one such as Europe/Berlin", spec.Timezone)
	}
	text := strings.TrimSpace(spec.Cron)
	if strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		return nil, fmt.Errorf("cron: %w", errZoneInside)
	}
	if every, ok := strings.CutPrefix(text, "@every "); ok { // the parser makes a second of less
		if d, err := time.ParseDuration(strings.TrimSpace(every)); err == nil && d < time.Second {
			return nil, fmt.Errorf("cron: %q: %w", spec.Cron, errTooOften)
		}
	}
	parsed, err := parser.Parse(sundayIsZero(text))
	if err != nil {
		return nil, fmt.Errorf("cron: %q: %w", spec.Cron, err)
	}
	switch parsed := parsed.(type) {
	case cron.ConstantDelaySchedule:
		s.clock = parsed
	case *cron.SpecSchedule:
		if parsed.Hour&hourStar != 0 {
			parsed.Location = s.zone
			s.clock = parsed
			break
		}
		parsed.Location = time.UTC
		s.wall = parsed
	}
	if spec.Jitter < 0 {
		return nil, errors.New("jitter: it cannot be below zero")
	}
	if s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("cron: %q: %w", spec.Cron, errNever)
	}
	return s, nil
}
