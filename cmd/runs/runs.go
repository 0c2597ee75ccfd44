package runs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/report"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/history"
)

// runsFlags are what the verbs of runs share.
type runsFlags struct {
	history string
	json    bool
	filter  history.Filter
}

// NewCommand is amble runs.
func NewCommand() *cobra.Command {
	var flags runsFlags
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "Look at what amble serve runs, and stop or resume it: list, show, diff, cancel, resume",
		Args:  cobra.NoArgs,
	}
	f := cmd.PersistentFlags()
	f.StringVar(&flags.history, "history", "", "`file` of the history (default: .amble/history.db here, or in the only folder here that has one)")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	list := &cobra.Command{
		Use: "list", Short: "List the runs, the latest first", Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.with(cmd, func(h *history.History) error { return listRuns(cmd, h, flags) })
		},
	}
	list.Flags().StringVar(&flags.filter.Crawl, "crawl", "", "only the runs of this crawl")
	list.Flags().IntVar(&flags.filter.Limit, "limit", 20, "at most so many")
	list.Flags().BoolVar(&flags.filter.Whole, "no-skipped", false, "leave out occurrences that had no run")
	cmd.AddCommand(list,
		newRunsVerb("cancel", "Stop the run of a crawl; its next run goes on where it was", "stop"),
		newRunsVerb("resume", "Start a crawl's run now, an unfinished one where it was", "start"),
		&cobra.Command{
			Use: "show NUMBER", Short: "Show one run with its summary", Args: cli.Takes("NUMBER"),
			RunE: func(cmd *cobra.Command, args []string) error {
				return flags.with(cmd, func(h *history.History) error { return showRun(cmd, h, args[0], flags.json) })
			},
		},
		&cobra.Command{
			Use: "diff NUMBER NUMBER", Short: "Show what differs between the summaries of two runs", Args: cli.Takes("NUMBER", "NUMBER"),
			RunE: func(cmd *cobra.Command, args []string) error {
				return flags.with(cmd, func(h *history.History) error { return diffRuns(cmd, h, args[0], args[1], flags.json) })
			},
		},
	)
	return cmd
}

func (flags *runsFlags) with(cmd *cobra.Command, do func(*history.History) error) error {
	file, err := flags.find(cmd)
	if err != nil {
		return err
	}
	h, err := history.OpenReader(cmd.Context(), file)
	if errors.Is(err, fs.ErrNotExist) {
		return exit.With(exit.Config, fmt.Errorf("there is no history %s: name that of the daemon with --history", file))
	}
	if err != nil {
		return exit.With(exit.Config, err)
	}
	defer h.Close()
	err = do(h)
	if _, decided := errors.AsType[*exit.Error](err); err == nil || decided {
		return err
	}
	return exit.With(exit.Config, err)
}

func listRuns(cmd *cobra.Command, h *history.History, flags runsFlags) error {
	runs, err := h.List(cmd.Context(), flags.filter)
	if err != nil {
		return err
	}
	if flags.json {
		return cli.PrintJSON(cmd.OutOrStdout(), runs)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tCRAWL\tSTATUS\tDUE\tSTARTED\tTOOK\tPAGES\tRECORDS\tNOTES")
	for i := range runs {
		r := &runs[i]
		pages, records, note := "", "", firstLine(r.Reason)
		if s, ok := summaryOf(r); ok {
			pages, records = format.Count(s.Pages), format.Count(format.Sum(s.Records))
			if whole := (report.Report{Summary: crawler.Summary{Revisit: s.Revisit}}); note == "" && s.Revisit != nil {
				note, _ = whole.Revisited()
				note = "pages: " + note
			}
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Number, r.Crawl, r.Status, minute(r.Occurrence), minute(r.Started), tookOf(r), pages, records, note)
	}
	return w.Flush()
}

// runSummary is what is read of a summary here.
type runSummary struct {
	Pages   int64              `json:"pages"`
	Records map[string]int64   `json:"records"`
	Revisit *crawler.Revisited `json:"revisit"`
}

func summaryOf(r *history.Run) (s runSummary, ok bool) {
	return s, len(r.Summary) > 0 && json.Unmarshal(r.Summary, &s) == nil
}

func minute(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func tookOf(r *history.Run) string {
	if r.Started.IsZero() || r.Ended.IsZero() || r.Status == history.Skipped {
		return "-"
	}
	return format.Duration(r.Ended.Sub(r.Started))
}

func runByNumber(cmd *cobra.Command, h *history.History, text string) (history.Run, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return history.Run{}, fmt.Errorf("%q is not the number of a run: amble runs list shows them", text)
	}
	return h.Get(cmd.Context(), n)
}

// diffRuns compares the figures of two summaries, by their paths.
func diffRuns(cmd *cobra.Command, h *history.History, a, b string, asJSON bool) error {
	var figures [2]map[string]string
	for i, number := range []string{a, b} {
		r, err := runByNumber(cmd, h, number)
		if err != nil {
			return err
		}
		figures[i] = map[string]string{"status": string(r.Status), "reason": r.Reason, "took": tookOf(&r)}
		var summary map[string]any
		if len(r.Summary) > 0 {
			if err := json.Unmarshal(r.Summary, &summary); err != nil {
				return fmt.Errorf("the summary of run %s: %w", number, err)
			}
		}
		flatten("", summary, figures[i])
		withoutOwn(figures[i], r.Run)
	}
	type difference struct {
		Figure string `json:"figure"`
		Before string `json:"before"`
		After  string `json:"after"`
	}
	all := maps.Clone(figures[0])
	maps.Copy(all, figures[1])
	found := []difference{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if figures[0][name] != figures[1][name] {
			found = append(found, difference{name, figures[0][name], figures[1][name]})
		}
	}
	if asJSON {
		return cli.PrintJSON(cmd.OutOrStdout(), found)
	}
	if len(found) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "Nothing differs.")
		return nil
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "FIGURE\tRUN %s\tRUN %s\n", a, b)
	for _, d := range found {
		fmt.Fprintf(w, "%s\t%s\t%s\n", d.Figure, firstLine(d.Before), firstLine(d.After))
	}
	return w.Flush()
}

// withoutOwn takes out what differs between any two runs and says nothing: when and under
// which name they ran. How long they took stands there once.
func withoutOwn(figures map[string]string, run string) {
	for _, name := range []string{"run", "started_at", "duration_s"} {
		delete(figures, name)
	}
	if run == "" {
		return
	}
	for name, text := range figures {
		figures[name] = strings.ReplaceAll(text, run, "{run}") // as in the names of outputs
	}
}

// flatten puts the values of nested objects under the path of their keys.
func flatten(path string, value any, into map[string]string) {
	object, ok := value.(map[string]any)
	if !ok {
		if value != nil {
			text, _ := json.Marshal(value) // it was JSON before
			into[path] = string(text)
		}
		return
	}
	for key, v := range object {
		next := key
		if path != "" {
			next = path + "." + key
		}
		flatten(next, v, into)
	}
}

// firstLine is a text cut to what a table has room for.
func firstLine(text string) string {
	line, _, cut := strings.Cut(text, "\n")
	if len(line) > 100 {
		line, cut = strings.ToValidUTF8(line[:100], ""), true
	}
	if cut {
		line += " ..."
	}
	return line
}
