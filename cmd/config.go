package cmd

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/crawler/config"
)

// setUsage describes the flag that several commands share.
const setUsage = "override one config key, as `key=value`, such as politeness.delay=2s; repeatable"

// loadConfig reads a config for a command that goes on with it: mistakes are
// printed and end the command, warnings are printed. What the command prints from
// here on shows no value that the seeds' URLs got from the environment.
func loadConfig(cmd *cobra.Command, path string, set []string) (*config.Config, error) {
	cfg, problems := config.Load(path, config.Options{Env: os.LookupEnv, Set: set})
	_ = problems.Write(cmd.ErrOrStderr()) // the exit status tells it too
	if problems.Failed() {
		return nil, exitSilent(exitConfig)
	}
	veil := cfg.Veil()
	cmd.Root().SetOut(hiding(cmd.OutOrStdout(), veil))
	cmd.Root().SetErr(hiding(cmd.ErrOrStderr(), veil))
	return cfg, nil
}
