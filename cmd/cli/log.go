package cli

import (
	"io"
	"log"
	"log/slog"

	"github.com/spf13/cobra"
)

// Logger is the log of one command: warnings and errors unless asked for more.
func Logger(cmd *cobra.Command, w io.Writer, asJSON bool) *slog.Logger {
	level := slog.LevelWarn
	if n, err := cmd.Flags().GetCount("verbose"); err == nil {
		level -= slog.Level(4 * n)
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if asJSON {
		handler = slog.NewJSONHandler(w, options)
	}
	// Libraries that write to the standard log must not tear the display.
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(handler, slog.LevelDebug).Writer())
	return slog.New(handler)
}
