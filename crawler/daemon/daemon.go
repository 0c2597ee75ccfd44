package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/schedule"
)

// Clock is where the time comes from.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// Options are what a daemon works with. History and Clock are required.
type Options struct {
	History *history.History
	Clock   Clock
	Log     *slog.Logger
	AtOnce  int // runs at a time, 4 by default
	// KeepRuns and KeepFor bound the history of each crawl: 1,000 runs and 400 days
	// by default.
	KeepRuns int
	KeepFor  time.Duration
}

// Daemon runs crawls. Its methods are safe for concurrent use.
type Daemon struct {
	opt Options

	mu      sync.Mutex
	jobs    map[string]*job
	running int
	ending  bool
	work    sync.WaitGroup
	kick    chan struct{} // something has changed: look again
	ctx     context.Context
	swept   time.Time // when what belongs to no crawl was last forgotten
	retry   time.Time // of what the history could not take
}

// maxSleep bounds one sleep, so that a clock that was set is noticed.
const maxSleep = time.Minute

// writing bounds one write to the history.
const writing = 30 * time.Second

// New makes a daemon without crawls.
func New(opt Options) *Daemon {
	opt.AtOnce = cmp.Or(opt.AtOnce, 4)
	opt.KeepRuns = cmp.Or(opt.KeepRuns, 1000)
	opt.KeepFor = cmp.Or(opt.KeepFor, 400*24*time.Hour)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Daemon{opt: opt, jobs: map[string]*job{}, kick: make(chan struct{}, 1), ctx: context.Background()}
}

// Set makes these the daemon's crawls: new ones join, known ones take their new
// settings for their next run, and others leave when their run has ended. A run
// that an earlier daemon left goes on.
func (d *Daemon) Set(ctx context.Context, crawls []Crawl) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	present := map[string]bool{}
	for _, c := range crawls {
		present[c.Name] = true
		if j := d.jobs[c.Name]; j != nil {
			times := j.times()
			d.decide(j, d.opt.Clock.Now()) // by the schedule that held until now
			j.Crawl, j.removed, j.wake = c, false, time.Time{}
			j.rescheduled(times, d.opt.Clock.Now())
			continue
		}
		j, err := d.join(ctx, c)
		if err != nil {
			return err
		}
		d.jobs[c.Name] = j
	}
	for name, j := range d.jobs {
		if present[name] {
			continue
		}
		j.removed, j.due = true, nil
		if j.running == 0 {
			delete(d.jobs, name)
		}
	}
	d.swept = d.opt.Clock.Now()
	if err := d.sweep(ctx, d.names(), d.swept); err != nil {
		return fmt.Errorf("the history of runs: %w", err)
	}
	d.look()
	return nil
}

// join reads what is known of a crawl.
func (d *Daemon) join(ctx context.Context, c Crawl) (*job, error) {
	j := &job{Crawl: c}
	data, err := d.opt.History.Recall(ctx, c.Name)
	if err == nil {
		err = j.recall(data, d.opt.Clock.Now())
	}
	if err != nil {
		return nil, fmt.Errorf("the schedule of %s: %w", c.Name, err)
	}
	if data != nil {
		if err := d.prune(ctx, &c); err != nil {
			return nil, fmt.Errorf("the history of %s: %w", c.Name, err)
		}
	}
	left, err := d.opt.History.List(ctx, history.Filter{Crawl: c.Name, Unended: true})
	if err != nil {
		return nil, err
	}
	for i, r := range left {
		if i > 0 { // only one can have been going on
			r.Status, r.Reason, r.Ended = history.Stopped, "its end is not known", d.opt.Clock.Now()
			if err := d.opt.History.End(ctx, r.Number, r); err != nil {
				return nil, err
			}
			continue
		}
		j.due = &due{number: r.Number, since: d.opt.Clock.Now(), at: r.Occurrence, again: r.Status != history.Waiting}
	}
	return j, nil
}

// look wakes the loop.
func (d *Daemon) look() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// Run runs the crawls until ctx ends. Then runs that go on are told to stop, and
// Run returns when they have.
func (d *Daemon) Run(ctx context.Context) error {
	d.mu.Lock()
	d.ctx = context.WithoutCancel(ctx)
	d.mu.Unlock()
	for {
		wait := d.round()
		select {
		case <-ctx.Done():
			d.end()
			return nil
		case <-d.kick:
		case <-d.opt.Clock.After(wait):
		}
	}
}

// round decides about every crawl and begins what can begin. It returns how long
// nothing else is due.
func (d *Daemon) round() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.opt.Clock.Now()
	wait := maxSleep
	for _, j := range d.jobs {
		if !now.Before(j.wake) || j.wake.Sub(now) > schedule.MaxGap {
			d.decide(j, now)
		}
		if !j.wake.IsZero() {
			wait = min(wait, max(j.wake.Sub(now), 0))
		}
	}
	wait = min(wait, d.rewrite(now))
	d.begin(now)
	return max(wait, time.Millisecond)
}

