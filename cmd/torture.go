package cmd

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/run"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/fixtures/torture"
)

//go:embed torture.yaml
var tortureConfig []byte

// tortureFlags are those of one examination.
type tortureFlags struct {
	listenOnly bool
	json       bool
	duration   time.Duration
	torture.Options
}

func newTortureCommand() *cobra.Command {
	var flags tortureFlags
	cmd := &cobra.Command{
		Use:   "torture",
		Short: "Examine a crawler's politeness, this one's or any other's",
		Long: `Serves hosts that try a crawler's politeness on this machine's loopback
addresses, has them crawled, and prints the score as the servers saw it.

Without --listen-only amble itself is examined. With it the suite only serves,
for any crawler, until it is interrupted or the duration is over: point the
crawler at the seeds, by HTTP proxy, by hosts file (with --port), or by plain
addresses, and tell it the same agent and delay.

Exit status 0 without a violation, 1 with one.`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runTorture(cmd, &flags) },
	}
	f := cmd.Flags()
	f.BoolVar(&flags.listenOnly, "listen-only", false, "serve for another crawler, and crawl nothing")
	f.DurationVar(&flags.duration, "duration", time.Minute, "how long it lasts at most")
	f.BoolVar(&flags.json, "json", false, "print the score as JSON")
	f.StringVar(&flags.Agent, "agent", "amble", "the crawler's product token")
	f.DurationVar(&flags.Delay, "delay", 200*time.Millisecond, "the delay that the crawler is told to keep")
	f.IntVar(&flags.Concurrency, "concurrency", 1, "the most requests in flight per host that it is told to have")
	f.BoolVar(&flags.GroupByAddress, "group-by-address", false, "judge names that share an address as one host")
	f.DurationVar(&flags.RetryAfter, "retry-after", 2*time.Second, "what busy hosts ask for")
	f.DurationVar(&flags.Drip, "drip", time.Second, "time between two bytes of the dripping robots.txt")
	f.IntVar(&flags.Port, "port", 0, "the port of every host (default: free ones)")
	f.StringSliceVar(&flags.Exams, "exams", nil, "hold these exams only, by name")
	return cmd
}

func runTorture(cmd *cobra.Command, flags *tortureFlags) error {
	if flags.duration <= 0 {
		return exit.With(exit.Config, fmt.Errorf("--duration: %v is no time", flags.duration))
	}
	suite, err := torture.Start(cmd.Context(), flags.Options)
	if errors.Is(err, torture.ErrOptions) {
		return exit.With(exit.Config, err)
	} else if err != nil {
		return exit.With(exit.Failed, err)
	}
	defer suite.Close()

	// Ended as by an interrupt, so that a crawl ends in good order.
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	defer time.AfterFunc(flags.duration, cancel).Stop()
	if flags.listenOnly {
		explainTorture(cmd.ErrOrStderr(), suite, flags)
		<-ctx.Done()
	} else if err := crawlTorture(ctx, cmd, suite, flags); err != nil {
		return err
	}
	return printScore(cmd.OutOrStdout(), suite.Report(), flags.json)
}

// explainTorture tells how to point a crawler at the suite.
func explainTorture(w io.Writer, suite *torture.Suite, flags *tortureFlags) {
	fmt.Fprintf(w, "Serving for %s, or until interrupted. The crawler's agent is to be %s, its delay %s.\n\n",
		flags.duration, flags.Agent, flags.Delay)
	fmt.Fprintf(w, "Seeds:\n%s\n", indented(suite.Seeds()))
	fmt.Fprintf(w, "By proxy: http_proxy=%s leads to these hosts, and to nothing else.\n\n", suite.Proxy())
	if flags.Port != 0 {
		fmt.Fprintf(w, "Or by hosts file, with these lines in it:\n%s\n", indented(strings.Split(strings.TrimSpace(suite.HostsFile()), "\n")))
	} else {
		fmt.Fprintf(w, "Or by hosts file: start again with --port to have every host at one port.\n\n")
	}
	fmt.Fprintf(w, "Or by plain addresses, as seeds:\n%s\n", indented(suite.Addresses()))
}

func indented(all []string) string { return "  " + strings.Join(all, "\n  ") + "\n" }

// crawlTorture crawls the suite as amble run would.
func crawlTorture(ctx context.Context, cmd *cobra.Command, suite *torture.Suite, flags *tortureFlags) error {
	dir, err := os.MkdirTemp("", "amble-torture-")
	if err != nil {
		return exit.With(exit.Failed, err)
	}
	defer os.RemoveAll(dir) // only a temporary folder is left if it fails
	cfg, err := tortureCrawl(cmd, dir, suite, flags)
	if err != nil {
		return err
	}
	cmd.SetContext(ctx)
	out := cmd.OutOrStdout()
	cmd.SetOut(io.Discard) // the crawl's own report is of no interest here
	err = run.Crawl(cmd, cfg, run.Flags{Fresh: true, JSON: flags.json})
	cmd.SetOut(out)
	if end, ok := errors.AsType[*exit.Error](err); ok && end.Code == exit.Interrupted {
		return nil // hosts that stay unreachable outlast any patience
	}
	return err
}

// tortureCrawl writes and loads the config of the crawl.
func tortureCrawl(cmd *cobra.Command, dir string, suite *torture.Suite, flags *tortureFlags) (*config.Config, error) {
	path := filepath.Join(dir, "torture.yaml")
	if err := os.WriteFile(path, tortureConfig, 0o644); err != nil {
		return nil, exit.With(exit.Failed, err)
	}
	set := []string{
		"seeds=[" + strings.Join(suite.Seeds(), ", ") + "]",
		"politeness.agent=" + flags.Agent,
		"politeness.delay=" + flags.Delay.String(),
		fmt.Sprintf("politeness.concurrency=%d", flags.Concurrency),
	}
	if flags.GroupByAddress {
		set = append(set, "politeness.group=address")
	}
	for host, addr := range suite.Resolve() {
		if flags.Port != 0 {
			host = fmt.Sprintf("%s:%d", host, flags.Port)
		}
		set = append(set, fmt.Sprintf("fetch.resolve.%q=%s", host, addr))
	}
	return cli.LoadConfig(cmd, path, set)
}

// printScore prints the report; a violation is a check that failed.
func printScore(w io.Writer, r torture.Report, asJSON bool) error {
	write := r.WriteText
	if asJSON {
		write = r.WriteJSON
	}
	if err := write(w); err != nil {
		return exit.With(exit.Failed, fmt.Errorf("writing the score: %w", err))
	}
	for _, x := range r.Results {
		if len(x.Violations) > 0 {
			return exit.Silent(exit.Nothing)
		}
	}
	return nil
}
