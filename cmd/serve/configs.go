package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler/config"
)

// maxConfigs bounds the crawls of one daemon.
const maxConfigs = 10_000

// configs are the files that a daemon was given, and what they held when they were
// last good.
type configs struct {
	args []string
	log  *slog.Logger
	load func(path string) (*config.Config, config.Diagnostics)

	good   []*config.Config
	broken map[string]string // by file, the mistakes of those that cannot be used
	stamps map[string]stamp
}

// stamp tells whether a file may have changed.
type stamp struct {
	modified time.Time
	size     int64
}

// files lists the files that are configs now.
func (c *configs) files() ([]string, error) {
	var all []string
	for _, arg := range c.args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			all = append(all, arg)
			continue
		}
		entries, err := os.ReadDir(arg)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if ending := filepath.Ext(e.Name()); !e.IsDir() && (ending == ".yaml" || ending == ".yml") && !strings.HasPrefix(e.Name(), ".") {
				all = append(all, filepath.Join(arg, e.Name()))
			}
		}
	}
	given := map[string]bool{} // a file may be named beside its folder
	all = slices.DeleteFunc(all, func(path string) bool {
		path = filepath.Clean(path)
		again := given[path]
		given[path] = true
		return again
	})
	if len(all) > maxConfigs {
		return nil, fmt.Errorf("%d configs are more than the %d that one daemon runs", len(all), maxConfigs)
	}
	return all, nil
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// changed reports whether a file has come, gone or been written since read.
func (c *configs) changed() bool {
	files, err := c.files()
	if err != nil {
		return false // an editor that replaces a file; read tells if it lasts
	}
	if len(files) != len(c.stamps) {
		return true
	}
	return slices.ContainsFunc(files, func(path string) bool {
		before, known := c.stamps[path]
		return !known || before != stampOf(path)
	})
}

// read loads the files. Of one that cannot be used the last good version stays; it
// is an error only where nothing is left.
func (c *configs) read() error {
	files, err := c.files()
	if err != nil {
		return exit.With(exit.Config, err)
	}
	before := map[string]*config.Config{}
	for _, cfg := range c.good {
		before[cfg.File] = cfg
	}
	var good []*config.Config
	broken, stamps, taken := map[string]string{}, map[string]stamp{}, map[string]string{}
	for _, path := range files {
		stamps[path] = stampOf(path)
		cfg, err := c.usable(path, taken)
		if err != nil {
			broken[path] = err.Error()
			cfg = before[path]
			if cfg != nil && taken["name "+cfg.Name] != "" {
				cfg = nil
			}
			c.log.Error("a config cannot be used", "config", path, "last_good_version_stays", cfg != nil, "mistakes", inALine(err))
		}
		if cfg != nil {
			taken["name "+cfg.Name], taken["state "+cfg.State] = path, path
			good = append(good, cfg)
		}
	}
	if len(good) == 0 {
		return exit.With(exit.Config, fmt.Errorf("no config can be used of %s", strings.Join(c.args, ", ")))
	}
	c.good, c.broken, c.stamps = good, broken, stamps
	return nil
}

// maxLogged is how many mistakes of a config the log tells; amble lint and the dashboard
// show all, with what stands there.
const maxLogged = 3

// inALine gives mistakes as a log can show them: without the lines of the config.
func inALine(err error) string {
	var told []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, " ") {
			told = append(told, line)
		}
	}
	if more := len(told) - maxLogged; more > 0 {
		told = append(told[:maxLogged], fmt.Sprintf("and %d more, which amble lint shows", more))
	}
	return strings.Join(told, "; ")
}

// usable loads a config and sees that it shares neither its name nor its state with
// another.
func (c *configs) usable(path string, taken map[string]string) (*config.Config, error) {
	cfg, problems := c.load(path)
	if problems.Failed() {
		var text strings.Builder
		_ = problems.Write(&text) // to memory
		return nil, errors.New(strings.TrimSpace(text.String()))
	}
	if first, twice := taken["name "+cfg.Name]; twice {
		return nil, fmt.Errorf("the crawl %s is in %s as well: give each a name of its own", cfg.Name, first)
	}
	if first, twice := taken["state "+cfg.State]; twice {
		return nil, fmt.Errorf("the state %s is that of %s as well: give each its own", cfg.State, first)
	}
	return cfg, nil
}

func (c *configs) scheduled() int {
	n := 0
	for _, cfg := range c.good {
		if cfg.Schedule.Cron != "" {
			n++
		}
	}
	return n
}

// missing reports whether err is that of a file that is not there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
