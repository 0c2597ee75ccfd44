package history

import (
	"encoding/json"
	"time"
)

// Status is how far a run has come.
type Status string

// The states of a run.
const (
	Waiting   Status = "waiting" // for its turn
	Running   Status = "running"
	Suspended Status = "suspended" // stopped with the daemon, to go on with the next one
	Finished  Status = "finished"
	Stopped   Status = "interrupted" // by a person, a deadline or the next occurrence
	Failed    Status = "failed"
	Skipped   Status = "skipped" // an occurrence that has no run
)

// Cause is why a run began.
type Cause string

// The causes of a run.
const (
	Scheduled Cause = "schedule"
	Manual    Cause = "manual"
)

// Run is one run, or one occurrence that was skipped.
type Run struct {
	Number     int64           `json:"number"` // counts all runs, from 1
	Crawl      string          `json:"crawl"`
	Run        string          `json:"run,omitempty"` // the run's ID, as in its records
	Cause      Cause           `json:"cause"`
	Occurrence time.Time       `json:"occurrence,omitzero"` // when it was due
	Started    time.Time       `json:"started,omitzero"`
	Ended      time.Time       `json:"ended,omitzero"`
	Status     Status          `json:"status"`
	Reason     string          `json:"reason,omitempty"` // of a failure, a stop or a skip
	Summary    json.RawMessage `json:"summary,omitempty"`
	// Detail is more of it, such as the figures by host: only Get gives it.
	Detail json.RawMessage `json:"detail,omitempty"`
}

// Filter selects runs. Zero fields select all.
type Filter struct {
	Crawl string
	// Whole leaves out what was skipped, Unended selects what waits, runs or is suspended.
	Whole, Unended bool
	Before         int64 // numbers below this
	Limit          int   // at most so many, the latest first; 0 is 100, 10,000 at most
}
