package cmd

import (
	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/draft"
	"github.com/amblecrawl/amble/cmd/explain"
	"github.com/amblecrawl/amble/cmd/plan"
	"github.com/amblecrawl/amble/cmd/robots"
	"github.com/amblecrawl/amble/cmd/run"
	"github.com/amblecrawl/amble/cmd/runs"
	"github.com/amblecrawl/amble/cmd/saved"
	"github.com/amblecrawl/amble/cmd/serve"
	"github.com/amblecrawl/amble/cmd/state"
	"github.com/amblecrawl/amble/cmd/try"
	"github.com/amblecrawl/amble/cmd/version"
)

// newRoot is the command tree.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "amble",
		Short: "A polite web crawler that turns pages into records",
		Long: `amble crawls politely: robots.txt, delays and limits per host are kept by
design, every record is written exactly once, and a run that was stopped or
killed goes on where it was.

  amble demo                 see it work on a built-in web
  amble init URL             a config to start from, by what a page offers
  amble run crawl.yaml       run a crawl
  amble lint crawl.yaml      check a config
  amble try crawl.yaml URL   see what one page gives
  amble serve DIR            run crawls on their schedules`,
		Version:       version.Number,
		Args:          cli.KnownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
	}
	root.SetVersionTemplate(version.Line())
	root.SetFlagErrorFunc(cli.BadFlag)
	root.PersistentFlags().CountP("verbose", "v", "log more: -v what happens to each URL, -vv everything")
	root.AddCommand(
		run.NewCommand(), newDemoCommand(), newLintCommand(), newSchemaCommand(),
		draft.NewCommand(), try.NewCommand(), explain.NewCommand(), plan.NewCommand(), robots.NewCommand(), newTortureCommand(), newVersionCommand(),
		newKeysCommand(), newAuditCommand(), state.NewCommand(), newBuildCommand(), newPluginsCommand(), newDriftCommand(), saved.NewCommand(),
		serve.NewCommand(), runs.NewCommand(), newExportCommand(),
	)
	return root
}