// decide asks a crawl's schedule what is due.
func (d *Daemon) decide(j *job, now time.Time) {
	if j.Schedule == nil || j.removed {
		j.wake = now.Add(schedule.MaxGap)
		return
	}
	before := j.keep()
	state, decision := j.Schedule.Step(j.state, now, j.running != 0 || j.due != nil)
	j.wake = decision.Wake
	if j.wake.IsZero() {
		j.wake = now.Add(schedule.MaxGap)
	}
	if decision.Reset {
		d.opt.Log.Warn("the clock was set back: occurrences since then come again", "crawl", j.Name, "now", now)
	}
	if decision.Passed > 0 {
		d.opt.Log.Warn("more occurrences were missed than are kept count of", "crawl", j.Name, "passed", decision.Passed)
	}
	var rows []history.Run
	if j.paused {
		for _, at := range append([]time.Time{decision.Start}, state.Queue...) {
			if !at.IsZero() {
				rows = append(rows, skipped(at, pausedReason, now))
			}
		}
		decision.Start, decision.Cancel, state.Queue = time.Time{}, false, nil
	}
	for _, f := range decision.Skipped {
		rows = append(rows, skipped(f.Occurrence, string(f.Reason), now))
	}
	j.state = state
	if !decision.Start.IsZero() {
		rows = append(rows, history.Run{Cause: history.Scheduled, Occurrence: decision.Start, Status: history.Waiting})
	}
	if len(rows) > 0 || string(j.keep()) != string(before) {
		last := d.write(j, rows...)
		if !decision.Start.IsZero() {
			j.due = &due{number: last, since: decision.Start, at: decision.Start}
		}
	}
	if decision.Cancel && j.cancel != nil {
		j.cancel(errReplaced)
	}
}

func skipped(at time.Time, reason string, now time.Time) history.Run {
	return history.Run{Cause: history.Scheduled, Occurrence: at, Ended: now, Status: history.Skipped, Reason: reason}
}

// begin starts what is due, as far as there are places: those due first first.
func (d *Daemon) begin(now time.Time) {
	var waiting []*job
	for _, j := range d.jobs {
		if j.due != nil && j.running == 0 && !j.removed {
			waiting = append(waiting, j)
		}
	}
	slices.SortFunc(waiting, func(a, b *job) int {
		return cmp.Or(a.due.since.Compare(b.due.since), cmp.Compare(a.Name, b.Name))
	})
	for _, j := range waiting {
		if d.running >= d.opt.AtOnce || d.ending {
			return
		}
		d.start(j)
	}
}

// start begins a run.
func (d *Daemon) start(j *job) {
	o := Occasion{Number: j.due.number, Occurrence: j.due.at, Again: j.due.again}
	o.Named = func(run string) { d.named(j, o.Number, run) }
	running, stop := context.WithCancelCause(d.ctx)
	j.due, j.running, j.cancel = nil, o.Number, stop
	j.name, j.began = "", d.opt.Clock.Now()
	d.running++
	crawl := j.Crawl
	d.work.Go(func() { d.execute(running, j, crawl, o) })
}

func (d *Daemon) named(j *job, number int64, run string) {
	d.mu.Lock()
	j.name = run
	d.mu.Unlock()
	if number == unwritten {
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, writing)
	defer cancel()
	d.wrote(j, d.opt.History.Name(ctx, number, run, d.opt.Clock.Now()))
}

// execute runs a crawl and notes how it ended.
func (d *Daemon) execute(ctx context.Context, j *job, c Crawl, o Occasion) {
	over := make(chan struct{})
	if c.Deadline > 0 {
		late := d.opt.Clock.After(c.Deadline)
		d.work.Go(func() {
			select {
			case <-late:
				d.mu.Lock()
				if j.running == o.Number && j.cancel != nil {
					j.cancel(ErrLate)
				}
				d.mu.Unlock()
			case <-over:
			}
		})
	}
	r := guarded(ctx, c, o)
	close(over)
	end := history.Run{Status: r.Status, Reason: r.Reason, Summary: r.Summary, Detail: r.Detail, Ended: d.opt.Clock.Now()}
	if cause := context.Cause(ctx); cause != nil && r.Status == history.Stopped {
		end.Reason = cause.Error()
		if errors.Is(cause, errEnding) {
			end.Status = history.Suspended
		}
	}
	d.ended(j, c, o, end)
}

func (d *Daemon) ended(j *job, c Crawl, o Occasion, end history.Run) {
	ctx, cancel := context.WithTimeout(d.ctx, writing)
	defer cancel()
	var err error
	if o.Number != unwritten {
		err = d.opt.History.End(ctx, o.Number, end)
	}
	d.wrote(j, err)
	d.wrote(j, d.prune(ctx, &c))
	if names, now := d.daily(); names != nil {
		d.wrote(j, d.sweep(ctx, names, now))
	}
	level := slog.LevelInfo
	if end.Status == history.Failed {
		level = slog.LevelError
	}
	d.opt.Log.Log(ctx, level, "a run has ended", "crawl", j.Name, "run", o.Number, "status", end.Status, "reason", end.Reason)

	d.mu.Lock()
	defer d.mu.Unlock()
	j.cancel(nil) // gives the context's memory back
	j.running, j.cancel, j.wake = 0, nil, time.Time{}
	if j.ended == nil {
		j.ended = map[history.Status]int64{}
	}
	j.ended[end.Status]++
	d.running--
	d.note(j, o, end, err)
	if j.removed {
		delete(d.jobs, j.Name)
	}
	d.look()
}

// guarded lets a run that panics fail, and no more than that.
func guarded(ctx context.Context, c Crawl, o Occasion) (r Result) {
	defer func() {
		if v := recover(); v != nil {
			r = Result{Status: history.Failed, Reason: fmt.Sprintf("a fault in amble: %v", v)}
		}
	}()
	return c.Run(ctx, o)
}

// end stops all runs and waits for them.
func (d *Daemon) end() {
	d.mu.Lock()
	d.ending = true
	for _, j := range d.jobs {
		if j.cancel != nil {
			j.cancel(errEnding)
		}
	}
	d.mu.Unlock()
	d.work.Wait()
	d.rewriteAll()
}
