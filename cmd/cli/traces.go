package cli

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler/tracing"
)

// tracesIn is how long traces that wait are still sent when a command ends.
const tracesIn = 5 * time.Second

// TraceUsage describes the flag that names a collector.
const TraceUsage = "send traces to this OTLP/HTTP collector, such as http://127.0.0.1:4318; env: to that of the variables OTEL_..."

// OpenTraces makes the tracer of a command; close sends what is left.
func OpenTraces(cmd *cobra.Command, endpoint string, log *slog.Logger) (t *tracing.Tracer, closeIt func(), err error) {
	t, err = tracing.Open(cmd.Context(), tracing.Options{Endpoint: endpoint, Version: version.Number, Log: log})
	if err != nil {
		return nil, nil, exit.With(exit.Config, fmt.Errorf("--trace: %w", err))
	}
	return t, func() {
		if err := t.Close(tracesIn); err != nil {
			log.Warn("not all traces could be sent", "error", err)
		}
	}, nil
}
