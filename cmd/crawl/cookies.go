package crawl

import (
	"log/slog"
	"path/filepath"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/cookies"
)

// cookieFile is where a state keeps the cookies of its run.
const cookieFile = "cookies.json"

// newJar makes the jar of a crawl, nil without one. Only a run has a folder, and keeps it
// there in a file.
func newJar(cfg *config.Config, folder string, resumed bool, log *slog.Logger) (*cookies.Jar, error) {
	if cfg.Fetch.Cookies == "off" {
		return nil, nil
	}
	o := cookies.Options{Resumed: resumed, Log: log}
	if cfg.Fetch.Cookies == "host" {
		o.Scope = cookies.ScopeHost
	}
	if folder != "" {
		o.File = filepath.Join(folder, cookieFile)
	}
	return cookies.Open(o)
}
