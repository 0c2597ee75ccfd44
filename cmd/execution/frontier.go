package execution

import (
	"log/slog"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/drift"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/veil"
)

// Kept is what a state knows of hosts, and of what records were like, which a new
// run is to know as well.
var Kept = []string{crawler.KeyDebts, drift.KeyKept}

// keptFiles are the texts of hosts, which a new run can do without.
var keptFiles = []string{crawler.KeyRobots, crawler.KeyFile}

// openFrontier opens a crawl's state. A finished run in it is replaced by a
// new one unless it is the one whose end is owed; an unfinished one is kept unless fresh.
// Before a new one begins, while the state is this process's, begins is asked whether it
// is to read every robots.txt anew; nil: it is not.
func openFrontier(cfg *config.Config, dir string, fresh bool, owed string, begins func() (anew bool), log *slog.Logger) (f *frontier.Frontier, resumed crawler.RunState, err error) {
	open := func(o frontier.Options, keep ...string) (*frontier.Frontier, error) {
		o.Dir, o.Crawl, o.Version, o.Log = dir, cfg.Name, version.Number, log
		o.Keep = append(keep, Kept...)
		if o.KeepKnown {
			o.Keep = append(o.Keep, crawler.KeyRevisit, veil.Key) // by which what is known is sealed
		}
		return frontier.Open(o)
	}
	// A run that is given up has written some of what it knows by now, and nothing of
	// the rest: the next one begins with nothing.
	if f, err = open(frontier.Options{Fresh: fresh}, keptFiles...); err != nil {
		return nil, crawler.RunState{}, exit.OfState(err)
	}
	run, found, err := crawler.ReadRun(f)
	if err == nil && (!found || run.Finished && (owed == "" || run.ID != owed)) {
		anew := begins != nil && begins()
		if found || anew {
			o := frontier.Options{Fresh: true, KeepKnown: cfg.Revisit.On() && !fresh}
			files := keptFiles
			if anew {
				files, o.Spent = nil, spent(time.Now())
			}
			if err = f.Close(); err == nil {
				f, err = open(o, files...)
			}
		}
		run = crawler.RunState{}
	}
	if err != nil {
		return nil, crawler.RunState{}, exit.OfState(err)
	}
	return f, run, nil
}
