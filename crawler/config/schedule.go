package config

import (
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler/schedule"
)

// Schedule is when a daemon runs the crawl.
type Schedule struct {
	Cron     string        `yaml:"cron,scalar" doc:"Five fields (minute, hour, day, month, weekday), six with seconds in front, or @hourly, @daily, @weekly, @monthly, @yearly or @every 90m."`
	Timezone string        `yaml:"timezone" default:"UTC" doc:"The time zone of the fields, such as Europe/Berlin."`
	Overlap  string        `yaml:"overlap" default:"skip" enum:"skip,queue,cancel" doc:"What becomes of a run that is due while the last one goes on: it is left out, it waits, or the last one is stopped."`
	CatchUp  string        `yaml:"catch_up" default:"one" enum:"none,one,all" doc:"Which of the runs that were missed while no daemon was there are run: none, the latest, or all."`
	Jitter   time.Duration `yaml:"jitter" default:"0s" max:"24h" doc:"By how much each run is moved at most, so that many crawls do not begin together; always the same for one run."`
	Deadline time.Duration `yaml:"deadline" default:"0s" max:"720h" doc:"How long a run may take until it is stopped, to go on with the next one; 0s: as long as it likes."`
}

// Compiled is the crawl's schedule, nil without one.
func (c *Config) Compiled() (*schedule.Schedule, error) {
	s := &c.Schedule
	if s.Cron == "" {
		return nil, nil
	}
	return schedule.Compile(schedule.Spec{
		Cron: s.Cron, Timezone: s.Timezone, Jitter: s.Jitter, Name: c.Name,
		Overlap: schedule.Overlap(s.Overlap), CatchUp: schedule.CatchUp(s.CatchUp),
	})
}

func (l *loader) checkSchedule(c *Config) {
	n := l.at("schedule")
	switch {
	case !l.given("schedule") || n.broken || n.lacking() || n.kind == nullKind:
		return
	case c.Schedule.Cron == "":
		l.errorf(n.place, `write cron: "0 6 * * *" for every day at six`, "schedule: there is no cron")
		return
	}
	l.checkZone(c.Schedule.Timezone, "schedule", "timezone")
	compiled, err := c.Compiled()
	if err != nil {
		key, _, _ := strings.Cut(err.Error(), ":") // which the error begins with
		if key == "timezone" {
			return
		}
		at := n.place
		if l.given("schedule", key) {
			at = l.at("schedule", key).place
		}
		l.errorf(at, "", "schedule.%v", err)
		return
	}
	least := compiled.Shortest(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if j := c.Schedule.Jitter; least > 0 && j > least {
		l.warnf(l.at("schedule", "jitter").place, "make it shorter than that, or the runs rarer",
			"schedule.jitter: %v is longer than the %v between two runs: they can come together, or in another order", j, least)
	}
}
