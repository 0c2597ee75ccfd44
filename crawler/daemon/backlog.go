package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
)

const (
	// mostKept bounds what is kept in memory of one crawl: later rows are more telling
	// than early ones.
	mostKept = 100
	// againIn is how soon the history is tried again.
	againIn = 10 * time.Second
)

// backlog is what became of a crawl while the history could not take it. It is
// written with the crawl's next state, in one step: until then the history has
// neither, so that after a kill the occurrences are missed ones and none is lost.
type backlog struct {
	rows []history.Run // in the order of their decision
	ends []history.Run // of runs that have their number
	lost int
	err  error // why, nil when there is nothing to be written
}

func (b *backlog) add(rows ...history.Run) {
	for i := range rows {
		rows[i].Detail = nil // of no use without a number
		b.rows = append(b.rows, rows[i])
	}
	if over := len(b.rows) - mostKept; over > 0 {
		b.rows, b.lost = append([]history.Run(nil), b.rows[over:]...), b.lost+over
	}
}

func (b *backlog) end(number int64, r history.Run) {
	r.Number = number
	b.ends = append(b.ends, r)
	if len(b.ends) > mostKept {
		b.ends, b.lost = b.ends[1:], b.lost+1
	}
}

// errHeld is why the state of a crawl is not written while it has a run that the
// history does not have: the run's occurrence would be over, and nowhere.
var errHeld = errors.New("it has a run that the history could not take")

// held reports whether the crawl has a run that the history does not have.
func (j *job) held() bool {
	return j.running == unwritten || j.due != nil && j.due.number == unwritten
}

// write keeps what was decided of a crawl, in one step with its state and with what
// could not be written before, and returns the number of the last run. A history that
// cannot be written to stops nobody.
func (d *Daemon) write(j *job, rows ...history.Run) (last int64) {
	b := &j.backlog
	if j.held() {
		b.add(rows...)
		if b.err == nil {
			b.err = errHeld
		}
		return unwritten
	}
	ctx, cancel := context.WithTimeout(d.ctx, writing)
	defer cancel()
	numbers, err := d.catchUp(ctx, j, rows)
	d.wrote(j, err)
	if err != nil {
		for i := range rows {
			if rows[i].Status != history.Waiting { // a run is written when it has ended
				b.add(rows[i])
			}
		}
		b.err, d.retry = err, d.opt.Clock.Now().Add(againIn)
		return unwritten
	}
	if b.err != nil {
		d.opt.Log.Warn("the history of runs takes what was kept for it", "crawl", j.Name, "occurrences", len(b.rows), "ends", len(b.ends), "lost", b.lost)
	}
	*b = backlog{}
	if len(numbers) == 0 {
		return unwritten
	}
	return numbers[len(numbers)-1]
}

func (d *Daemon) catchUp(ctx context.Context, j *job, rows []history.Run) (numbers []int64, err error) {
	b := &j.backlog
	for len(b.ends) > 0 {
		if err := d.opt.History.End(ctx, b.ends[0].Number, b.ends[0]); err != nil {
			return nil, err
		}
		b.ends = b.ends[1:]
	}
	all := append(append([]history.Run(nil), b.rows...), rows...)
	return d.opt.History.Decide(ctx, j.Name, j.keep(), all...)
}

// wrote tells of a history that cannot be written to: the crawls matter more.
func (d *Daemon) wrote(j *job, err error) {
	if err != nil {
		d.opt.Log.Error("the history of runs could not be written", "crawl", j.Name, "error", err)
	}
}

// rewrite tries again what the history could not take, one crawl after the other
// until it fails again. It returns how long until the next try is due.
func (d *Daemon) rewrite(now time.Time) time.Duration {
	wait := maxSleep
	for _, j := range d.jobs {
		if j.backlog.err == nil || j.held() {
			continue
		}
		if left := d.retry.Sub(now); left > 0 && left <= againIn {
			return left
		}
		d.write(j)
		if j.backlog.err != nil {
			wait = againIn
		}
	}
	return wait
}

// rewriteAll is the last try, of a daemon that ends.
func (d *Daemon) rewriteAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range d.jobs {
		if j.backlog.err == nil {
			continue
		}
		if d.write(j); j.backlog.err != nil {
			return // there is one history: the others would fail as well
		}
	}
}

// note keeps how a run ended, where the history has not.
func (d *Daemon) note(j *job, o Occasion, end history.Run, err error) {
	end.Run, end.Started = j.name, j.began
	switch {
	case o.Number == unwritten:
		end.Occurrence, end.Cause = o.Occurrence, history.Scheduled
		if o.Occurrence.IsZero() {
			end.Cause = history.Manual
		}
		d.write(j, end)
	case err != nil:
		j.backlog.end(o.Number, end)
		j.backlog.err, d.retry = err, d.opt.Clock.Now().Add(againIn)
	}
}
