package run

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/amblecrawl/amble/crawler"
)

// A process that is killed when its run has ended, and before it said so, leaves a run of
// which nobody was told. Whoever starts amble run again until it exits by itself would
// begin another with that, which takes the place of outputs that hold a run's changes
// only. So a file in the state names the run that has to be told of.
const untold = "untold"

func readUntold(state string) string {
	id, err := os.ReadFile(filepath.Join(state, untold))
	if err != nil {
		return "" // most often there is none
	}
	return string(id)
}

func noteUntold(state, id string, log *slog.Logger) {
	path := filepath.Join(state, untold)
	err := os.WriteFile(path+".new", []byte(id), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		log.Warn("should this process be killed at the very end, nobody will know that the run has ended", "err", err)
	}
}

func forgetUntold(state string, log *slog.Logger) {
	if err := os.Remove(filepath.Join(state, untold)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("the next run will tell of this one instead", "err", err)
	}
}

// sayRecalled tells why nothing is fetched.
func sayRecalled(w io.Writer, log *slog.Logger, asJSON bool, run crawler.RunState) {
	if asJSON {
		log.Warn("this run had ended when its process was killed; the same command begins the next one", "run", run.ID, "started", run.Started)
		return
	}
	fmt.Fprintf(w, "amble: the run of %s had ended when its process was killed, and this is what became of it; the same command begins the next one\n",
		run.Started.UTC().Format("2006-01-02 15:04:05 MST"))
}
