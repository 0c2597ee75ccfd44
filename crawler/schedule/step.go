package schedule

import (
	"slices"
	"time"
)

// Bounds of what is decided at once, and of what waits.
const (
	maxQueue  = 100    // occurrences that wait for their turn
	maxMissed = 10_000 // occurrences looked at in one step; what lies before them is passed over
)

// onTime is how late an occurrence may be found and still not count as missed.
const onTime = time.Minute

// setBack is how far the clock must have gone back to be taken for one that was
// set, and not for one that is being kept right.
const setBack = time.Minute

// State is what a schedule remembers. The zero State has seen nothing: its first
// step only looks at the clock.
type State struct {
	// Seen is up to when occurrences have been decided.
	Seen time.Time `json:"seen"`
	// Queue holds occurrences that are to start, the earliest first.
	Queue []time.Time `json:"queue,omitempty"`
}

// Fate is what has become of an occurrence without a run.
type Fate struct {
	Occurrence time.Time
	Reason     Reason
}

// Reason says why an occurrence has no run.
type Reason string

// The reasons.
const (
	Overlapped Reason = "overlap" // a run was going on
	Missed     Reason = "missed"  // nobody was there, and it is not caught up with
	Full       Reason = "full"    // too many wait already
)

// Decision is what is to be done now.
type Decision struct {
	Start   time.Time // the occurrence whose run starts now, zero for none
	Cancel  bool      // the run that goes on is to be stopped; its end calls for a step
	Skipped []Fate
	// Passed counts older occurrences that were missed and are not listed.
	Passed int
	// Reset tells that the clock was set back; occurrences since then come again.
	Reset bool
	// Wake is when to step again at the latest, zero for never.
	Wake time.Time
}

// Step decides what is due at now. running tells whether a run goes on.
func (s *Schedule) Step(st State, now time.Time, running bool) (State, Decision) {
	var d Decision
	st.Queue = slices.Clone(st.Queue)
	switch {
	case st.Seen.IsZero():
		st.Seen = now
	case st.Seen.Sub(now) > setBack:
		st.Seen, d.Reset = now, true
	}
	busy := running
	for _, at := range s.take(&st, now, &d) {
		late := now.Sub(s.Start(at)) > onTime
		switch {
		case late && s.spec.CatchUp == None:
			d.Skipped = append(d.Skipped, Fate{at, Missed})
		case len(st.Queue) == s.waiting:
			d.Skipped = append(d.Skipped, Fate{at, Full})
		case !busy || late && s.spec.CatchUp == All || s.spec.Overlap != Skip:
			st.Queue = append(st.Queue, at)
			d.Cancel = d.Cancel || running && s.spec.Overlap == Cancel
			busy = true
		default:
			d.Skipped = append(d.Skipped, Fate{at, Overlapped})
		}
	}
	if s.spec.Overlap == Cancel { // the newest is what counts
		for len(st.Queue) > 1 {
			d.Skipped = append(d.Skipped, Fate{st.Queue[0], Overlapped})
			st.Queue = st.Queue[1:]
		}
	}
	if !running && len(st.Queue) > 0 {
		d.Start, st.Queue = st.Queue[0], st.Queue[1:]
	}
	if next := s.Next(st.Seen); !next.IsZero() {
		d.Wake = s.Start(next)
	}
	return st, d
}

// take gives the occurrences that have come since the state's time, and moves
// that time. Of several that were missed only the last is given where one is to be
// caught up with.
func (s *Schedule) take(st *State, now time.Time, d *Decision) []time.Time {
	var due []time.Time
	for at := s.Next(st.Seen); !at.IsZero() && !s.Start(at).After(now); at = s.Next(at) {
		due = append(due, at)
		st.Seen = at
		if len(due) > maxMissed {
			due = due[1:]
			d.Passed++
		}
	}
	if s.spec.CatchUp != One {
		return due
	}
	for len(due) > 1 && now.Sub(s.Start(due[0])) > onTime {
		d.Skipped = append(d.Skipped, Fate{due[0], Missed})
		due = due[1:]
	}
	return due
}

// MaxGap is the longest time after which it is good to step again whatever Wake
// says: a clock that was set back shows in the next step alone.
const MaxGap = time.Hour
