package sink

import (
	"context"

	"github.com/amblecrawl/amble/crawler"
)

func init() {
	crawler.Sinks.Register("stdout", func() crawler.Sink { return &Stdout{Format: "jsonl"} })
}

// Stdout writes records to standard output, for pipes: each at least once, since
// what was written cannot be taken back. A reader that goes away ends the run with
// an error wrapping [crawler.ErrReaderGone].
type Stdout struct {
	Format string `yaml:"format,scalar" default:"jsonl" enum:"jsonl,csv" doc:"How records are written."`

	crawler.Sink `yaml:"-"`
}

// Validate reports an unknown format, as a *crawler.ConfigError.
func (s *Stdout) Validate() error {
	if s.Format != "jsonl" && s.Format != "csv" {
		return &crawler.ConfigError{Path: []string{"format"}, Msg: "there is no such format", Hint: "there are jsonl and csv"}
	}
	return nil
}

// Open begins to write, as the sink of the format does.
func (s *Stdout) Open(ctx context.Context, run crawler.RunInfo, position []byte) error {
	if s.Sink == nil {
		s.Sink = &JSONL{Path: stdoutPath}
		if s.Format == "csv" {
			s.Sink = &CSV{Path: stdoutPath}
		}
	}
	return s.Sink.Open(ctx, run, position)
}
