package runs

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/crawler/history"
)

func showRun(cmd *cobra.Command, h *history.History, number string, asJSON bool) error {
	r, err := runByNumber(cmd, h, number)
	if err != nil {
		return err
	}
	if asJSON {
		return cli.PrintJSON(cmd.OutOrStdout(), r)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"run", fmt.Sprintf("%d of %s, %s", r.Number, r.Crawl, r.Run)}, {"status", string(r.Status)}, {"reason", r.Reason}, {"cause", string(r.Cause)},
		{"due", minute(r.Occurrence)}, {"started", minute(r.Started)}, {"ended", minute(r.Ended)}, {"took", tookOf(&r)},
	} {
		if row[1] != "" && row[1] != "-" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
	if err := printFigures(w, r.Summary); err != nil {
		return fmt.Errorf("the summary of run %s: %w", number, err)
	}
	return w.Flush()
}

// printFigures lists what a summary counts, but for what is nothing, what stands above
// it, and the profile of the records, which is for programs.
func printFigures(w io.Writer, summary json.RawMessage) error {
	if len(summary) == 0 {
		return nil
	}
	var whole map[string]any
	if err := json.Unmarshal(summary, &whole); err != nil {
		return err
	}
	for _, above := range []string{"name", "run", "status", "started_at", "duration_s", "profile", "outputs"} {
		if outputs, ok := whole[above].([]any); ok {
			for _, o := range outputs {
				fmt.Fprintf(w, "output\t%v\n", o)
			}
		}
		delete(whole, above)
	}
	figures := map[string]string{}
	flatten("", whole, figures)
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		if v := figures[name]; !slices.Contains([]string{"0", "false", "null", `""`, "[]", "{}"}, v) {
			fmt.Fprintf(w, "%s\t%s\n", name, firstLine(strings.Trim(v, `"`)))
		}
	}
	return nil
}
