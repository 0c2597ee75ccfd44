package daemon

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
)

// Start begins a run of a crawl now, or as soon as there is a place.
func (d *Daemon) Start(name string) error {
	return d.with(name, func(j *job) error {
		if j.running != 0 || j.due != nil {
			return ErrRunning
		}
		number := d.write(j, history.Run{Cause: history.Manual, Status: history.Waiting})
		j.due = &due{number: number, since: d.opt.Clock.Now()}
		return nil
	})
}

// Stop tells the run of a crawl to stop. Its next run goes on where it was.
func (d *Daemon) Stop(name string) error {
	return d.with(name, func(j *job) error {
		switch {
		case j.cancel != nil:
			j.cancel(errStopped)
		case j.due != nil:
			d.dismiss(j)
		default:
			return ErrIdle
		}
		return nil
	})
}

// dismiss takes back a run that waits for its turn.
func (d *Daemon) dismiss(j *job) {
	was := j.due
	j.due = nil
	end := history.Run{Status: history.Skipped, Reason: errStopped.Error(), Ended: d.opt.Clock.Now()}
	if was.again {
		end.Status = history.Stopped
	}
	o := Occasion{Number: was.number, Occurrence: was.at}
	var err error
	if o.Number != unwritten {
		ctx, cancel := context.WithTimeout(d.ctx, writing)
		defer cancel()
		err = d.opt.History.End(ctx, o.Number, end)
		d.wrote(j, err)
	}
	j.name, j.began = "", time.Time{}
	d.note(j, o, end, err)
}

// Pause lets a crawl's occurrences pass without runs, until Resume. A run that
// goes on is left alone.
func (d *Daemon) Pause(name string) error { return d.setPaused(name, true) }

// Resume ends a pause.
func (d *Daemon) Resume(name string) error { return d.setPaused(name, false) }

func (d *Daemon) setPaused(name string, paused bool) error {
	return d.with(name, func(j *job) error {
		if j.paused != paused {
			d.decide(j, d.opt.Clock.Now()) // what came before it is not of this state
			j.paused = paused
			d.write(j)
		}
		return nil
	})
}

func (d *Daemon) with(name string, do func(*job) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	j := d.jobs[name]
	if j == nil || j.removed {
		return fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	if err := do(j); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	d.look()
	return nil
}

// Status tells where the crawls stand, by their names.
func (d *Daemon) Status() []Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Status, 0, len(d.jobs))
	for _, name := range slices.Sorted(maps.Keys(d.jobs)) {
		j := d.jobs[name]
		s := Status{Name: name, Paused: j.paused, Running: j.running, Waiting: j.due != nil && j.running == 0, Queued: len(j.state.Queue), Ended: maps.Clone(j.ended)}
		if err := j.backlog.err; err != nil {
			s.Unkept = err.Error()
		}
		if j.Schedule != nil {
			next := j.Schedule.Next(cmp.Or(j.state.Seen, d.opt.Clock.Now()))
			s.Next = j.Schedule.Start(next)
		}
		all = append(all, s)
	}
	return all
}
