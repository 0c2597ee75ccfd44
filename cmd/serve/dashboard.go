package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/alert"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/dashboard"
	"github.com/amblecrawl/amble/crawler/history"
)

// TokenVariable holds the dashboard's token, for the daemon and for those who ask it.
const TokenVariable = "AMBLE_TOKEN"

// dashboardFlags are how the dashboard is reached.
type dashboardFlags struct {
	listen string
	token  string
	hosts  []string
}

// check finds out before anything else whether the dashboard may be opened.
func (f *dashboardFlags) check() error {
	f.token = cmp.Or(f.token, os.Getenv(TokenVariable))
	if f.listen == "" {
		return nil
	}
	if err := dashboard.CheckToken(f.listen, f.token); err != nil {
		return exit.With(exit.Config, fmt.Errorf("--listen: %w", err))
	}
	return nil
}

// openDashboard listens; nil where nobody asked for it. What is returned serves until
// its context ends.
func (s *server) openDashboard(ctx context.Context, f dashboardFlags, successor *succession) (serve func(context.Context) error, address string, err error) {
	if f.listen == "" {
		return nil, "", nil
	}
	at, err := successor.listen(ctx, f.listen)
	if err == nil { // one that was handed over may be another than asked for
		if err = dashboard.CheckToken(at.Addr().String(), f.token); err != nil {
			_ = at.Close() // nobody was let in
		}
	}
	if err != nil {
		return nil, "", exit.With(exit.Config, fmt.Errorf("--listen: %w", err))
	}
	reader, err := history.OpenReader(ctx, s.history.Path())
	if err != nil {
		_ = at.Close() // the error that matters is the one above
		return nil, "", exit.With(exit.Failed, fmt.Errorf("the history of runs: %w", err))
	}
	d := dashboard.New(dashboard.Options{
		Daemon: s.daemon, History: reader, Board: s.board, Configs: s.shownConfigs, Lint: s.lintAgain,
		TryAlerts: s.tryAlerts, Host: s.hostAccount,
		Token: f.token, Hosts: f.hosts, Version: version.Number, Log: s.log, Now: crawler.SystemClock{}.Now,
	})
	return func(ctx context.Context) error {
		defer reader.Close()
		return d.Serve(ctx, at)
	}, "http://" + at.Addr().String() + "/", nil
}

// showConfigs keeps what the dashboard shows of the configs, and forgets the figures
// of crawls that are no more.
func (s *server) showConfigs() {
	var all []dashboard.Config
	var names []string
	used, byName := map[string]bool{}, map[string]*config.Config{}
	for _, cfg := range s.configs.good {
		byName[cfg.Name] = cfg
		used[cfg.File] = true
		names = append(names, cfg.Name)
		all = append(all, dashboard.Config{
			Crawl: cfg.Name, File: cfg.File, Cron: cfg.Schedule.Cron, Timezone: cfg.Schedule.Timezone, Alerts: len(cfg.Alerts), Mistakes: s.configs.broken[cfg.File],
		})
	}
	for _, file := range slices.Sorted(maps.Keys(s.configs.broken)) {
		if !used[file] {
			all = append(all, dashboard.Config{File: file, Mistakes: s.configs.broken[file]})
		}
	}
	s.shown.Store(&all)
	s.byName.Store(&byName)
	s.board.Keep(names)
}

func (s *server) shownConfigs() []dashboard.Config { return *s.shown.Load() }

// lintAgain reads a config that the daemon was given as it is on the disk now.
func (s *server) lintAgain(file string) (dashboard.Lint, error) {
	data, err := readConfig(file)
	if err != nil {
		return dashboard.Lint{}, fmt.Errorf("the config cannot be read: %w", err)
	}
	cfg, problems := s.configs.load(file)
	lint := dashboard.Lint{Text: strings.ToValidUTF8(string(data), "\uFFFD")}
	if cfg != nil {
		lint.Text = cfg.Redact(lint.Text)
	}
	for _, p := range problems {
		message := p.Message
		if p.Hint != "" {
			message += " (" + p.Hint + ")"
		}
		lint.Findings = append(lint.Findings, dashboard.Finding{Line: p.Line, Column: p.Column, Message: message, Warning: p.Warning})
	}
	return lint, nil
}

func readConfig(file string) ([]byte, error) {
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, errors.New("it is no file"))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, config.MaxSize))
}

// tryIn bounds a test from the dashboard, where somebody waits for what becomes of it.
const tryIn = 10 * time.Second

// tryAlerts sends a message to each target of a crawl, once and all at a time, and says
// what became of them.
func (s *server) tryAlerts(ctx context.Context, crawl string) ([]dashboard.Sent, error) {
	cfg := (*s.byName.Load())[crawl]
	if cfg == nil {
		return nil, daemon.ErrUnknown
	}
	sent := make([]dashboard.Sent, len(cfg.Alerts))
	var all sync.WaitGroup
	for i := range cfg.Alerts {
		all.Go(func() {
			to := cfg.Alerts[i].Target()
			to.Timeout = min(to.Timeout, tryIn)
			sent[i] = dashboard.Sent{Alert: i, To: cfg.Redact(to.String())}
			if err := alert.Try(ctx, to, testMessage(cfg, "a test from the dashboard")); err != nil {
				sent[i].Error = cfg.Redact(err.Error())
			}
		})
	}
	all.Wait()
	return sent, nil
}
