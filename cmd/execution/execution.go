package execution

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/cmd/report"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/aggregate"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/garbage"
	"github.com/amblecrawl/amble/crawler/login"
	"github.com/amblecrawl/amble/crawler/monitor"
	"github.com/amblecrawl/amble/crawler/tracing"
	"github.com/amblecrawl/amble/crawler/veil"
	"github.com/amblecrawl/amble/politeness"
)

// Execution is one run of a crawl in this process, whoever asks for it.
type Execution struct {
	Config  *config.Config
	State   string // the folder
	Fresh   bool   // an unfinished run is discarded
	Accept  bool   // whatever the records are like, they are good
	Monitor *monitor.Monitor
	Log     *slog.Logger
	// Common is the time of hosts that runs of this process share, nil for none.
	Common *politeness.Common
	// Used tells that other crawls of this process may have asked any host a moment
	// ago, by an earlier one.
	Used bool
	// Entered is told of what is new in the ledger; nil for nobody.
	Entered func([]crawler.Entry)
	Tracer  *tracing.Tracer // nil for none
	// Resuming is told of an unfinished run that goes on; nil for nobody.
	Resuming func(run crawler.RunState, settled int64)
	// Owed is the ID of a run whose end nobody has been told of, "" for none: where the
	// state has it as finished, this is told, and nothing is run.
	Owed string
	// Recalling is told of that run before it is reported; nil for nobody.
	Recalling func(run crawler.RunState)
	// Began is told the run's ID before the first request; nil for nobody.
	Began func(id string)
	// LedgerFor is for how long the ledger is kept, 0 forever.
	LedgerFor time.Duration
	// Answers is where the answers come from; the zero value asks the hosts.
	Answers Answers

	anew bool // the ledger's account can begin with this run
}

// Run executes the crawl to its end. Its error means that the run could not
// begin; how it ended otherwise stands in the report.
func (x *Execution) Run(ctx context.Context) (report.Report, error) {
	if err := x.prepare(); err != nil {
		return report.Report{}, err
	}
	defer outliveReaders()()
	used := x.Used || crawl.UsedBefore(x.State)
	f, found, err := openFrontier(x.Config, x.State, x.Fresh, x.Owed, func() bool { return x.beginAnew(ctx) }, x.Log)
	if err != nil {
		return report.Report{}, err
	}
	defer f.Close()
	if found.Finished {
		if x.Recalling != nil {
			x.Recalling(found)
		}
		return x.recall(f, found)
	}
	if found.ID != "" && x.Resuming != nil {
		x.Resuming(found, f.Stats().Settled)
	}
	c, err := crawl.New(x.Config, x.Log, crawl.Past{
		Hosts:  polite.Memory{Used: used, State: x.Answers.memory(f), Common: x.Common},
		Folder: x.State, Resumed: found.ID != "",
	})
	if err != nil {
		return report.Report{}, err
	}
	defer c.Close()
	defer x.Common.Leave(c.Gate)
	if err := x.Answers.open(c, found.ID != "", x.Log); err != nil {
		return report.Report{}, err
	}
	defer func() {
		if err := x.Answers.close(); err != nil {
			x.Log.Error("the archive could not be closed", "err", err)
		}
	}()
	if err := c.Open(ctx); err != nil {
		return report.Report{}, err
	}
	return x.execute(ctx, c, f, found)
}

// prepare fits the config to where answers come from, and to what the process may use.
func (x *Execution) prepare() error {
	if err := x.Answers.checkReplay(x.Config); err != nil {
		return err
	}
	if x.Answers.Record != "" {
		x.Config = recorded(x.Config)
	}
	if x.Answers.Replay != "" {
		x.Config, x.State, x.Fresh = replayed(x.Config), replayState(x.State), true
	}
	return crawl.FitOpenFiles(x.Config, x.Log)
}

