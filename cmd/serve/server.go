package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/alert"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/dashboard"
	"github.com/amblecrawl/amble/crawler/handover"
	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/monitor"
	"github.com/amblecrawl/amble/crawler/tracing"
	"github.com/amblecrawl/amble/politeness"
)

// server is a daemon with the configs that it was given.
type server struct {
	daemon  *daemon.Daemon
	history *history.History
	log     *slog.Logger
	configs *configs
	common  *politeness.Common // the hosts' time, for all crawls
	used    bool               // an earlier process may have asked hosts a moment ago
	debts   *debtBook
	tracer  *tracing.Tracer // nil for none

	alerts alerts
	board  *monitor.Board                     // of the runs that go on
	shown  atomic.Pointer[[]dashboard.Config] // what the dashboard knows of configs
	byName atomic.Pointer[map[string]*config.Config]
}

func newServer(cmd *cobra.Command, args []string) *server {
	s := &server{log: cli.Logger(cmd, cmd.ErrOrStderr(), false), board: monitor.NewBoard(crawler.SystemClock{}.Now), common: politeness.NewCommon(nil)}
	s.configs = &configs{args: args, log: s.log, load: func(path string) (*config.Config, config.Diagnostics) {
		return config.Load(path, config.Options{Env: os.LookupEnv})
	}}
	return s
}

// serve runs a daemon until its end, which is that of the command or that it gives way.
func (s *server) serve(cmd *cobra.Command, flags serveFlags, successor *succession) error {
	tracer, closeTraces, err := cli.OpenTraces(cmd, flags.trace, s.log)
	if err != nil {
		return err
	}
	defer closeTraces()
	s.tracer = tracer
	s.alerts = alerts{alert.NewSender(s.log)}
	defer s.alerts.sender.Close(alertsWithin)
	if err := s.configs.read(); err != nil {
		return err
	}
	release, err := s.openHistory(cmd, cmp.Or(flags.history, historyBeside(s.configs.args[0])))
	if err != nil {
		return err
	}
	defer release()
	if s.debts, err = recallDebts(cmd.Context(), s.history, s.common, s.log); err != nil {
		return exit.With(exit.Failed, err)
	}
	defer s.debts.close()
	s.daemon = daemon.New(daemon.Options{History: s.history, Clock: crawler.SystemClock{}, Log: s.log, AtOnce: flags.atOnce})
	if err := s.daemon.Set(cmd.Context(), s.crawls()); err != nil {
		return exit.With(exit.Failed, err)
	}
	s.showConfigs()
	show, address, err := s.openDashboard(cmd.Context(), flags.dashboardFlags, successor)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "amble: %s, %d of them scheduled; history in %s\n",
		format.Plural(int64(len(s.configs.good)), "crawl"), s.configs.scheduled(), s.history.Path())
	reloading, stop := context.WithCancel(cmd.Context())
	defer stop()
	go s.reload(reloading, flags.every)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	watching.Go(func() { successor.await(reloading, s, stop) })
	if show != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "amble: the dashboard is at %s\n", address)
		defer s.showing(cmd.Context(), show)() // also while runs are put down for a successor
	}
	s.tellManager(handover.Ready)
	if err := s.daemon.Run(reloading); err != nil {
		return exit.With(exit.Failed, err)
	}
	return nil
}

// showing serves the dashboard beside the daemon. What it returns waits for its end.
func (s *server) showing(ctx context.Context, show func(context.Context) error) (wait func()) {
	ctx, stop := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := show(ctx); err != nil { // the crawls go on without it
			s.log.Error("the dashboard has ended", "error", err)
		}
	}()
	return func() { stop(); <-over }
}

// historyBeside is where the history is kept for a config or a folder of them.
func historyBeside(arg string) string {
	if info, err := os.Stat(arg); err != nil || !info.IsDir() {
		arg = filepath.Dir(arg)
	}
	return filepath.Join(arg, ".amble", "history.db")
}

// openHistory opens the history for this daemon alone, until release is called.
func (s *server) openHistory(cmd *cobra.Command, path string) (release func(), err error) {
	free, err := history.Hold(path)
	if errors.Is(err, history.ErrHeld) {
		return nil, exit.With(exit.Config, fmt.Errorf("%w (stop it, or name another file with --history)", err))
	}
	if err != nil {
		return nil, exit.With(exit.Failed, fmt.Errorf("the history of runs: %w", err))
	}
	s.used = crawl.UsedBefore(path)
	h, aside, err := history.OpenAnew(cmd.Context(), path, time.Now())
	if err != nil {
		free()
		return nil, exit.With(exit.Failed, fmt.Errorf("the history of runs: %w", err))
	}
	if aside != "" {
		s.log.Error("the history of runs was damaged: it is kept under another name, and a new one begins", "file", path, "kept", aside)
	}
	s.history = h
	return func() { _ = h.Close(); free() }, nil
}

// crawls are the daemon's crawls as the configs have them now.
func (s *server) crawls() []daemon.Crawl {
	var all []daemon.Crawl
	for _, cfg := range s.configs.good {
		compiled, err := cfg.Compiled()
		if err != nil { // lint has said so already
			s.log.Error("a schedule cannot be used", "config", cfg.File, "error", err)
			continue
		}
		all = append(all, daemon.Crawl{
			Name: cfg.Name, Schedule: compiled, Deadline: cfg.Schedule.Deadline,
			KeepRuns: cfg.History.Runs, KeepFor: cfg.History.For(),
			Run: func(ctx context.Context, o daemon.Occasion) daemon.Result { return s.execute(ctx, cfg, o) },
		})
	}
	return all
}

// reload reads the configs again when they change, or when it is told to.
func (s *server) reload(ctx context.Context, every time.Duration) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, reloadSignals...)
	defer signal.Stop(told)
	var tick <-chan time.Time
	if every > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		force := false
		select {
		case <-ctx.Done():
			return
		case <-told:
			force = true
		case <-tick:
		}
		if !force && !s.configs.changed() {
			continue
		}
		if err := s.configs.read(); err != nil {
			s.log.Error("the configs could not be read again: everything stays as it was", "error", err)
			continue
		}
		if err := s.daemon.Set(ctx, s.crawls()); err != nil {
			s.log.Error("the crawls could not be set up", "error", err)
			continue
		}
		s.showConfigs()
		s.log.Warn("the configs were read again", "crawls", len(s.configs.good))
	}
}

// tellManager tells a service manager how the daemon is.
func (s *server) tellManager(state string) {
	if err := handover.Notify(state); err != nil {
		s.log.Error("the service manager does not listen", "error", err)
	}
}
