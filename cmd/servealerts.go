package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/crawler/alert"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/history"
)

// alertsWithin is how long alerts that wait are still sent when the daemon ends.
const alertsWithin = 10 * time.Second

func targetOf(a *config.Alert) alert.Target {
	return alert.Target{Webhook: a.Webhook, Command: a.Command, Timeout: a.Timeout}
}

// tell sends an alert to whom the config names for its kind.
func (s *server) tell(cfg *config.Config, number int64, kind alert.Kind, text string, r *report) {
	m := alert.Message{
		ID: fmt.Sprintf("%s-%d-%s", cfg.Name, number, kind), Kind: kind, Crawl: cfg.Name, Number: number,
		Text: clip(hidingIn(cfg)(text), maxDetail), At: time.Now().UTC(),
	}
	if r != nil {
		m.Pages, m.Records = r.summary.Pages, sum(r.summary.Records)
	}
	for i := range cfg.Alerts {
		if cfg.Alerts[i].Wants(string(kind)) {
			s.alerts.Send(targetOf(&cfg.Alerts[i]), m)
		}
	}
}

// watchTime tells of a run that takes too long, while it goes on. What it returns is
// to be called at the end of the run.
func (s *server) watchTime(cfg *config.Config, number int64) (stop func()) {
	var timers []*time.Timer
	for i := range cfg.Alerts {
		a := &cfg.Alerts[i]
		if a.SlowerThan > 0 && a.Wants(string(alert.TooSlow)) {
			timers = append(timers, time.AfterFunc(a.SlowerThan, func() {
				one := *cfg
				one.Alerts = []config.Alert{*a}
				s.tell(&one, number, alert.TooSlow, "the run takes longer than "+short(a.SlowerThan), nil)
			}))
		}
	}
	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

// alertOn tells of what is wrong with a run that has ended.
func (s *server) alertOn(cfg *config.Config, number int64, end daemon.Result, r *report) {
	if end.Status == history.Failed {
		s.tell(cfg, number, alert.Failure, end.Reason, r)
	}
	if r == nil || end.Status == history.Stopped {
		return
	}
	if n := len(r.drift.Findings); n > 0 && !r.drift.Accepted {
		s.tell(cfg, number, alert.Drift, fmt.Sprintf("records have drifted: %s, such as %s %s", plural(int64(n), "figure"), r.drift.Findings[0].Name(), r.drift.Findings[0].Message), r)
	}
	if end.Status == history.Finished && len(cfg.Output) > 0 && sum(r.summary.Records) == 0 {
		s.tell(cfg, number, alert.NoRecords, "the run gave no record", r)
	}
}

// testAlerts sends a message to each target of a config, and says what became of it.
func testAlerts(cmd *cobra.Command, path string) error {
	cfg, err := loadConfig(cmd, path, nil)
	if err != nil {
		return err
	}
	if len(cfg.Alerts) == 0 {
		return &exitError{exitConfig, fmt.Errorf("%s has no alerts", path)}
	}
	failed := false
	for i := range cfg.Alerts {
		m := alert.Message{ID: cfg.Name + "-test", Kind: alert.Test, Crawl: cfg.Name, Text: "a test of amble serve --test-alerts", At: time.Now().UTC()}
		err := alert.Deliver(cmd.Context(), targetOf(&cfg.Alerts[i]), m)
		if errors.Is(err, context.Canceled) {
			return &exitError{code: exitInterrupted}
		}
		verdict := "sent"
		if err != nil {
			verdict, failed = cfg.Redact(err.Error()), true
		}
		fmt.Fprintf(cmd.OutOrStdout(), "alerts.%d: %s\n", i, verdict)
	}
	if failed {
		return &exitError{code: exitNothing}
	}
	return nil
}
