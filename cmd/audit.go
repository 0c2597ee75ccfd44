package cmd

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/politeness/ledger"
)

func newAuditCommand() *cobra.Command {
	var host string
	var html bool
	cmd := &cobra.Command{
		Use:   "audit STATE",
		Short: "Re-check a crawl's politeness from its ledger, offline",
		Long: `Derives again, from the ledger in a crawl's state folder alone, what each
request owed and was allowed, and compares: delays, requests at once,
robots.txt, Retry-After and backoff after 429 and 503, rests of failing hosts,
the crawl window. Exit status 0 when there is no violation, 1 when there
is one, and it is named. It says from when on the account is held, and what is
told of what was put away before (history.ledger_days).

With --host HOST --html it writes the page for a webmaster who asks: when the
crawl came, how often, and under which rule.`,
		Args: cli.Takes("STATE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if html && host == "" {
				return errors.New("audit: --html needs --host (see amble audit --help)")
			}
			return audit(cmd, args[0], host, html)
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "look closer at one host, such as https://books.example")
	cmd.Flags().BoolVar(&html, "html", false, "write the page about --host as HTML")
	return cmd
}

func audit(cmd *cobra.Command, state, host string, html bool) error {
	folder := polite.LedgerFolder(state)
	if _, err := os.Stat(folder); err != nil {
		return exit.With(exit.Config, fmt.Errorf("%s holds no ledger: name the state folder of a crawl that has run", state))
	}
	report, err := ledger.Audit(cmd.Context(), folder, ledger.Rules{Trace: host})
	if report == nil {
		return exit.With(exit.Config, err)
	}
	out := cmd.OutOrStdout()
	write := func() error { return report.WriteText(out) }
	if html {
		write = func() error { return report.WriteHTML(out, host) }
	}
	if werr := write(); werr != nil {
		return exit.With(exit.Config, werr)
	}
	switch {
	case err != nil:
		return exit.With(exit.Nothing, err)
	case report.Found > 0:
		return exit.Silent(exit.Nothing)
	}
	return nil
}
