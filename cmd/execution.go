package cmd

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
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/aggregate"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/garbage"
	"github.com/amblecrawl/amble/crawler/monitor"
	"github.com/amblecrawl/amble/crawler/tracing"
	"github.com/amblecrawl/amble/crawler/veil"
	"github.com/amblecrawl/amble/politeness"
)

// execution is one run of a crawl in this process, whoever asks for it.
type execution struct {
	cfg     *config.Config
	state   string // the folder
	fresh   bool   // an unfinished run is discarded
	accept  bool   // whatever the records are like, they are good
	monitor *monitor.Monitor
	log     *slog.Logger
	// common is the time of hosts that runs of this process share, nil for none.
	common *politeness.Common
	// used tells that other crawls of this process may have asked any host a moment
	// ago, by an earlier one.
	used bool
	// entered is told of what is new in the ledger; nil for nobody.
	entered func([]crawler.Entry)
	tracer  *tracing.Tracer // nil for none
	// resuming is told of an unfinished run that goes on; nil for nobody.
	resuming func(run crawler.RunState, settled int64)
	// owed is the ID of a run whose end nobody has been told of, "" for none: where the
	// state has it as finished, this is told, and nothing is run.
	owed string
	// began is told the run's ID before the first request; nil for nobody.
	began func(id string)
	// ledgerFor is for how long the ledger is kept, 0 forever; anew is that the account
	// can begin with this run.
	ledgerFor time.Duration
	anew      bool
	// fetching is where the answers come from; the zero value asks the hosts.
	fetching fetching
}

// run executes the crawl to its end. Its error means that the run could not
// begin; how it ended otherwise stands in the report.
func (x *execution) run(ctx context.Context) (report, error) {
	if err := x.fetching.checkReplay(x.cfg); err != nil {
		return report{}, err
	}
	if x.fetching.record != "" {
		x.cfg = recorded(x.cfg)
	}
	if x.fetching.replay != "" {
		x.cfg, x.state, x.fresh = replayed(x.cfg), replayState(x.state), true
	}
	cfg := x.cfg
	if err := crawl.FitOpenFiles(cfg, x.log); err != nil {
		return report{}, err
	}
	defer outliveReaders()()
	used := x.used || crawl.UsedBefore(x.state)
	f, found, err := openFrontier(cfg, x.state, x.fresh, x.owed, func() bool { return x.beginAnew(ctx) }, x.log)
	if err != nil {
		return report{}, err
	}
	defer f.Close()
	if found.Finished {
		return x.recall(f, found)
	}
	if found.ID != "" && x.resuming != nil {
		x.resuming(found, f.Stats().Settled)
	}
	c, err := crawl.New(cfg, x.log, crawl.Past{
		Hosts:  polite.Memory{Used: used, State: x.fetching.memory(f), Common: x.common},
		Folder: x.state, Resumed: found.ID != "",
	})
	if err != nil {
		return report{}, err
	}
	defer c.Close()
	defer x.common.Leave(c.Gate)
	if err := x.fetching.open(c, found.ID != "", x.log); err != nil {
		return report{}, err
	}
	defer func() {
		if err := x.fetching.close(); err != nil {
			x.log.Error("the archive could not be closed", "err", err)
		}
	}()
	if err := c.Open(ctx); err != nil {
		return report{}, err
	}

	set := cfg.Settings()
	arriving, read := crawl.PageMemory(cfg)
	set.Memory, set.Folder, set.Revisit = read, x.state, cfg.RevisitRules(version.Program())
	defer garbage.Tune(arriving + read)()
	if set.Config, err = filepath.Abs(cfg.File); err != nil {
		set.Config = cfg.File
	}
	set.RunID = cmp.Or(found.ID, crawler.NewRunID(time.Now()))
	if hosts := x.monitor.Hosts(); hosts != nil && found.ID != "" {
		recount(ctx, hosts, x.state, found.ID)
	}
	book, err := polite.OpenLedger(cfg, x.state, set.RunID, x.anew)
	if err != nil {
		return report{}, exit.OfState(err)
	}
	defer book.Close()
	traced := x.tracer.Begin(cfg.Name, set.RunID, hidingIn(cfg))
	defer traced.End(nil, nil) // of one that does not begin; a second time it does nothing
	book.Tell = func(entries []crawler.Entry) {
		traced.Entered(entries)
		if x.entered != nil {
			x.entered(entries)
		}
	}
	sealed, err := veil.Frontier(ctx, f, cfg.Veil())
	if err != nil {
		return report{}, exit.OfState(err)
	}
	session, err := c.NewSession(ctx, book, x.fetching.writer)
	if err != nil {
		return report{}, exit.With(exit.Config, err)
	}
	if x.fetching.replay != "" {
		session = nil // whoever logged in, its pages are there
	}
	if session != nil {
		defer session.Close()
		if err := session.Begin(); err != nil {
			return report{}, crawl.LoginError(cfg, err)
		}
	}
	parts := engineParts(c, sealed, x.monitor, book, session, &x.fetching)
	guardOutputs(c, parts.Sinks, book, sealed)
	parts.Politeness, parts.Pipeline, parts.Observer = traced.Politeness(parts.Politeness), traced.Pipeline(parts.Pipeline), traced.Observer(parts.Observer)
	parts.Frontier, parts.NewFetcher = traced.Frontier(parts.Frontier), traced.Fetchers(parts.NewFetcher)
	tally := newTally(cfg, c.Pipeline.Types(), x.accept)
	parts.Tally = tally
	files, err := openStore(ctx, c, x.state, f, set.RunID, session)
	if err != nil {
		return report{}, err
	}
	if files != nil {
		defer files.Close()
		parts.Files = files
	}
	x.watchable(f, c.Gate, tally)
	if sums := aggregates(cfg); len(sums) > 0 {
		parts.Aggregate = aggregate.New(sums)
	}
	engine, err := crawler.New(parts, set)
	if err != nil {
		return report{}, exit.With(exit.Failed, err)
	}
	if x.began != nil {
		x.began(set.RunID)
	}
	summary, err := engine.Run(ctx, cfg.SeedsBehind(func(dataset string) (int64, error) { return crawler.ReadSeeded(f, dataset) }))
	c.Finished = err == nil && summary.Status == crawler.StatusFinished
	traced.End(&summary, err)
	return report{
		summary: summary, err: err, examples: x.monitor.Examples(), fields: x.monitor.Fields(), config: cfg.File,
		maxPages:  cfg.Scope.MaxPages,
		profile:   tally.Figures(),
		drift:     drifted(tally, x.accept, x.log),
		unstarted: errors.Is(err, crawler.ErrOutput) || errors.Is(err, crawler.ErrForeignState),
	}, nil
}

// recall is the report of a run that has finished, though its process was not there any
// more to tell.
func (x *execution) recall(f *frontier.Frontier, run crawler.RunState) (report, error) {
	summary, err := crawler.FinishedSummary(f, x.cfg.Name, run)
	if err != nil {
		return report{}, exit.OfState(err)
	}
	pipeline, err := crawl.NewPipeline(x.cfg, x.log)
	if err != nil {
		return report{}, exit.With(exit.Config, err)
	}
	tally := newTally(x.cfg, pipeline.Types(), x.accept)
	if err := tally.Open(f); err != nil {
		return report{}, exit.OfState(err)
	}
	return report{
		summary: summary, config: x.cfg.File, maxPages: x.cfg.Scope.MaxPages,
		profile: tally.Figures(), drift: reportDrift(tally, x.accept),
	}, nil
}
