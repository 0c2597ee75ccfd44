package cmd

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/crawler/config"
)

// setUsage describes the flag that several commands share.
const setUsage = "override one config key, as `key=value`, such as politeness.delay=2s; repeatable"

func newLintCommand() *cobra.Command {
	var set []string
	cmd := &cobra.Command{
		Use:   "lint CONFIG...",
		Short: "Show every mistake in a config at once",
		Long:  "Shows every mistake in the configs, each as file:line:column: message.\nExit status 0 when there is none, 2 when there is one; warnings are no mistakes.",
		Args:  takes("CONFIG..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			failed := false
			for _, path := range args {
				_, problems := config.Load(path, config.Options{Env: os.LookupEnv, Set: set})
				_ = problems.Write(cmd.OutOrStdout()) // the exit status tells it too
				if problems.Failed() {
					failed = true
				} else {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: no mistake found\n", path)
				}
			}
			if failed {
				return &exitError{code: exitConfig}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, setUsage)
	return cmd
}

// loadConfig reads a config for a command that goes on with it: mistakes are
// printed and end the command, warnings are printed. What the command prints from
// here on shows no value that the seeds' URLs got from the environment.
func loadConfig(cmd *cobra.Command, path string, set []string) (*config.Config, error) {
	cfg, problems := config.Load(path, config.Options{Env: os.LookupEnv, Set: set})
	_ = problems.Write(cmd.ErrOrStderr()) // the exit status tells it too
	if problems.Failed() {
		return nil, &exitError{code: exitConfig}
	}
	veil := cfg.Veil()
	cmd.Root().SetOut(hiding(cmd.OutOrStdout(), veil))
	cmd.Root().SetErr(hiding(cmd.ErrOrStderr(), veil))
	return cfg, nil
}
