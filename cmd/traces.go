package cmd

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/crawler/tracing"
)

// tracesIn is how long traces that wait are still sent when a command ends.
const tracesIn = 5 * time.Second

const traceUsage = "send traces to this OTLP/HTTP collector, such as http://127.0.0.1:4318; env: to that of the variables OTEL_..."

// openTraces makes the tracer of a command; close sends what is left.
func openTraces(cmd *cobra.Command, endpoint string, log *slog.Logger) (t *tracing.Tracer, closeIt func(), err error) {
	t, err = tracing.Open(cmd.Context(), tracing.Options{Endpoint: endpoint, Version: version, Log: log})
	if err != nil {
		return nil, nil, exitWith(exitConfig, fmt.Errorf("--trace: %w", err))
	}
	return t, func() {
		if err := t.Close(tracesIn); err != nil {
			log.Warn("not all traces could be sent", "error", err)
		}
	}, nil
}
