package execution

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/archive"
	"github.com/amblecrawl/amble/crawler/cache"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/login"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Answers is where a run's answers come from.
type Answers struct {
	Record, Replay string // files; at most one is named
	SkipDamaged    bool   // a replay goes without what is damaged of its file

	cache  *cache.Cache // nil for none
	writer *archive.Writer
	reader *archive.Reader
}

// open opens the file, if there is one. A run that goes on appends to it.
func (g *Answers) open(c *crawl.Crawl, resumed bool, log *slog.Logger) (err error) {
	cfg := c.Config
	if g.Replay == "" {
		if g.cache, err = c.OpenCache(); err != nil {
			return exit.With(exit.Config, fmt.Errorf("fetch.cache: %w", err))
		}
	}
	var o archive.Options
	if v := cfg.Veil(); !v.Empty() {
		o = archive.Options{Seal: v.Seal, Unseal: v.Unseal}
	}
	switch {
	case g.Record != "" && resumed:
		g.writer, err = archive.Append(g.Record, o)
	case g.Record != "":
		g.writer, err = archive.Create(g.Record, o)
	case g.Replay != "":
		if g.reader, err = archive.Open(g.Replay, o); err == nil && g.reader.Torn() > 0 {
			log.Warn("the archive ends in the middle of an exchange, as after a crash; that one is missing", "archive", g.Replay)
		}
		if err == nil && len(g.reader.Damaged()) > 0 {
			err = g.damaged(log)
		}
	}
	if err == nil {
		return nil
	}
	flag := "--record"
	if g.Replay != "" {
		flag = "--replay"
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return exit.With(exit.Config, fmt.Errorf("%s: %w", flag, err))
}

// damaged is what becomes of a replay of a file that is damaged: it is refused before an
// output is touched, as its records would lack what the outputs may have.
func (g *Answers) damaged(log *slog.Logger) error {
	at := g.reader.Damaged()
	if g.SkipDamaged {
		log.Warn("the archive is damaged; what is lost ends as not_recorded", "archive", g.Replay, "places", len(at), "first_at_byte", at[0])
		return nil
	}
	places := fmt.Sprintf("at byte %d", at[0])
	if len(at) > 1 {
		places += fmt.Sprintf(" and %d other places", len(at)-1)
	}
	return errors.Join(fmt.Errorf("%s: %w %s; %d exchanges are whole: nothing was written. Record the crawl anew, or replay what is whole by --skip-damaged",
		g.Replay, archive.ErrDamaged, places, g.reader.Len()), g.reader.Close())
}

func (g *Answers) close() (err error) {
	if g.cache != nil {
		err = g.cache.Close()
	}
	switch {
	case g.writer != nil:
		err = errors.Join(err, g.writer.Close())
	case g.reader != nil:
		err = errors.Join(err, g.reader.Close())
	}
	return err
}

// parts are the fetchers of a run, and what they want politeness to heed.
func (g *Answers) parts(c *crawl.Crawl, session *login.Session) (func() crawler.Fetcher, *polite.Politeness) {
	fetcher, p := g.loggedIn(c, session)
	switch {
	case g.reader != nil:
		return g.reader.Fetcher, p
	case g.writer != nil:
		return func() crawler.Fetcher { return g.writer.Fetcher(fetcher()) }, p
	}
	return fetcher, p
}

// memory is what a state knows of hosts as far as it is to be used: an archive is to
// hold each host's robots.txt, and a replay to take it from there.
func (g *Answers) memory(known polite.State) polite.State {
	if g.Record == "" && g.Replay == "" {
		return known
	}
	return forgetful{known}
}

// forgetful is a state that knows nothing of the files that hosts have.
type forgetful struct{ polite.State }

// Get implements remembering.
func (f forgetful) Get(key string) ([]byte, error) {
	if strings.HasPrefix(key, crawler.KeyRobots) || strings.HasPrefix(key, crawler.KeyFile) {
		return nil, nil
	}
	return f.State.Get(key)
}

// replayState is the folder of a replay's state: that of the crawl is not touched.
func replayState(state string) string { return state + "-replay" }

// replayed is a config as a replay has it. Nothing is sent, so that nobody is owed a
// delay and nothing gets better by another attempt; robots.txt holds as it did.
func replayed(cfg *config.Config) *config.Config {
	c := *cfg
	p := &c.Politeness
	p.Delay, p.Hours, p.Group, p.Adaptive, p.CircuitAfter = 0, "", "host", false, 0
	p.MaxCrawlDelay, p.MaxRetryAfter = time.Nanosecond, time.Nanosecond
	p.Hosts = slices.Clone(p.Hosts)
	for i := range p.Hosts {
		p.Hosts[i].Delay, p.Hosts[i].Hours = new(time.Duration), ""
	}
	c.Fetch.Retries, c.Fetch.Cookies = 0, "off"
	c.Revisit.Mode = "off" // an archive is one run, and every page of it is there
	return &c
}

// recorded is a config as a run has it that is kept: every page is asked for, due or not,
// or the archive would lack it.
func recorded(cfg *config.Config) *config.Config {
	c := *cfg
	if c.Revisit.Mode == "adaptive" {
		c.Revisit.Mode = "always"
	}
	return &c
}

// checkReplay refuses what would set the outputs of a crawl back: with changes alone,
// later runs would not mend what a replay writes.
func (g *Answers) checkReplay(cfg *config.Config) error {
	if g.Replay == "" || !cfg.Revisit.On() || cfg.Revisit.Output != "changes" {
		return nil
	}
	return exit.With(exit.Config, errors.New("--replay: a replay writes all records, and the outputs of this crawl take changes alone (revisit.output: changes): "+
		"they would be set back to what they were. Give it outputs of its own: --set revisit=off --set 'output={jsonl: \"replay/{type}.jsonl\"}'"))
}

// loggedIn makes fetchers and politeness heed a session, nil for none.
func (g *Answers) loggedIn(c *crawl.Crawl, session *login.Session) (fetcher func() crawler.Fetcher, p *polite.Politeness) {
	p = c.Politeness()
	if session == nil {
		return func() crawler.Fetcher { return g.withCache(c.Client.Fetcher()) }, p
	}
	reachable := p.Waits
	p.Waits = func(u urls.URL) (time.Time, string) {
		if until, why := reachable(u); !until.IsZero() {
			return until, why
		}
		return session.Waits(u)
	}
	return func() crawler.Fetcher { return session.Fetcher(g.withCache(c.Client.Fetcher())) }, p
}

// withCache puts a cache before a fetcher, nil for none.
func (g *Answers) withCache(next crawler.Fetcher) crawler.Fetcher {
	if g.cache == nil {
		return next
	}
	return g.cache.Fetcher(next)
}
