package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/execution"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/report"
	"github.com/amblecrawl/amble/cmd/state"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/drift"
	"github.com/amblecrawl/amble/crawler/frontier"
)

// driftFlags say what is done with what is found.
type driftFlags struct {
	state  string
	accept bool
	json   bool
	set    []string
}

func newDriftCommand() *cobra.Command {
	var flags driftFlags
	cmd := &cobra.Command{
		Use:   "drift CONFIG",
		Short: "Show what records are like, and what has fallen since the last good run",
		Long: `Shows, from the state alone, how many records a page gave in the last run, how
often each field has a value and of what type, and what of that has fallen from
the last good run beyond drift.threshold. Nothing is fetched.

A run that has drifted does not become the last good one. Where the change is
meant, --accept takes it as that.

Exit status: 0 nothing has fallen, or it was accepted; 1 something has; 2 there is
no run to look at.`,
		Args: cli.Takes("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error { return showDrift(cmd, args[0], flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.state, "state", "", "`folder` of the run's state, instead of the config's")
	f.BoolVar(&flags.accept, "accept", false, "take the finished run as the last good one")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	f.StringArrayVar(&flags.set, "set", nil, cli.SetUsage)
	return cmd
}

func showDrift(cmd *cobra.Command, path string, flags driftFlags) error {
	cfg, err := cli.LoadConfig(cmd, path, flags.set)
	if err != nil {
		return err
	}
	pipeline, err := crawl.NewPipeline(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return exit.With(exit.Config, err)
	}
	dir := cmp.Or(flags.state, cfg.State)
	reader, err := frontier.OpenReader(dir)
	if err != nil {
		return state.Unreadable(err)
	}
	t := execution.NewTally(cfg, pipeline.Types(), false)
	run, err := readDrift(reader, t)
	if err := errors.Join(err, reader.Close()); err != nil {
		return err
	}
	shown := driftShown{Run: run, Profile: t.Figures(), Drift: report.DriftOf(t, false), Past: t.Past()}
	if flags.accept {
		if !run.Finished {
			return exit.With(exit.Config, errors.New("the run has not finished: only a whole run can be taken as good"))
		}
		if err := acceptRun(cmd.Context(), cfg.Name, dir, run, t); err != nil {
			return err
		}
		shown.Drift.Accepted = true
	}
	if flags.json {
		err = cli.PrintJSON(cmd.OutOrStdout(), shown)
	} else {
		err = shown.print(cmd.OutOrStdout())
	}
	if err == nil && len(shown.Drift.Findings) > 0 && !flags.accept {
		return exit.Silent(exit.Nothing)
	}
	return err
}

// readDrift opens a tally on the run that a state holds.
func readDrift(state crawler.Values, t *drift.Tally) (crawler.RunState, error) {
	run, found, err := crawler.ReadRun(state)
	if err == nil && !found {
		return run, exit.With(exit.Config, errors.New("there is no run in this state yet"))
	}
	if err == nil {
		err = t.Open(state)
	}
	if err != nil {
		return run, exit.OfState(err)
	}
	return run, nil
}

// acceptRun writes a finished run into its state as the last good one.
func acceptRun(ctx context.Context, crawl, dir string, run crawler.RunState, t *drift.Tally) error {
	f, err := frontier.Open(frontier.Options{Dir: dir, Crawl: crawl, Version: version.Number, Keep: execution.Kept})
	if err != nil {
		return exit.OfState(err)
	}
	put := map[string][]byte{}
	if err = t.Accept(run, put); err == nil {
		_, err = f.Commit(ctx, &crawler.Batch{Put: put})
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return exit.OfState(err)
	}
	return nil
}

// driftShown is the output of drift.
type driftShown struct {
	Run     crawler.RunState         `json:"run"`
	Profile map[string]drift.Figures `json:"profile"`
	Drift   report.Drift             `json:"drift"`
	Past    []drift.Past             `json:"past"` // the last runs that have finished
}

func (d *driftShown) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // Flush tells of errors
	status := "finished"
	if !d.Run.Finished {
		status = "not finished yet"
	}
	line("run\t%s, %s", d.Run.ID, status)
	switch since := d.Drift.Since; {
	case since == nil:
		line("good run\tnone before this one")
	case since.ID == d.Run.ID:
		line("good run\tthis one")
	default:
		line("good run\t%s", since.ID)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Profile)) {
		p := d.Profile[name]
		line("\t")
		line("%s\t%s from %s, %.2f a page, %s rejected", name, format.Plural(p.Records, "record"), format.Plural(p.Pages, "page"), p.RecordsPerPage, format.Count(p.Rejected))
		for _, field := range slices.Sorted(maps.Keys(p.Fields)) {
			f := p.Fields[field]
			line("  %s\t%5.1f%%\t%s", field, 100*f.Fill, typesOf(f.Types))
		}
	}
	if len(d.Past) > 1 {
		line("\t")
		line("past runs\trecords by type")
		for _, p := range d.Past {
			line("  %s\t%s", p.Started.UTC().Format("2006-01-02 15:04:05"), pastRecords(p))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	d.Drift.Print(out)
	if d.Drift.Accepted && len(d.Drift.Findings) == 0 {
		_, err := fmt.Fprintln(out, "\n  The run is the last good one now.")
		return err
	}
	return nil
}

// typesOf lists types, those of most values first.
func typesOf(types map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(types), func(a, b string) int {
		return cmp.Or(cmp.Compare(types[b], types[a]), strings.Compare(a, b))
	})
	for i, name := range names {
		names[i] = format.Count(types[name]) + " " + name
	}
	return strings.Join(names, ", ")
}

func pastRecords(p drift.Past) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p.Types)) {
		parts = append(parts, format.Count(p.Types[name].Records)+" "+name)
	}
	text := strings.Join(parts, ", ")
	switch {
	case p.Accepted:
		text += "; drifted, and accepted"
	case p.Findings > 0:
		text += "; drifted"
	}
	return text
}
