package execution

import (
	"log/slog"

	"github.com/amblecrawl/amble/cmd/report"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/drift"
)

// NewTally keeps the profile of a run.
func NewTally(cfg *config.Config, types []crawler.RecordType, accept bool) *drift.Tally {
	return drift.New(drift.Options{
		Types: types, Off: cfg.Drift.Action == "off", Accept: accept, Hide: cfg.Veil().Hide,
		Rule: drift.Rule{Threshold: cfg.Drift.Threshold, MinRecords: cfg.Drift.MinRecords},
	})
}

// drifted is the report of a run that has come to its end, and tells the log.
func drifted(t *drift.Tally, accept bool, log *slog.Logger) report.Drift {
	d := report.DriftOf(t, accept)
	if !t.Finished() {
		d.Findings = []drift.Finding{}
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		log.Info("records have drifted", "what", f.Name(), "kind", f.Kind, "message", f.Message)
	}
	return d
}
