package serve

import (
	"cmp"
	"context"
	"encoding/json"
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
	"github.com/amblecrawl/amble/cmd/execution"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/report"
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

	alerts *alert.Sender
	board  *monitor.Board                     // of the runs that go on
	shown  atomic.Pointer[[]dashboard.Config] // what the dashboard knows of configs
	byName atomic.Pointer[map[string]*config.Config]
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
	s.alerts = alert.NewSender(s.log)
	defer s.alerts.Close(alertsWithin)
	if err := s.configs.read(); err != nil {
		return err
	}
	release, err := s.openHistory(cmd, cmp.Or(flags.history, historyBeside(s.configs.args[0])))
	if err != nil {
		return err
	}
	defer release()
	if err := s.recallDebts(cmd.Context()); err != nil {
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

// execute is one run of a crawl.
func (s *server) execute(ctx context.Context, cfg *config.Config, o daemon.Occasion) daemon.Result {
	m, end := s.board.Begin(cfg.Name, execution.Hiding(cfg))
	defer end()
	defer s.watchTime(cfg, o.Number)()
	own := *cfg // a run may lower its number of workers
	debts := s.watchDebts(cfg, o.Number)
	var earlier history.Run // what is known of it, where it was cut off
	if o.Again {
		var err error
		if earlier, err = s.history.Get(context.WithoutCancel(ctx), o.Number); err != nil {
			s.log.Error("what is known of a run that was cut off could not be read", "crawl", cfg.Name, "run", o.Number, "err", err)
		}
	}
	x := &execution.Execution{
		Owed:   earlier.Run,
		Config: &own, State: cfg.State, Monitor: m, Log: s.log.With("crawl", cfg.Name), Began: o.Named, Common: s.common, Used: s.used, Tracer: s.tracer, LedgerFor: cfg.History.LedgerFor(true),
		Entered: func(entries []crawler.Entry) {
			for i := range entries {
				m.Hosts().Add(&entries[i])
			}
			if debts != nil {
				debts(entries)
			}
		},
	}
	r, err := x.Run(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return daemon.Result{Status: history.Stopped}
		}
		failed := daemon.Result{Status: history.Failed, Reason: exit.Message(cfg, err).Error()}
		s.alertOn(ctx, cfg, o.Number, failed, nil)
		return failed
	}
	result := resultOf(cfg, &r)
	result.Detail = execution.Detail(m, earlier.Detail)
	s.alertOn(ctx, cfg, o.Number, result, &r)
	return result
}

// resultOf is how a run ended, as the history keeps it.
func resultOf(cfg *config.Config, r *report.Report) daemon.Result {
	out := daemon.Result{Status: history.Finished}
	if data, err := json.Marshal(r.Whole()); err == nil {
		out.Summary = json.RawMessage(cfg.Redact(string(data)))
	}
	switch err := r.Exit(cfg); {
	case err == nil:
	case r.Summary.Status == crawler.StatusInterrupted:
		out.Status = history.Stopped
	case exit.Said(err):
		out.Status, out.Reason = history.Failed, execution.Hiding(cfg)(r.WhyNothing())
	default:
		out.Status, out.Reason = history.Failed, err.Error()
	}
	return out
}