// execute runs a crawl on an open state, which holds the run that was found, or none.
func (x *Execution) execute(ctx context.Context, c *crawl.Crawl, f *frontier.Frontier, found crawler.RunState) (report.Report, error) {
	cfg := x.Config
	arriving, read := crawl.PageMemory(cfg)
	set := x.settings(found, read)
	defer garbage.Tune(arriving + read)()
	if hosts := x.Monitor.Hosts(); hosts != nil && found.ID != "" {
		recount(ctx, hosts, x.State, found.ID)
	}
	book, err := polite.OpenLedger(cfg, x.State, set.RunID, x.anew)
	if err != nil {
		return report.Report{}, exit.OfState(err)
	}
	defer book.Close()
	traced := x.Tracer.Begin(cfg.Name, set.RunID, Hiding(cfg))
	defer traced.End(nil, nil) // of one that does not begin; a second time it does nothing
	book.Tell = func(entries []crawler.Entry) {
		traced.Entered(entries)
		if x.Entered != nil {
			x.Entered(entries)
		}
	}
	sealed, err := veil.Frontier(ctx, f, cfg.Veil())
	if err != nil {
		return report.Report{}, exit.OfState(err)
	}
	session, err := x.logIn(ctx, c, book)
	if session != nil {
		defer session.Close()
	}
	if err != nil {
		return report.Report{}, err
	}
	parts := Parts(c, sealed, x.Monitor, book, session, &x.Answers)
	guardOutputs(c, parts.Sinks, book, sealed)
	parts.Politeness, parts.Pipeline, parts.Observer = traced.Politeness(parts.Politeness), traced.Pipeline(parts.Pipeline), traced.Observer(parts.Observer)
	parts.Frontier, parts.NewFetcher = traced.Frontier(parts.Frontier), traced.Fetchers(parts.NewFetcher)
	tally := NewTally(cfg, c.Pipeline.Types(), x.Accept)
	parts.Tally = tally
	files, err := openStore(ctx, c, x.State, f, set.RunID, session)
	if err != nil {
		return report.Report{}, err
	}
	if files != nil {
		defer files.Close()
		parts.Files = files
	}
	watchable(x.Monitor, f, c.Gate, tally)
	if sums := aggregates(cfg); len(sums) > 0 {
		parts.Aggregate = aggregate.New(sums)
	}
	engine, err := crawler.New(parts, set)
	if err != nil {
		return report.Report{}, exit.With(exit.Failed, err)
	}
	if x.Began != nil {
		x.Began(set.RunID)
	}
	summary, err := engine.Run(ctx, cfg.SeedsBehind(func(dataset string) (int64, error) { return crawler.ReadSeeded(f, dataset) }))
	c.Finished = err == nil && summary.Status == crawler.StatusFinished
	traced.End(&summary, err)
	return report.Report{
		Summary: summary, Err: err, Examples: x.Monitor.Examples(), Fields: x.Monitor.Fields(), Config: cfg.File, Folder: x.State,
		MaxPages:  cfg.Scope.MaxPages,
		Profile:   tally.Figures(),
		Drift:     drifted(tally, x.Accept, x.Log),
		Unstarted: errors.Is(err, crawler.ErrOutput) || errors.Is(err, crawler.ErrForeignState),
	}, nil
}

// settings are those of the engine, with read octets of memory for pages that are read.
func (x *Execution) settings(found crawler.RunState, read int64) crawler.Settings {
	set := x.Config.Settings()
	set.Memory, set.Folder, set.Revisit = read, x.State, x.Config.RevisitRules(version.Program())
	var err error
	if set.Config, err = filepath.Abs(x.Config.File); err != nil {
		set.Config = x.Config.File
	}
	set.RunID = cmp.Or(found.ID, crawler.NewRunID(time.Now()))
	return set
}

// logIn begins the config's session, nil without one. It is to be closed also where it
// could not begin.
func (x *Execution) logIn(ctx context.Context, c *crawl.Crawl, book crawler.Ledger) (*login.Session, error) {
	session, err := c.NewSession(ctx, book, x.Answers.writer)
	if err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if session == nil || x.Answers.Replay != "" { // whoever logged in, its pages are there
		return nil, nil
	}
	if err := session.Begin(); err != nil {
		return session, crawl.LoginError(x.Config, err)
	}
	return session, nil
}

// recall is the report of a run that has finished, though its process was not there any
// more to tell.
func (x *Execution) recall(f *frontier.Frontier, run crawler.RunState) (report.Report, error) {
	summary, err := crawler.FinishedSummary(f, x.Config.Name, run)
	if err != nil {
		return report.Report{}, exit.OfState(err)
	}
	pipeline, err := crawl.NewPipeline(x.Config, x.Log)
	if err != nil {
		return report.Report{}, exit.With(exit.Config, err)
	}
	tally := NewTally(x.Config, pipeline.Types(), x.Accept)
	if err := tally.Open(f); err != nil {
		return report.Report{}, exit.OfState(err)
	}
	return report.Report{
		Summary: summary, Config: x.Config.File, Folder: x.State, MaxPages: x.Config.Scope.MaxPages,
		Profile: tally.Figures(), Drift: report.DriftOf(tally, x.Accept),
	}, nil
}
