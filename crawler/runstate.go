package crawler

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The names under which the engine keeps its own state in the frontier.
const (
	keyRun    = "run"
	keyTotals = "totals"
	keySink   = "sink/" // followed by the sink's name

	// KeyRobots, followed by a host, is where HostState.Robots is kept, and
	// KeyDebts, followed by a host or group, its Opaque or GroupOpaque. They
	// outlive the run.
	KeyRobots = "robots/"
	// KeyFile, followed by a host, is where HostState.File is kept.
	KeyFile  = "sitefile/"
	KeyDebts = "debts/"
	// KeyRevisit begins the names of what goes with the pages that are known over
	// runs, and lives as long as these.
	KeyRevisit = "revisit/"
)

// keyWritten is where the outputs are named that have what is known of pages.
const keyWritten = KeyRevisit + "written"

// What a run that knows pages from earlier ones writes of them.
const (
	writesAll     = "all"
	writesChanges = "changes"
)

// RunState is what the frontier remembers of the run it holds.
type RunState struct {
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Finished bool      `json:"finished"`
	// Concluded tells that nothing is left to crawl and the sums of its records are
	// written; sinks may still have something to hand on.
	Concluded bool     `json:"concluded,omitempty"`
	Outputs   []string `json:"outputs"` // the names of its sinks
	// Config is the file that the crawl was read from when the run began, empty
	// where that is not known.
	Config string `json:"config,omitempty"`
	// Revisit is what the run writes of pages that are known over runs, all or
	// changes, and empty where it knows of none.
	Revisit string `json:"revisit,omitempty"`
}

// Values are what batches have Put into a state.
type Values interface {
	Get(key string) ([]byte, error)
}

// ReadRun tells which run a state holds; ok is false for a new one.
func ReadRun(f Values) (run RunState, ok bool, err error) {
	ok, err = getJSON(f, keyRun, &run)
	return run, ok, err
}

// ReadPosition gives the position that the run's last commit left a sink at.
func ReadPosition(f Values, sink string) ([]byte, error) { return f.Get(keySink + sink) }

// ReadTotals gives the committed counts of the run that a state holds.
func ReadTotals(f Values) (Totals, error) {
	t := newTotals()
	_, err := getJSON(f, keyTotals, &t)
	if t.Records == nil || t.Errors == nil { // a null that the engine did not write
		err = cmp.Or(err, fmt.Errorf("reading %s from the state: %w: counts are missing", keyTotals, ErrStop))
	}
	return t, err
}

func getJSON(f Values, key string, into any) (bool, error) {
	data, err := f.Get(key)
	if err != nil {
		return false, fmt.Errorf("reading %s from the state: %w", key, err)
	}
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("reading %s from the state: %w: %w", key, ErrStop, err)
	}
	return true, nil
}

// NewRunID names a run that starts now.
func NewRunID(now time.Time) string {
	var salt [3]byte
	_, _ = rand.Read(salt[:]) // never fails
	return now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(salt[:])
}

// begin finds out which run this is and brings every sink to the position that
// its last commit left it at. Nothing is fetched before it has succeeded.
func (e *Engine) begin(ctx context.Context, c *committer) error {
	run, found, err := ReadRun(e.Frontier)
	if err != nil {
		return err
	}
	if c.totals, err = ReadTotals(e.Frontier); err != nil {
		return err
	}
	if found && run.Finished {
		return fmt.Errorf("run %s in this state has finished: %w", run.ID, ErrForeignState)
	}
	e.resumed = found
	outputs := []string{}
	for _, s := range e.Sinks {
		if !s.Rejects { // which may come and go with the rules that records must keep
			outputs = append(outputs, s.Name)
		}
	}
	slices.Sort(outputs)
	if found && !slices.Equal(run.Outputs, outputs) {
		return fmt.Errorf("the unfinished run %s writes to %s, not to %s: put its outputs back, or start over with --fresh: %w",
			run.ID, orNothing(run.Outputs), orNothing(outputs), ErrForeignState)
	}
	if !found {
		run = RunState{ID: cmp.Or(e.set.RunID, NewRunID(c.started)), Started: c.started.UTC(), Outputs: outputs, Config: e.set.Config}
	}
	if err := e.beginRevisit(&run, found); err != nil {
		return err
	}
	e.run = run
	c.before = c.totals.Busy
	c.info = RunInfo{Crawl: e.set.Name, ID: run.ID, Started: run.Started, Types: e.recordTypes(),
		Changes: e.changes, Tombstones: e.set.Revisit.On && e.set.Revisit.Changes, Log: e.Log}
	if e.Tally != nil {
		if err := e.Tally.Open(e.Frontier); err != nil {
			return fmt.Errorf("reading the tally: %w", err)
		}
	}
	if e.Aggregate != nil {
		if err := e.Aggregate.Open(e.Frontier); err != nil {
			return fmt.Errorf("reading what was summed up: %w", err)
		}
	}
	if !found {
		if err := c.forgetEarlier(); err != nil {
			return err
		}
	}
	if err := c.openSinks(ctx); err != nil {
		return err
	}
	if found {
		return nil
	}
	return c.commitBegin(ctx)
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// beginRevisit decides what a new run writes of known pages, and holds a resumed one
// to it. Changes are good for outputs alone that have what they are changes of.
func (e *Engine) beginRevisit(run *RunState, resumed bool) error {
	rules := &e.set.Revisit
	switch {
	case resumed && rules.On != (run.Revisit != ""):
		return fmt.Errorf("the unfinished run %s began with revisit %s: put it back, or start over with --fresh: %w",
			run.ID, map[bool]string{true: "off", false: "on"}[rules.On], ErrForeignState)
	case resumed:
	case rules.On:
		run.Revisit = writesAll
		if !rules.Changes {
			break
		}
		var written []string
		if _, err := getJSON(e.Frontier, keyWritten, &written); err != nil {
			return err
		}
		if slices.Equal(written, run.Outputs) {
			run.Revisit = writesChanges
		} else if written != nil {
			e.Log.Info("the outputs are not those of the last run: everything is written to them", "were", written, "are", run.Outputs)
		}
	}
	e.changes = run.Revisit == writesChanges
	return e.rewrites.read(e.Frontier)
}

// putWritten notes which outputs have what is known of pages.
func (e *Engine) putWritten(put map[string][]byte) (err error) {
	if e.set.Revisit.On {
		put[keyWritten], err = json.Marshal(e.run.Outputs)
	}
	return err
}
