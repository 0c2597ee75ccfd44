package dashboard

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler/history"
)

// suspended is a history whose latest run of the crawl was cut off with the daemon.
type suspended struct{ History }

func (s suspended) List(ctx context.Context, f history.Filter) ([]history.Run, error) {
	runs, err := s.History.List(ctx, f)
	i := slices.IndexFunc(runs, func(r history.Run) bool { return r.Crawl == "daily" })
	if err != nil || i < 0 {
		return runs, err
	}
	good, cut := runs[i], runs[i]
	good.Status, cut.Status, cut.Number = history.Finished, history.Suspended, 99
	return slices.Replace(runs, i, i+1, cut, good), nil
}

// A run that goes on after a restart is not the last one that ended: it would stand for
// a failure until it ends.
func TestSuspendedIsNotTheLastRun(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.History = suspended{o.History} })
	if text := w.ask("GET", "/metrics").Body.String(); !strings.Contains(text, `amble_crawl_last_run_success{crawl="daily"} 1`) {
		t.Errorf("the last run of daily is no success:\n%s", text)
	}
	if text := w.ask("GET", "/").Body.String(); strings.Contains(text, "/runs/99") {
		t.Errorf("the last run is the suspended one:\n%s", text)
	}
}
