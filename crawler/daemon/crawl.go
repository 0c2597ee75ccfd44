package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/schedule"
)

// Crawl is one crawl that the daemon knows.
type Crawl struct {
	Name     string
	Schedule *schedule.Schedule // nil: it runs when somebody starts it
	Deadline time.Duration      // of one run, 0: none
	// KeepRuns and KeepFor are those of Options for this crawl, 0: as there.
	KeepRuns int
	KeepFor  time.Duration
	// Run executes the crawl to its end or until ctx ends. An unfinished run of an
	// earlier call goes on.
	Run func(ctx context.Context, o Occasion) Result
}

// Occasion is what one run is about.
type Occasion struct {
	Number     int64 // in the history
	Occurrence time.Time
	Again      bool // it was cut off before
	// Named is to be called with the run's ID once it has one.
	Named func(run string)
}

// Result is how a run ended.
type Result struct {
	Status  history.Status // Finished, Stopped or Failed
	Reason  string
	Summary json.RawMessage
	Detail  json.RawMessage // see history.Run
}

// Errors of the daemon's methods.
var (
	ErrUnknown = errors.New("there is no such crawl")
	ErrRunning = errors.New("the crawl is running already")
	ErrIdle    = errors.New("the crawl is not running")
)

// ErrLate is the cause of a run's context when its deadline has passed.
var ErrLate = errors.New("it took longer than its deadline")

// Reasons why a run was stopped, as the history states them; causes of its context.
var (
	errEnding   = errors.New("the daemon ended")
	errStopped  = errors.New("somebody stopped it")
	errReplaced = errors.New("its next occurrence was due")
)

// pausedReason is why an occurrence of a paused crawl has no run.
const pausedReason = "paused"

// Status is what is known of a crawl at one moment.
type Status struct {
	Name    string    `json:"name"`
	Paused  bool      `json:"paused"`
	Running int64     `json:"running,omitempty"` // the number of the run that goes on
	Waiting bool      `json:"waiting,omitempty"` // it is due, and too many others go on
	Queued  int       `json:"queued,omitempty"`  // occurrences that wait for it to end
	Next    time.Time `json:"next,omitzero"`
	// Unkept is why the history does not have all that became of the crawl, empty
	// when it has. The daemon keeps the rest in memory and tries again.
	Unkept string `json:"unkept,omitempty"`
	// Ended counts the runs that ended since the daemon was made, by how.
	Ended map[history.Status]int64 `json:"-"`
}

// job is a crawl and where it stands. The daemon's lock guards it.
type job struct {
	Crawl
	state   schedule.State
	paused  bool
	removed bool // forgotten once its run has ended
	wake    time.Time
	due     *due // waits for its turn
	running int64
	name    string    // of the run that goes on, its ID
	began   time.Time // when it did
	cancel  context.CancelCauseFunc
	backlog backlog
	ended   map[history.Status]int64
}

// due is a run that waits for one of the daemon's places.
type due struct {
	number int64 // in the history
	since  time.Time
	at     time.Time // the occurrence
	again  bool      // it was cut off
}

// unwritten is the number of a run that the history could not take.
const unwritten = -1

// kept is what outlives a process of a job.
type kept struct {
	schedule.State
	Times  string `json:"times"` // of the schedule
	Paused bool   `json:"paused,omitempty"`
}

func (j *job) times() string {
	if j.Schedule == nil {
		return ""
	}
	return j.Schedule.Times()
}

func (j *job) keep() []byte {
	data, _ := json.Marshal(kept{j.state, j.times(), j.paused}) // nothing in it can fail
	return data
}

func (j *job) recall(data []byte, now time.Time) error {
	if data == nil {
		return nil
	}
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return err
	}
	j.state, j.paused = k.State, k.Paused
	j.rescheduled(k.Times, now)
	return nil
}

// rescheduled forgets what passed of the times that the schedule has now: nobody
// missed them.
func (j *job) rescheduled(before string, now time.Time) {
	if before != j.times() && now.After(j.state.Seen) {
		j.state.Seen = now
	}
}
