package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler/config"
)

// SetUsage describes the flag that several commands share.
const SetUsage = "override one config key, as `key=value`, such as politeness.delay=2s; repeatable"

// LoadConfig reads a config for a command that goes on with it: mistakes are
// printed and end the command, warnings are printed. What the command prints from
// here on shows no value that the seeds' URLs got from the environment.
func LoadConfig(cmd *cobra.Command, path string, set []string) (*config.Config, error) {
	cfg, problems := config.Load(path, config.Options{Env: os.LookupEnv, Set: set})
	_ = problems.Write(cmd.ErrOrStderr()) // the exit status tells it too
	if problems.Failed() {
		return nil, exit.Silent(exit.Config)
	}
	veil := cfg.Veil()
	cmd.Root().SetOut(hiding(cmd.OutOrStdout(), veil))
	cmd.Root().SetErr(hiding(cmd.ErrOrStderr(), veil))
	return cfg, nil
}
