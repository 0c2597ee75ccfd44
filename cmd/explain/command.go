package explain

import (
	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler"
)

// NewCommand is amble explain.
func NewCommand() *cobra.Command {
	var set []string
	var state string
	var offline bool
	var call crawler.Call
	cmd := &cobra.Command{
		Use:   "explain CONFIG URL",
		Short: "Say what amble would do with a URL, and why",
		Long: `Says what amble would do with a URL and why: its canonical form, the scope
rule, the robots.txt line, the delay owed and who asked for it, and where it
stands in the crawl's state, also while a run is at work. Fetches nothing but
robots.txt (and tdmrep.json where the config asks for it), and that only where the
state has no copy of it; changes nothing.

A request that is more than a GET is one of its own: name it by --method and
--data.`,
		Args: cli.Takes("CONFIG", "URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := cli.LoadConfig(cmd, args[0], set)
			if err != nil {
				return err
			}
			u, err := cli.ParseRequest(cfg, args[1])
			if err != nil {
				return err
			}
			if err := call.Check(); err != nil {
				return exit.With(exit.Config, err)
			}
			if state != "" {
				cfg.State = state
			}
			kept := crawl.ReadState(cfg.State, cfg.Name)
			defer kept.Close()
			c, err := crawl.New(cfg, cli.Logger(cmd, cmd.ErrOrStderr(), false), kept.Past())
			if err != nil {
				return err
			}
			defer c.Close()
			return explain(c, cmd, args[1], u, &call, kept, offline)
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, cli.SetUsage)
	cmd.Flags().StringVar(&state, "state", "", "`folder` of the run's state, instead of the config's")
	cmd.Flags().BoolVar(&offline, "offline", false, "do not fetch robots.txt")
	cmd.Flags().StringVar(&call.Method, "method", "", "the request's `method`, GET by default")
	cmd.Flags().StringVar(&call.Body, "data", "", "the request's `body`")
	return cmd
}
