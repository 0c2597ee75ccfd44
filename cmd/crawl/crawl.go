package crawl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
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

// Crawl is a config put together: the parts that running, trying and
// explaining it share. Nothing is fetched or written by making one.
type Crawl struct {
	Config    *config.Config
	Log       *slog.Logger
	Scope     *urls.Scope
	Canon     *urls.Canon
	usage     signals.Policy
	AsksFile  bool // each host is asked for its tdmrep.json
	Gate      *politeness.Gate
	Client    *fetch.Client
	auth      *auth.Auth
	Pipeline  *extractors.Pipeline
	databases *database.Transport // nil without queries
	jar       *cookies.Jar        // nil without cookies
	Buckets   *blob.Transport     // nil without buckets
	opened    bool                // the pipeline is
	Finished  bool                // the run is complete
}

// Past is what a crawl's earlier processes have left behind.
type Past struct {
	Hosts polite.Memory
	// Folder is that of a run's state; no other command holds more than a page.
	Folder string
	// Resumed tells that an unfinished run of the folder goes on.
	Resumed bool
}

// New puts a config's parts together.
func New(cfg *config.Config, log *slog.Logger, before Past) (*Crawl, error) {
	c := &Crawl{Config: cfg, Log: log, Canon: cfg.Canon()}
	var err error
	if c.Scope, err = urls.NewScope(cfg.ScopeRules()); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if c.usage, err = signals.ParsePolicy(cfg.Politeness.Usage.Rules()); err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("politeness.usage: %w", err))
	}
	c.AsksFile = polite.TDMFile(&cfg.Politeness, c.usage) != nil
	if c.Gate, err = polite.NewGate(cfg, c.usage, before.Hosts); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if c.databases, err = newDatabases(cfg); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if c.Buckets, err = newBuckets(cfg); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if c.jar, err = newJar(cfg, before, log); err != nil {
		return nil, exit.OfState(err)
	}
	if c.auth, err = newAuth(cfg, log); err != nil {
		return nil, exit.With(exit.Config, errors.Join(err, c.closeJar()))
	}
	if c.Client, err = newClient(cfg, c.Gate, c.jar, c.auth, schemes(c.databases, c.Buckets), before.Folder, log); err != nil {
		return nil, exit.With(exit.Config, errors.Join(err, c.closeJar()))
	}
	if c.Pipeline, err = NewPipeline(cfg, log); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	return c, nil
}

// OfRobots is a crawl of no config, that only reads what hosts say in robots.txt.
func OfRobots(gate *politeness.Gate, client *fetch.Client) *Crawl {
	return &Crawl{Gate: gate, Client: client, Canon: &urls.Canon{}, auth: &auth.Auth{}}
}

// Open gets the extractors ready; call it before the first page.
func (c *Crawl) Open(ctx context.Context) error {
	if err := c.Pipeline.Open(ctx); err != nil {
		return exit.With(exit.Config, exit.Message(c.Config, err))
	}
	c.opened = true
	return nil
}

// Close ends connections and extractors, and keeps the cookies of a run.
func (c *Crawl) Close() {
	c.Client.Close()
	c.closeDatabases()
	if err := c.closeJar(); err != nil {
		c.Log.Warn("cookies could not be kept", "err", err)
	}
	c.closeBuckets()
	if !c.opened {
		return
	}
	if err := c.Pipeline.Close(); err != nil {
		c.Log.Error("an extractor could not be closed", "err", err)
	}
}

// PagePolicy reads what sites say on pages.
func (c *Crawl) PagePolicy() crawler.PagePolicy { return polite.NewPagePolicy(c.Config, c.usage) }

// Politeness is the gate as the engine asks it.
func (c *Crawl) Politeness() *polite.Politeness {
	return &polite.Politeness{Gate: c.Gate, Usage: c.usage, Waits: func(u urls.URL) (time.Time, string) {
		if until, why := c.Client.Waits(u); !until.IsZero() {
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
		memory, _ = PageMemory(cfg)
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

// NewPipeline makes the extractors of a config, and the finders of its links.
func NewPipeline(cfg *config.Config, log *slog.Logger) (*extractors.Pipeline, error) {
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

// UsedBefore tells, before a state is opened, whether it is there already.
// Then an earlier process may have sent requests a moment ago, also when its
// run has finished or is to be discarded.
func UsedBefore(state string) bool {
	_, err := os.Stat(state)
	return err == nil
}
