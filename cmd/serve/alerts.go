package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/execution"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/report"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/alert"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/history"
)

// alertsWithin is how long alerts that wait are still sent when the daemon ends.
const alertsWithin = 10 * time.Second

// alerts tell those whom a config names what is wrong with its runs.
type alerts struct{ sender *alert.Sender }

// messageOf makes an alert. Its ID has the time, as receivers drop what they had: runs
// that the history could not take have no number, a new history counts from one again,
// and several hosts of a run may ask to be left alone.
func messageOf(cfg *config.Config, number int64, kind alert.Kind, text string, at time.Time) alert.Message {
	at = at.UTC()
	return alert.Message{
		ID:   fmt.Sprintf("%s-%d-%s-%s", cfg.Name, max(number, 0), kind, at.Format("20060102T150405.000000000Z")),
		Kind: kind, Crawl: cfg.Name, Number: max(number, 0), Text: format.Clip(execution.Hiding(cfg)(text), maxAlert), At: at,
	}
}

// maxAlert bounds the text of an alert.
const maxAlert = 500

// tell sends an alert to whom the config names for its kind.
func (s alerts) tell(cfg *config.Config, number int64, kind alert.Kind, text string, r *report.Report) {
	m := messageOf(cfg, number, kind, text, time.Now())
	if r != nil {
		m.Pages, m.Records = r.Summary.Pages, format.Sum(r.Summary.Records)
	}
	for i := range cfg.Alerts {
		if cfg.Alerts[i].Wants(string(kind)) {
			s.sender.Send(cfg.Alerts[i].Target(), m)
		}
	}
}

// tellOne is tell for one of a config's alerts.
func (s alerts) tellOne(cfg *config.Config, i int, number int64, kind alert.Kind, text string) {
	one := *cfg
	one.Alerts = cfg.Alerts[i : i+1]
	s.tell(&one, number, kind, text, nil)
}

// watchTime tells of a run that takes too long, while it goes on. What it returns is
// to be called at the end of the run.
func (s alerts) watchTime(cfg *config.Config, number int64) (stop func()) {
	var timers []*time.Timer
	for i := range cfg.Alerts {
		a := &cfg.Alerts[i]
		if a.SlowerThan > 0 && a.Wants(string(alert.TooSlow)) {
			timers = append(timers, time.AfterFunc(a.SlowerThan, func() {
				s.tellOne(cfg, i, number, alert.TooSlow, "the run takes longer than "+format.Duration(a.SlowerThan))
			}))
		}
	}
	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

// maxDebtors bounds the hosts of one run that are told of.
const maxDebtors = 5

// watchDebts gives a function that tells of hosts which ask to be left alone for long,
// each once for each alert; nil where nobody wants to know.
func (s alerts) watchDebts(cfg *config.Config, number int64) func([]crawler.Entry) {
	told := make([]map[string]bool, len(cfg.Alerts))
	wanted := false
	for i := range cfg.Alerts {
		told[i] = map[string]bool{}
		wanted = wanted || cfg.Alerts[i].Wants(string(alert.Debt))
	}
	if !wanted {
		return nil
	}
	return func(entries []crawler.Entry) { // from one goroutine
		for k := range entries {
			e := &entries[k]
			for i := range cfg.Alerts {
				a := &cfg.Alerts[i]
				if e.RetryAfter < a.DebtOver || e.RetryAfter == 0 || !a.Wants(string(alert.Debt)) || told[i][e.Host] || len(told[i]) >= maxDebtors {
					continue
				}
				told[i][e.Host] = true
				s.tellOne(cfg, i, number, alert.Debt, fmt.Sprintf("%s asks to be left alone for %s (status %d)", e.Host, format.Duration(e.RetryAfter), e.Status))
			}
		}
	}
}

// ended tells of what is wrong with a run that has ended.
func (s alerts) ended(ctx context.Context, cfg *config.Config, number int64, end daemon.Result, r *report.Report) {
	if errors.Is(context.Cause(ctx), daemon.ErrLate) {
		s.tell(cfg, number, alert.TooSlow, "the run was stopped: it took longer than its deadline, "+format.Duration(cfg.Schedule.Deadline), r)
	}
	if end.Status == history.Failed {
		s.tell(cfg, number, alert.Failure, end.Reason, r)
	}
	if r == nil || end.Status == history.Stopped {
		return
	}
	if n := len(r.Drift.Findings); n > 0 && !r.Drift.Accepted {
		s.tell(cfg, number, alert.Drift, fmt.Sprintf("records have drifted: %s, such as %s %s", format.Plural(int64(n), "figure"), r.Drift.Findings[0].Name(), r.Drift.Findings[0].Message), r)
	}
	if end.Status == history.Finished && len(cfg.Output) > 0 && r.GaveNothing() {
		s.tell(cfg, number, alert.NoRecords, "the run gave no record", r)
	}
}

// testAlerts sends a message to each target of a config, and says what became of it.
func testAlerts(cmd *cobra.Command, path string) error {
	cfg, err := cli.LoadConfig(cmd, path, nil)
	if err != nil {
		return err
	}
	if len(cfg.Alerts) == 0 {
		return exit.With(exit.Config, fmt.Errorf("%s has no alerts", path))
	}
	failed := false
	for i := range cfg.Alerts {
		m := testMessage(cfg, "a test of amble serve --test-alerts")
		err := alert.Deliver(cmd.Context(), cfg.Alerts[i].Target(), m)
		if errors.Is(err, context.Canceled) {
			return exit.Silent(exit.Interrupted)
		}
		verdict := "sent"
		if err != nil {
			verdict, failed = cfg.Redact(err.Error()), true
		}
		fmt.Fprintf(cmd.OutOrStdout(), "alerts.%d: %s\n", i, verdict)
	}
	if failed {
		return exit.Silent(exit.Nothing)
	}
	return nil
}

func testMessage(cfg *config.Config, text string) alert.Message {
	return alert.Message{ID: cfg.Name + "-test", Kind: alert.Test, Crawl: cfg.Name, Text: text, At: time.Now().UTC()}
}
