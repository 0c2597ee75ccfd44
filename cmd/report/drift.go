package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/drift"
)

// Drift is what has changed in a run's records since the last good one.
type Drift struct {
	Since    *drift.GoodRun  `json:"since"` // the last good run, null without one
	Findings []drift.Finding `json:"findings"`
	Accepted bool            `json:"accepted"` // the run is the last good one now, all the same
}

// WholeSummary is the summary with what the figures about records say.
type WholeSummary struct {
	crawler.Summary
	Profile map[string]drift.Figures `json:"profile"`
	Drift   Drift                    `json:"drift"`
}

// Whole is what programs read of a run.
func (r *Report) Whole() WholeSummary { return WholeSummary{r.Summary, r.Profile, r.Drift} }

// DriftOf is what a tally has found; accept tells that the run is taken as good.
func DriftOf(t *drift.Tally, accept bool) Drift {
	d := Drift{Findings: t.Findings(), Accepted: accept}
	if since := t.Since(); since.ID != "" {
		d.Since = &since
	}
	if d.Findings == nil {
		d.Findings = []drift.Finding{}
	}
	d.Accepted = accept && len(d.Findings) > 0
	return d
}

// failDrift ends a run that has drifted, where the config asks for it.
func failDrift(cfg *config.Config, r *Report) error {
	n := len(r.Drift.Findings)
	if n == 0 || r.Drift.Accepted || cfg.Drift.Action != "fail" {
		return nil
	}
	return exit.With(exit.Nothing, fmt.Errorf("records have drifted: %s below the last good run", format.Plural(int64(n), "figure")))
}

// Print shows the findings with a page before and a page after; without one, nothing.
func (d *Drift) Print(out io.Writer) {
	if len(d.Findings) == 0 || d.Since == nil {
		return
	}
	fmt.Fprintf(out, "\n  Drift: records are not what they were in the run of %s.\n", d.Since.Started.UTC().Format("2006-01-02 15:04:05 MST"))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i := range d.Findings {
		if i == format.MaxReported {
			fmt.Fprintf(w, "    and %d more, in the file of --summary\n", len(d.Findings)-i)
			break
		}
		f := &d.Findings[i]
		fmt.Fprintf(w, "    %s\t%s\n", f.Name(), f.Message)
		for _, page := range []struct {
			when string
			*drift.Sample
		}{{"before", f.BeforePage}, {"after", f.AfterPage}} {
			if page.Sample != nil {
				fmt.Fprintf(w, "      %s\t%s%s\n", page.when, page.URL, quoted(page.Value))
			}
		}
	}
	_ = w.Flush()
	if d.Accepted {
		fmt.Fprintln(out, "  The run is the last good one now.")
	}
}

func quoted(value string) string {
	if value == "" {
		return ""
	}
	return "  " + strconv.Quote(value)
}

// next says what to do about drift.
func (r *Report) nextOfDrift() []string {
	d := &r.Drift
	if len(d.Findings) == 0 || d.Accepted {
		return nil
	}
	var next []string
	for i := range d.Findings {
		if page := d.Findings[i].AfterPage; page != nil {
			next = append(next, r.try(page.URL)+"    shows what the page gives now")
			break
		}
	}
	return append(next, r.about("drift")+" --accept    takes the run as good, where the change is meant")
}

// printEmpty names the fields that no record has.
func (r *Report) printEmpty(out io.Writer) {
	var empty []string
	for _, name := range slices.Sorted(maps.Keys(r.Profile)) {
		p := r.Profile[name]
		if p.Records == 0 {
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(p.Fields)) {
			if p.Fields[field].Filled == 0 {
				empty = append(empty, name+"."+field)
			}
		}
	}
	if len(empty) == 0 {
		return
	}
	fmt.Fprintln(out, "\n  Fields that no record has:")
	for i, name := range empty {
		if i == format.MaxReported {
			fmt.Fprintf(out, "    and %d more, in the file of --summary\n", len(empty)-i)
			break
		}
		fmt.Fprintf(out, "    %s\n", name)
	}
}
