package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/execution"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/report"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/monitor"
)

// Flags are how a run differs from its config; the zero value changes nothing.
type Flags struct {
	Fresh bool // an unfinished run is discarded
	JSON  bool // progress and summary are lines of JSON
	Demo  bool // the web ends with the run

	trace   string // where traces are sent, empty for nowhere
	state   string
	summary string
	set     []string
	profile string // a file for a CPU profile
	accept  bool   // the run is good, whatever its records are like
	record  string // a file to keep all answers in
	replay  string // one to take them from
	skip    bool   // without what is damaged of it
}

// given are the flags that the commands to be run next need as well.
func (f *Flags) given() report.Given {
	return report.Given{State: f.state, Set: f.set, Record: f.record, Replay: f.replay, SkipDamaged: f.skip, Summary: f.summary, Trace: f.trace, Accept: f.accept}
}

// NewCommand is amble run.
func NewCommand() *cobra.Command {
	var flags Flags
	cmd := &cobra.Command{
		Use:   "run CONFIG",
		Short: "Run one crawl to its end",
		Long: `Runs one crawl to its end. An unfinished run resumes by itself.

Exit status: 0 finished; 1 finished but nothing could be fetched, or records have
drifted and drift.action is fail; 2 the config or the command line is wrong; 3 a sink, disk or engine failure; 130 interrupted.
After 3 and 130 the same command goes on where the run stopped.`,
		Args: cli.Takes("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := cli.LoadConfig(cmd, args[0], flags.set)
			if err != nil {
				return err
			}
			stop, err := profileCPU(flags.profile)
			if err != nil {
				return err
			}
			return errors.Join(Crawl(cmd, cfg, flags), stop())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&flags.Fresh, "fresh", false, "discard an unfinished run and start anew")
	f.StringVar(&flags.state, "state", "", "`folder` of the run's state, instead of the config's")
	f.StringVar(&flags.summary, "summary", "", "write the run's summary to this `file` as JSON")
	f.BoolVar(&flags.JSON, "json", false, "print progress and summary as JSON lines")
	f.StringVar(&flags.profile, "cpuprofile", "", "write a CPU profile to this `file`, for go tool pprof")
	f.StringVar(&flags.record, "record", "", "keep every answer in this `file`, to run the crawl again without a network; a resumed run appends to it")
	f.StringVar(&flags.replay, "replay", "", "take every answer from this `file`: nothing is sent, and nothing waits. The state is beside the crawl's own, and always begins anew")
	f.BoolVar(&flags.skip, "skip-damaged", false, "with --replay: go without what is damaged of the file, instead of refusing it")
	cmd.MarkFlagsMutuallyExclusive("record", "replay")
	cmd.MarkFlagsMutuallyExclusive("state", "replay")
	f.StringVar(&flags.trace, "trace", "", cli.TraceUsage)
	f.StringArrayVar(&flags.set, "set", nil, cli.SetUsage)
	f.BoolVar(&flags.accept, "accept-drift", false, "take this run as a good one, whatever its records are like")
	return cmd
}

// Crawl runs a crawl, shows it, and reports on it.
func Crawl(cmd *cobra.Command, cfg *config.Config, flags Flags) error {
	stderr := cmd.ErrOrStderr()
	state := cfg.State
	if flags.state != "" {
		if strings.Contains(flags.state, "://") {
			return exit.With(exit.Config, fmt.Errorf("--state %s: want a folder; states elsewhere are not supported yet", flags.state))
		}
		state = flags.state
	}
	if err := checkSummary(flags.summary); err != nil {
		return err
	}
	m := monitor.New(crawler.SystemClock{}.Now)
	logs, stopProgress := showProgress(stderr, m, flags.JSON, cfg.Scope.MaxPages)
	log := cli.Logger(cmd, logs, flags.JSON)
	defer func() { stopProgress() }()

	tracer, closeTraces, err := cli.OpenTraces(cmd, flags.trace, log)
	if err != nil {
		return err
	}
	defer closeTraces()
	x := &execution.Execution{
		Config: cfg, State: state, Fresh: flags.Fresh, Accept: flags.accept, Monitor: m, Log: log, Tracer: tracer,
		LedgerFor: cfg.History.LedgerFor(false), Answers: execution.Answers{Record: flags.record, Replay: flags.replay, SkipDamaged: flags.skip},
	}
	x.Resuming = func(run crawler.RunState, settled int64) { sayResuming(stderr, log, flags.JSON, run, settled) }
	if flags.replay == "" { // which always begins anew
		if !flags.Fresh {
			x.Owed = readUntold(state)
		}
		x.Recalling = func(run crawler.RunState) { sayRecalled(stderr, log, flags.JSON, run) }
		x.Began = func(id string) { noteUntold(state, id, log) }
	}
	r, err := x.Run(cmd.Context())
	if err != nil {
		return err
	}
	stopProgress()
	stopProgress = func() {}
	r.Given, r.Demo = flags.given(), flags.Demo
	err = writeSummary(cmd, &r, flags)
	if flags.replay == "" && (err == nil || flags.summary == "") {
		forgetUntold(state, log)
	}
	if err != nil {
		return err
	}
	return r.Exit(cfg)
}

// sayResuming tells that a run goes on, and how to start over instead.
func sayResuming(w io.Writer, log *slog.Logger, asJSON bool, run crawler.RunState, settled int64) {
	if asJSON {
		log.Warn("resuming an unfinished run", "run", run.ID, "started", run.Started, "settled", settled)
		return
	}
	fmt.Fprintf(w, "amble: resuming the run of %s, %s done; --fresh starts over instead\n",
		run.Started.UTC().Format("2006-01-02 15:04:05 MST"), format.Plural(settled, "URL"))
}

// checkSummary finds out before the run that its summary can be written.
func checkSummary(path string) error {
	if path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return exit.With(exit.Config, fmt.Errorf("--summary: %w", err))
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return exit.With(exit.Config, fmt.Errorf("--summary: %w", err))
	}
	return f.Close()
}

// onStdout tells whether a sink's place is this process's standard output.
func onStdout(place string) bool {
	return place == "-" || place == "standard output" || place == "/dev/stdout"
}

func writeSummary(cmd *cobra.Command, r *report.Report, flags Flags) error {
	if flags.summary != "" {
		data, err := json.MarshalIndent(r.Whole(), "", "  ")
		if err == nil {
			err = os.WriteFile(flags.summary, append(data, '\n'), 0o644)
		}
		if err != nil {
			return exit.With(exit.Failed, fmt.Errorf("writing the summary: %w", err))
		}
	}
	out := cmd.OutOrStdout()
	if slices.ContainsFunc(r.Summary.Outputs, onStdout) {
		out = cmd.ErrOrStderr() // stdout holds records, and nothing but records
	}
	if !flags.JSON {
		if !r.Unstarted {
			r.Print(out)
		}
		return nil
	}
	line := struct {
		Event string `json:"event"`
		report.WholeSummary
	}{"summary", r.Whole()}
	if err := json.NewEncoder(out).Encode(line); err != nil {
		return exit.With(exit.Failed, fmt.Errorf("writing the summary: %w", err))
	}
	return nil
}
