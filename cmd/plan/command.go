package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler/config"
)

// planFlags say what is read and how it is shown.
type planFlags struct {
	set      []string
	hosts    int
	sitemaps bool
	json     bool
}

// NewCommand is amble plan.
func NewCommand() *cobra.Command {
	var flags planFlags
	cmd := &cobra.Command{
		Use:   "plan CONFIG",
		Short: "Say before a run how much it will ask for, and how long that takes",
		Long: `Says how many URLs seeds and sitemaps list, what robots.txt disallows, and the
shortest polite time for each host and for all. It is the least that a run does:
the links that it finds come on top.

Fetches robots.txt and sitemaps only (and tdmrep.json where the config asks for
it), as politely as a run, and writes nothing.

Exit status: 0; 1 there is nothing that could be fetched; 2 the config or the
command line is wrong; 130 interrupted.`,
		Args: cli.Takes("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.hosts < 0 {
				return exit.With(exit.Config, fmt.Errorf("--hosts %d: want 0, for all, or more", flags.hosts))
			}
			cfg, err := cli.LoadConfig(cmd, args[0], flags.set)
			if err != nil {
				return err
			}
			return planCrawl(cmd, cfg, flags)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.set, "set", nil, cli.SetUsage)
	f.IntVar(&flags.hosts, "hosts", 20, "show the `n` hosts that take longest; 0 for all")
	f.BoolVar(&flags.sitemaps, "sitemaps", false, "also count the URLs of sitemaps that robots.txt names and the seeds do not")
	f.BoolVar(&flags.json, "json", false, "print the plan as one JSON document")
	return cmd
}

func planCrawl(cmd *cobra.Command, cfg *config.Config, flags planFlags) error {
	ctx := cmd.Context()
	log := cli.Logger(cmd, cmd.ErrOrStderr(), false)
	c, err := crawl.New(cfg, log, crawl.Past{Hosts: polite.Memory{Used: crawl.UsedBefore(cfg.State)}})
	if err != nil {
		return err
	}
	defer c.Close()
	kept := &crawl.Kept{}
	if cfg.Revisit.On() {
		kept = crawl.ReadState(cfg.State, cfg.Name)
		defer kept.Close()
	}
	p := newPlanner(c)
	p.recall = knows(c, kept)
	p.readAnew = readsAnew(c, kept, time.Now())
	p.heedsLastmod = c.Config.RevisitRules(version.Program()).Lastmod && p.recall != nil
	stop := p.showProgress(cmd.ErrOrStderr())
	err = p.gather(ctx, flags.sitemaps)
	stop()
	switch {
	case ctx.Err() != nil:
		return exit.Silent(exit.Interrupted)
	case err != nil:
		return exit.With(exit.Config, exit.Message(cfg, err))
	}
	now := time.Now()
	r := p.report(now, p.revisits(kept, now))
	if err := r.write(cmd.OutOrStdout(), cfg, flags); err != nil {
		return exit.With(exit.Failed, fmt.Errorf("writing the plan: %w", err))
	}
	if r.Pages == 0 {
		return exit.Silent(exit.Nothing)
	}
	return nil
}

func (r *Report) write(out io.Writer, cfg *config.Config, flags planFlags) error {
	if !flags.json {
		return r.print(out, cfg, flags)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
