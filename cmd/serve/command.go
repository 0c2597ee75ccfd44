package serve

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler/handover"
	"github.com/amblecrawl/amble/crawler/history"
)

// serveFlags are how a daemon is run.
type serveFlags struct {
	trace     string // where traces are sent, empty for nowhere
	history   string
	atOnce    int
	every     time.Duration // how often configs are looked at
	checkOnly bool          // only see whether it could start
	try       string        // a config whose alerts are tried
	dashboardFlags
}

// NewCommand is amble serve.
func NewCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve CONFIG-or-DIR...",
		Short: "Run crawls on their schedules until stopped",
		Long: `Runs each crawl when its schedule says, and one without a schedule when somebody
starts it. Folders are searched for *.yaml and *.yml. Configs are read again when
they change, and on SIGHUP; of one that has become wrong the last good version
stays. What each run came to is kept in the history: amble runs list.

A run that is cut off, by a stop or a kill, goes on when the daemon is back.

The dashboard, the JSON API and /metrics are at the address of --listen. Beyond
loopback it needs a token, of 16 characters or more, in AMBLE_TOKEN or --token.

On SIGUSR2 it gives way to the binary that is there now, once that has shown with
--check that it can start: the process, its number and its socket stay, the runs go on.

Exit status: 0 stopped, by SIGINT or SIGTERM; 2 no config can be used, or the
address cannot be listened at; 3 the history cannot be written.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if flags.try != "" && len(args) == 0 {
				return nil
			}
			return cli.Takes("CONFIG-or-DIR...")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.try != "" {
				return testAlerts(cmd, flags.try)
			}
			return serving(cmd, args, flags)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.history, "history", "", "`file` of the history of runs (default: .amble/history.db beside the first config)")
	f.IntVar(&flags.atOnce, "at-once", 4, "runs that go on at a time")
	f.StringVar(&flags.listen, "listen", "127.0.0.1:7733", "`address` of the dashboard, the API and /metrics; empty for none")
	f.StringVar(&flags.token, "token", "", "token that the dashboard asks for; AMBLE_TOKEN keeps it out of the list of processes")
	f.StringSliceVar(&flags.hosts, "host", nil, "a `name` by which the dashboard is reached, such as that of a proxy; repeatable")
	f.StringVar(&flags.try, "test-alerts", "", "send a test message to each of the alerts of this `config`, and end")
	f.StringVar(&flags.trace, "trace", "", cli.TraceUsage)
	f.BoolVar(&flags.checkOnly, "check", false, "only say whether it could start with these arguments, and end")
	f.DurationVar(&flags.every, "reload", 2*time.Second, "how often configs are looked at for changes; 0 only on SIGHUP")
	return cmd
}

// serving runs a daemon until it is stopped, or gives way to a newer one for good.
func serving(cmd *cobra.Command, args []string, flags serveFlags) error {
	if flags.atOnce < 1 {
		return exit.With(exit.Config, errors.New("--at-once: at least one run at a time"))
	}
	if err := flags.check(); err != nil {
		return err
	}
	if flags.checkOnly {
		return checkServe(cmd, args, flags)
	}
	successor, err := newSuccession()
	if err != nil {
		return err
	}
	for {
		s := newServer(cmd, args)
		if err := s.serve(cmd, flags, successor); err != nil || !successor.giving || cmd.Context().Err() != nil {
			s.tellManager(handover.Stopping)
			return err
		}
		s.log.Error("the other binary could not be started: this one goes on", "error", successor.replace())
	}
}

// checkServe says whether a daemon could be started, and changes nothing.
func checkServe(cmd *cobra.Command, args []string, flags serveFlags) error {
	s := newServer(cmd, args)
	if err := s.configs.read(); err != nil {
		return err
	}
	if n := len(s.configs.broken); n > 0 { // which the log names
		return exit.With(exit.Config, fmt.Errorf("%s cannot be used", format.Plural(int64(n), "config")))
	}
	path := cmp.Or(flags.history, historyBeside(args[0]))
	h, err := history.OpenReader(cmd.Context(), path)
	switch {
	case err == nil:
		defer h.Close()
	case !missing(err) && !errors.Is(err, history.ErrCorrupt): // for which there is a new one
		return exit.With(exit.Failed, fmt.Errorf("the history of runs: %w", err))
	}
	fmt.Fprintf(cmd.OutOrStdout(), "amble %s: %s can be served\n", version.Number, format.Plural(int64(len(s.configs.good)), "crawl"))
	return nil
}
