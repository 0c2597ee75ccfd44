package daemon

import (
	"cmp"
	"context"
	"time"
)

// prune forgets old runs of a crawl.
func (d *Daemon) prune(ctx context.Context, c *Crawl) error {
	keep, before := cmp.Or(c.KeepRuns, d.opt.KeepRuns), d.opt.Clock.Now().Add(-cmp.Or(c.KeepFor, d.opt.KeepFor))
	_, err := d.opt.History.Prune(ctx, c.Name, keep, before)
	return err
}

// sweepEvery is how often a daemon that nobody touches forgets what belongs to no crawl.
const sweepEvery = 24 * time.Hour

// sweep forgets what belongs to none of the crawls.
func (d *Daemon) sweep(ctx context.Context, crawls []string, now time.Time) error {
	return d.opt.History.Sweep(ctx, crawls, now.Add(-d.opt.KeepFor), now)
}

// daily gives the names of the crawls once a day, and else nil.
func (d *Daemon) daily() (names []string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now = d.opt.Clock.Now()
	if since := now.Sub(d.swept); since >= 0 && since < sweepEvery {
		return nil, now
	}
	d.swept = now
	return d.names(), now
}

// names are those of the crawls. d.mu is held.
func (d *Daemon) names() []string {
	names := make([]string, 0, len(d.jobs))
	for name := range d.jobs {
		names = append(names, name)
	}
	return names
}
