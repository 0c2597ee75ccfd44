package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/urls"
)

// NewCommand is amble state.
func NewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Look after a crawl's state: check, stats, compact, export-urls",
		Long: `Looks after the state of a crawl that is not running. STATE is the folder; where
the config is named instead, its state is meant, and what only the config knows
(outputs, parameters of URLs that do not count) is taken into account.

  amble state check crawl.yaml         is everything there, and whole?
  amble state stats crawl.yaml         how far did it get, what does it take?
  amble state compact crawl.yaml       give disk space back
  amble state export-urls crawl.yaml   the URLs, one a line`,
		Args: cli.KnownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newStateCheckCommand(), newStateStatsCommand(), newStateCompactCommand(), newStateExportCommand())
	return cmd
}

// Named is the state that an argument names, and the config if it was that.
type Named struct {
	Dir    string
	Config *config.Config
}

// Find reads what an argument names: a state's folder, or a config with its state.
func Find(cmd *cobra.Command, arg string) (Named, error) {
	info, err := os.Stat(arg)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Named{}, exit.With(exit.Config, fmt.Errorf("%s: there is no such state folder or config", arg))
	case err != nil:
		return Named{}, exit.With(exit.Config, err)
	case info.IsDir():
		return Named{Dir: filepath.Clean(arg)}, nil
	}
	cfg, err := cli.LoadConfig(cmd, arg, nil)
	if err != nil {
		return Named{}, err
	}
	return Named{Dir: cfg.State, Config: cfg}, nil
}

// Unreadable is the exit of a state that cannot be read.
func Unreadable(err error) error {
	if errors.Is(err, context.Canceled) {
		return exit.Silent(exit.Interrupted)
	}
	if errors.Is(err, frontier.ErrNoState) {
		return exit.With(exit.Config, fmt.Errorf("%w (name the state folder of a crawl that has run, or its config)", err))
	}
	return exit.OfState(err)
}

func newStateStatsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats STATE|CONFIG",
		Short: "Count a state's URLs by outcome, its hosts, its queue and its disk space",
		Args:  cli.Takes("STATE|CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := Find(cmd, args[0])
			if err != nil {
				return err
			}
			stats, err := readStats(cmd.Context(), s.Dir)
			if err != nil {
				return Unreadable(err)
			}
			if asJSON {
				return cli.PrintJSON(cmd.OutOrStdout(), stats)
			}
			return stats.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// stateStats is the output of state stats.
type stateStats struct {
	State      string            `json:"state"`
	Crawl      string            `json:"crawl"`
	Format     int               `json:"format"`
	Version    string            `json:"version"`
	Commits    uint64            `json:"commits"`
	LastCommit string            `json:"last_commit,omitempty"`
	Run        *crawler.RunState `json:"run"`
	Totals     crawler.Totals    `json:"totals"`
	URLs       frontier.Census   `json:"urls"`
	Known      knownStats        `json:"known"`
	Disk       frontier.DiskUse  `json:"disk_bytes"`
}

func readStats(ctx context.Context, dir string) (s stateStats, err error) {
	r, err := frontier.OpenReader(dir)
	if err != nil {
		return s, err
	}
	defer func() { err = cmp.Or(err, r.Close()) }()
	if r.Cut != nil {
		return s, fmt.Errorf("state folder %s: %w", dir, r.Cut)
	}
	id := r.Identity()
	s = stateStats{State: dir, Crawl: id.Crawl, Format: id.Format, Version: id.Version}
	n, at := r.LastCommit()
	if s.Commits = n; !at.IsZero() {
		s.LastCommit = at.UTC().Format("2006-01-02T15:04:05Z")
	}
	run, found, err := crawler.ReadRun(r)
	if err != nil {
		return s, err
	}
	if found {
		s.Run = &run
	}
	if s.Totals, err = crawler.ReadTotals(r); err != nil {
		return s, err
	}
	if s.URLs, err = r.Census(ctx); err != nil {
		return s, err
	}
	err = r.EachKnown(urls.Key{}, func(k *crawler.Known) (bool, error) {
		s.Known.add(k)
		return ctx.Err() == nil, ctx.Err()
	})
	if err != nil {
		return s, err
	}
	s.Disk, err = r.DiskUse()
	return s, err
}

func newStateCompactCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compact STATE|CONFIG",
		Short: "Rewrite a state so that it takes no more room than it needs",
		Args:  cli.Takes("STATE|CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := Find(cmd, args[0])
			if err != nil {
				return err
			}
			c, err := frontier.Compact(cmd.Context(), s.Dir, version.Number)
			if err != nil {
				return Unreadable(err)
			}
			if asJSON {
				return cli.PrintJSON(cmd.OutOrStdout(), c)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s before, %s now\n", s.Dir, format.Size(c.Before), format.Size(c.After))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, in bytes")
	return cmd
}
