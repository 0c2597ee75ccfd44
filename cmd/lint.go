package cmd

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler/config"
)

func newLintCommand() *cobra.Command {
	var set []string
	cmd := &cobra.Command{
		Use:   "lint CONFIG...",
		Short: "Show every mistake in a config at once",
		Long:  "Shows every mistake in the configs, each as file:line:column: message.\nExit status 0 when there is none, 2 when there is one; warnings are no mistakes.",
		Args:  cli.Takes("CONFIG..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			failed := false
			for _, path := range args {
				_, problems := config.Load(path, config.Options{Env: os.LookupEnv, Set: set, Folders: config.ThisMachine()})
				_ = problems.Write(cmd.OutOrStdout()) // the exit status tells it too
				if problems.Failed() {
					failed = true
				} else {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: no mistake found\n", path)
				}
			}
			if failed {
				return exit.Silent(exit.Config)
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, cli.SetUsage)
	return cmd
}
