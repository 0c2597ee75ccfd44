package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/auth"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/cookies"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/fetch/blob"
	"github.com/amblecrawl/amble/crawler/fetch/database"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
	"github.com/amblecrawl/amble/extractors/content"
	"github.com/amblecrawl/amble/extractors/feeds"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/identity"
	"github.com/amblecrawl/amble/politeness/signals"
)

// crawl is a config put together: the parts that running, trying and
// explaining it share. Nothing is fetched or written by making one.
type crawl struct {
	cfg       *config.Config
	log       *slog.Logger
	scope     *urls.Scope
	canon     *urls.Canon
	usage     signals.Policy
	asksFile  bool // each host is asked for its tdmrep.json
	gate      *politeness.Gate
	client    *fetch.Client
	auth      *auth.Auth
	pipeline  *extractors.Pipeline
	databases *database.Transport // nil without queries
	jar       *cookies.Jar        // nil without cookies
	buckets   *blob.Transport     // nil without buckets
	opened    bool                // the pipeline is
	finished  bool                // the run is complete
}

// past is what a crawl's earlier processes have left behind.
type past struct {
	hosts memory
	// folder is that of a run's state; no other command holds more than a page.
	folder string
	// resumed tells that an unfinished run of the folder goes on.
	resumed bool
}

// assemble puts a config's parts together.
func assemble(cfg *config.Config, log *slog.Logger, before past) (*crawl, error) {
	c := &crawl{cfg: cfg, log: log, canon: cfg.Canon()}
	var err error
	if c.scope, err = urls.NewScope(cfg.ScopeRules()); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if c.usage, err = signals.ParsePolicy(cfg.Politeness.Usage.Rules()); err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("politeness.usage: %w", err))
	}
	c.asksFile = tdmFile(&cfg.Politeness, c.usage) != nil
	if c.gate, err = newGate(cfg, c.usage, before.hosts); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if c.databases, err = newDatabases(cfg); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if c.buckets, err = newBuckets(cfg); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if c.jar, err = newJar(cfg, before, log); err != nil {
		return nil, exit.OfState(err)
	}
	if c.auth, err = newAuth(cfg, log); err != nil {
		return nil, exit.With(exit.Config, errors.Join(err, c.closeJar()))
	}
	if c.client, err = newClient(cfg, c.gate, c.jar, c.auth, schemes(c.databases, c.buckets), before.folder, log); err != nil {
		return nil, exit.With(exit.Config, errors.Join(err, c.closeJar()))
	}
	if c.pipeline, err = newPipeline(cfg, log); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	return c, nil
}

// askRobots is a crawl of no config, that only reads what hosts say in robots.txt.
func askRobots(gate *politeness.Gate, client *fetch.Client) *crawl {
	return &crawl{gate: gate, client: client, canon: &urls.Canon{}}
}

// open gets the extractors ready; call it before the first page.
func (c *crawl) open(ctx context.Context) error {
	if err := c.pipeline.Open(ctx); err != nil {
		return exit.With(exit.Config, exit.Message(c.cfg, err))
	}
	c.opened = true
	return nil
}

func (c *crawl) close() {
	c.client.Close()
	c.closeDatabases()
	if err := c.closeJar(); err != nil {
		c.log.Warn("cookies could not be kept", "err", err)
	}
	c.closeBuckets()
	if !c.opened {
		return
	}
	if err := c.pipeline.Close(); err != nil {
		c.log.Error("an extractor could not be closed", "err", err)
	}
}

// pagePolicy reads what sites say on pages.
func (c *crawl) pagePolicy() crawler.PagePolicy { return newPagePolicy(c.cfg, c.usage) }

// polite is the gate as the engine asks it.
func (c *crawl) polite() *polite {
	return &polite{gate: c.gate, usage: c.usage, waits: func(u urls.URL) (time.Time, string) {
		if until, why := c.client.Waits(u); !until.IsZero() {
			return until, why
		}
		return c.auth.Waits(u)
	}}
}

