package serve

import (
	"context"
	"encoding/json"

	"github.com/amblecrawl/amble/cmd/execution"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/report"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/history"
)

// execute is one run of a crawl.
func (s *server) execute(ctx context.Context, cfg *config.Config, o daemon.Occasion) daemon.Result {
	m, end := s.board.Begin(cfg.Name, execution.Hiding(cfg))
	defer end()
	defer s.alerts.watchTime(cfg, o.Number)()
	own := *cfg // a run may lower its number of workers
	debts := s.alerts.watchDebts(cfg, o.Number)
	var earlier history.Run // what is known of it, where it was cut off
	if o.Again {
		var err error
		if earlier, err = s.history.Get(context.WithoutCancel(ctx), o.Number); err != nil {
			s.log.Error("what is known of a run that was cut off could not be read", "crawl", cfg.Name, "run", o.Number, "err", err)
		}
	}
	x := &execution.Execution{
		Config: &own, State: cfg.State, Monitor: m, Log: s.log.With("crawl", cfg.Name), Tracer: s.tracer,
		Common: s.common, Used: s.used, LedgerFor: cfg.History.LedgerFor(true),
		Owed: earlier.Run, Began: o.Named,
		Entered: func(entries []crawler.Entry) {
			for i := range entries {
				m.Hosts().Add(&entries[i])
			}
			if debts != nil {
				debts(entries)
			}
		},
	}
	r, err := x.Run(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return daemon.Result{Status: history.Stopped}
		}
		failed := daemon.Result{Status: history.Failed, Reason: exit.Message(cfg, err).Error()}
		s.alerts.ended(ctx, cfg, o.Number, failed, nil)
		return failed
	}
	result := resultOf(cfg, &r)
	result.Detail = execution.Detail(m, earlier.Detail)
	s.alerts.ended(ctx, cfg, o.Number, result, &r)
	return result
}

// resultOf is how a run ended, as the history keeps it.
func resultOf(cfg *config.Config, r *report.Report) daemon.Result {
	out := daemon.Result{Status: history.Finished}
	if data, err := json.Marshal(r.Whole()); err == nil {
		out.Summary = json.RawMessage(cfg.Redact(string(data)))
	}
	switch err := r.Exit(cfg); {
	case err == nil:
	case r.Summary.Status == crawler.StatusInterrupted:
		out.Status = history.Stopped
	case exit.Said(err):
		out.Status, out.Reason = history.Failed, execution.Hiding(cfg)(r.WhyNothing())
	default:
		out.Status, out.Reason = history.Failed, err.Error()
	}
	return out
}
