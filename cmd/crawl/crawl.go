package crawl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/auth"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/cookies"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/fetch/blob"
	"github.com/amblecrawl/amble/crawler/fetch/database"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
	"github.com/amblecrawl/amble/politeness"
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
	if c.jar, err = newJar(cfg, before.Folder, before.Resumed, log); err != nil {
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

// UsedBefore tells, before a state is opened, whether it is there already.
// Then an earlier process may have sent requests a moment ago, also when its
// run has finished or is to be discarded.
func UsedBefore(state string) bool {
	_, err := os.Stat(state)
	return err == nil
}

func (c *Crawl) closeJar() error {
	switch {
	case c.jar == nil:
		return nil
	case c.Finished:
		return c.jar.Finish()
	}
	return c.jar.Close()
}

// closeDatabases ends the connections.
func (c *Crawl) closeDatabases() {
	if c.databases == nil {
		return
	}
	if err := c.databases.Close(); err != nil {
		c.Log.Warn("a connection could not be closed", "err", fmt.Sprint(err))
	}
}

// closeBuckets ends the connections.
func (c *Crawl) closeBuckets() {
	if c.Buckets == nil {
		return
	}
	if err := c.Buckets.Close(); err != nil {
		c.Log.Warn("a bucket could not be closed", "err", err)
	}
}
