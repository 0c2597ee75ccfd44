package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
)

// ownHistory is the history of a daemon whose configs lie in the working folder.
var ownHistory = filepath.Join(".amble", "history.db")

// find names the history that is meant: where no flag does, that of the configs here,
// or of the only folder here that has one, as after amble serve crawls/.
func (flags *runsFlags) find(cmd *cobra.Command) (string, error) {
	if cmd.Flags().Changed("history") {
		return flags.history, nil
	}
	if _, err := os.Lstat(ownHistory); err == nil {
		return ownHistory, nil
	}
	below, _ := filepath.Glob(filepath.Join("*", ownHistory)) // the pattern is a good one
	switch len(below) {
	case 0:
		return ownHistory, nil
	case 1:
		return below[0], nil
	}
	if len(below) > format.MaxReported {
		below = append(below[:format.MaxReported:format.MaxReported], "...")
	}
	return "", exit.With(exit.Config, fmt.Errorf("there are several histories: name one with --history: %s", strings.Join(below, ", ")))
}
