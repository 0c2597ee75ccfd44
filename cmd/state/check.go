package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/politeness/ledger"
)

func newStateCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check STATE|CONFIG",
		Short: "Verify every checksum of a state, and that its parts agree",
		Long: `Reads a state to its last octet: the checksums of the store and of the ledger,
whether each queued URL has its state and the counts add up, and, where the config
is named, whether the output files hold what was committed to them. Nothing is
changed. Exit status 0 when all is well, 1 when something is wrong: it is named,
and so is what can be saved.`,
		Args: cli.Takes("STATE|CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := Find(cmd, args[0])
			if err != nil {
				return err
			}
			c, err := checkState(cmd.Context(), s)
			if err != nil {
				return Unreadable(err)
			}
			if asJSON {
				err = cli.PrintJSON(cmd.OutOrStdout(), c)
			} else {
				err = c.print(cmd.OutOrStdout())
			}
			if err == nil && len(c.Problems) > 0 {
				err = exit.Silent(exit.Nothing)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// stateCheck is the output of state check.
type stateCheck struct {
	State string `json:"state"`
	frontier.Checked
	LedgerEntries int64 `json:"ledger_entries"`
	// OutputsChecked counts the outputs that were compared with the state.
	OutputsChecked int `json:"outputs_checked"`
	outputProblems int
	// Salvageable pending URLs, where something is wrong.
	Salvageable int64 `json:"salvageable_urls"`
}

func (c *stateCheck) problem(where string, err error) {
	for _, what := range strings.Split(exit.InPlainWords(err), "\n") { // joined errors
		c.Problems = append(c.Problems, frontier.Problem{Where: where, What: what})
	}
}

func checkState(ctx context.Context, s Named) (*stateCheck, error) {
	checked, r, err := frontier.Check(ctx, s.Dir)
	if err != nil {
		return nil, err
	}
	c := &stateCheck{State: s.Dir, Checked: *checked}
	if r != nil {
		c.checkRun(r)
		c.checkOutputs(r, s)
		if err := r.Close(); err != nil && len(c.Problems) == 0 {
			return nil, err
		}
	}
	if err := c.checkLedger(ctx, s.Dir); err != nil {
		return nil, err
	}
	if len(c.Problems) > c.outputProblems {
		c.Salvageable, err = salvageable(ctx, s.Dir)
	}
	if len(c.Problems) == 0 {
		c.Problems = []frontier.Problem{} // an empty list in JSON
	}
	return c, err
}

// checkRun looks at what the engine keeps in the state.
func (c *stateCheck) checkRun(r *frontier.Reader) {
	if _, _, err := crawler.ReadRun(r); err != nil {
		c.problem("run", err)
	}
	if _, err := crawler.ReadTotals(r); err != nil {
		c.problem("totals", err)
	}
}

// checkOutputs compares the files of the config's outputs with what the run has
// committed to them. A finished run leaves its files to whom they were made for.
func (c *stateCheck) checkOutputs(r *frontier.Reader, s Named) {
	run, found, err := crawler.ReadRun(r)
	if s.Config == nil || !found || err != nil || run.Finished {
		return
	}
	for _, out := range s.Config.AllSinks() {
		sink, ok := out.Sink.(interface{ CheckPosition([]byte) error })
		if !ok {
			continue
		}
		position, err := crawler.ReadPosition(r, out.Name)
		if out.Rejects && position == nil && err == nil {
			continue // of a version that had none
		}
		if err == nil && position == nil {
			err = fmt.Errorf("run %s does not write to it", run.ID)
		}
		if err == nil {
			err = sink.CheckPosition(position)
		}
		if err != nil {
			before := len(c.Problems)
			c.problem("output "+out.Name, err)
			c.outputProblems += len(c.Problems) - before
		}
		if !out.Rejects {
			c.OutputsChecked++
		}
	}
}

func (c *stateCheck) checkLedger(ctx context.Context, dir string) error {
	for _, err := range ledger.Read(polite.LedgerFolder(dir)) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, ledger.ErrTorn):
			// No run yet; or as a crash leaves it, which the next run mends.
		case err != nil:
			c.problem("ledger", err)
		default:
			c.LedgerEntries++
		}
	}
	return nil
}

// salvageable counts what export-urls --salvage would name of the queue.
func salvageable(ctx context.Context, dir string) (n int64, err error) {
	r, _, err := frontier.Salvage(ctx, dir, "")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, err := range r.Pending(ctx) {
		if err == nil {
			n++
		}
	}
	return n, ctx.Err()
}

func (c *stateCheck) print(w io.Writer) error {
	for _, p := range c.Problems {
		if _, err := fmt.Fprintf(w, "%s: %s\n", p.Where, p.What); err != nil {
			return err
		}
	}
	if c.More > 0 {
		if _, err := fmt.Fprintf(w, "and %s more\n", format.Plural(int64(c.More), "problem")); err != nil {
			return err
		}
	}
	outputs := "outputs not checked (for that, name the config of an unfinished run)"
	if c.OutputsChecked > 0 {
		outputs = format.Plural(int64(c.OutputsChecked), "output")
	}
	if _, err := fmt.Fprintf(w, "%s: read %s with %s, %s, %s of the ledger, %s\n", c.State,
		format.Plural(int64(c.Files), "file"), format.Size(c.Bytes), format.Plural(c.Rows, "row"), entries(c.LedgerEntries), outputs); err != nil {
		return err
	}
	verdict := "all is well"
	switch n := len(c.Problems) + c.More; {
	case n > c.outputProblems:
		verdict = fmt.Sprintf("%s; amble state export-urls --salvage can save %s of the queue; amble run --fresh starts over",
			format.Plural(int64(n), "problem"), format.Plural(c.Salvageable, "URL"))
	case n > 0:
		verdict = format.Plural(int64(n), "problem") + "; the state is whole: put the files back as they were, or start over with amble run --fresh"
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return format.Count(n) + " entries"
}
