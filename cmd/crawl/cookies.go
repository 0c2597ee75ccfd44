package crawl

import (
	"log/slog"
	"path/filepath"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/cookies"
)

// cookieFile is where a state keeps the cookies of its run.
const cookieFile = "cookies.json"

// newJar makes the jar of a crawl, nil without one. Only a run keeps it in a file.
func newJar(cfg *config.Config, before Past, log *slog.Logger) (*cookies.Jar, error) {
	if cfg.Fetch.Cookies == "off" {
		return nil, nil
	}
	o := cookies.Options{Resumed: before.Resumed, Log: log}
	if cfg.Fetch.Cookies == "host" {
		o.Scope = cookies.ScopeHost
	}
	if before.Folder != "" {
		o.File = filepath.Join(before.Folder, cookieFile)
	}
	return cookies.Open(o)
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