func newClient(cfg *config.Config, gate *politeness.Gate, jar *cookies.Jar, known *auth.Auth, others map[string]fetch.Scheme, folder string, log *slog.Logger) (*fetch.Client, error) {
	guard, err := newGuard(cfg, gate, jar, known, log)
	if err != nil {
		return nil, err
	}
	routes, err := newRoutes(cfg)
	if err != nil {
		return nil, err
	}
	var memory int64
	if folder != "" {
		memory, _ = pageMemory(cfg)
	}
	return fetch.New(fetch.Options{
		UserAgent:   fetch.UserAgent(cfg.Politeness.Agent, version.Number, cfg.Politeness.Contact),
		Timeout:     cfg.Fetch.Timeout,
		MaxBody:     int64(cfg.Fetch.MaxBody),
		Workers:     cfg.Fetch.Workers,
		PerHost:     mostPerHost(cfg),
		MaxIdle:     maxIdle(cfg, openFiles()),
		Memory:      memory,
		TempDir:     folder,
		Resolve:     cfg.ResolveMap(),
		DialControl: politeness.DialControl(cfg.Fetch.AllowPrivate),
		ErrPrivate:  politeness.ErrPrivateAddress,
		Routes:      routes,
		Guard:       guard,
		Schemes:     others,
		ErrRefused:  politeness.ErrNotGranted,
		ErrLapsed:   politeness.ErrLapsed,
		Log:         log,
	})
}

// newGuard stands above the network: it lets through what politeness granted,
// gives it the cookies and credentials of its host, and signs it where the crawl has an identity,
// each attempt anew.
func newGuard(cfg *config.Config, gate *politeness.Gate, jar *cookies.Jar, known *auth.Auth, log *slog.Logger) (func(http.RoundTripper) http.RoundTripper, error) {
	credentials := func(next http.RoundTripper) http.RoundTripper {
		if jar == nil {
			return known.Wrap(next)
		}
		return jar.Wrap(known.Wrap(next))
	}
	id := &cfg.Politeness.Identity
	if id.Key == "" {
		return func(next http.RoundTripper) http.RoundTripper { return gate.Guard(onTheWeb{credentials(next), next}) }, nil
	}
	key, err := identity.Load(id.Key, log)
	if err != nil {
		return nil, fmt.Errorf("politeness.identity.key: %w", err)
	}
	form := identity.String
	if id.Form == "dictionary" {
		form = identity.Dictionary
	}
	signer, err := identity.New(identity.Options{Key: key, Agent: id.Agent, Form: form})
	if err != nil {
		return nil, fmt.Errorf("politeness.identity: %w", err)
	}
	return func(next http.RoundTripper) http.RoundTripper {
		return gate.Guard(onTheWeb{credentials(signer.RoundTripper(next, time.Now)), next})
	}, nil
}

func newPipeline(cfg *config.Config, log *slog.Logger) (*extractors.Pipeline, error) {
	opt := extractors.Options{Sitemap: &feeds.Sitemap{}, Log: log, NoLinks: cfg.Links.Off}
	for i := range cfg.Links.Rules {
		l := &cfg.Links.Rules[i]
		takes, err := l.Takes()
		if err != nil {
			return nil, fmt.Errorf("links: %w", err)
		}
		rule := extractors.LinkRule{Finder: l.Finder, Takes: takes, MaxDepth: l.MaxDepth, Priority: l.Priority, Types: l.LeadsTo}
		if l.Download {
			rule.Kind = crawler.KindFile
		}
		rule.CSS, rule.Attr, _ = l.Finder.Simple()
		opt.Links = append(opt.Links, rule)
	}
	for _, r := range cfg.Extract {
		match, err := r.Matches()
		if err != nil {
			return nil, fmt.Errorf("extract.%s.match: %w", r.Type, err)
		}
		rule := extractors.Rule{Type: r.Type, Match: match, Extractor: r.Extractor}
		opt.Rules = append(opt.Rules, rule)
	}
	opt.Rules = append(opt.Rules, queryRules(cfg)...)
	opt.Rules = append(opt.Rules, bucketRules(cfg)...)
	if len(cfg.Extract) == 0 && cfg.IsWeb() && len(cfg.Sinks()) > 0 { // whoever names outputs wants records
		opt.Rules = []extractors.Rule{{Type: "page", Extractor: content.NewPage()}}
	}
	return extractors.New(opt)
}

// usedBefore tells, before a state is opened, whether it is there already.
// Then an earlier process may have sent requests a moment ago, also when its
// run has finished or is to be discarded.
func usedBefore(state string) bool {
	_, err := os.Stat(state)
	return err == nil
}
