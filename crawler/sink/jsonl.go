package sink

import (
	"context"

	"github.com/amblecrawl/amble/crawler"
)

func init() {
	crawler.Sinks.Register("jsonl", func() crawler.Sink { return new(JSONL) })
	crawler.Sinks.Register("csv", func() crawler.Sink { return new(CSV) })
}

// JSONL writes records as JSON objects, one a line: the fields in their order,
// then the provenance; _usage only where there is one, and _deleted in tombstones. Strings are UTF-8 with
// <, > and & as they are; integers stay integers. It is not safe for
// concurrent use, as [crawler.Sink] says.
type JSONL struct {
	Path string `yaml:"path,scalar" doc:"The file, relative to the config; {type}, {run} and {date} stand for the record type, the run and its first day. - is standard output."`

	onDemand bool
	files    *files
	disk     disk // nil: the system's
}

// Validate reports a path that cannot be one, as a *crawler.ConfigError.
func (j *JSONL) Validate() error { return checkPath(j.Path) }

// Open prepares the files; see the package comment. Errors wrap
// crawler.ErrStop, or crawler.ErrForeignState for a position that is not this
// sink's.
func (j *JSONL) Open(_ context.Context, run crawler.RunInfo, position []byte) error {
	if j.files.ready() == nil {
		return errOpen
	}
	if j.onDemand {
		run.Types = present(j.disk, j.Path, run)
	}
	opened, err := openFiles(j.disk, "jsonl", j.Path, run, position)
	if err == nil {
		j.files = opened
	}
	return err
}

// Write appends records; they may stay in memory until Flush.
func (j *JSONL) Write(ctx context.Context, records []crawler.Record) error {
	if err := j.files.ready(); err != nil {
		return err
	}
	for i := range records {
		f, err := j.files.of(ctx, records[i].Type)
		if err != nil {
			return j.files.fail(err)
		}
		f.buf = append(appendRecord(f.buf, &records[i]), '\n')
	}
	return nil
}

// Flush makes every record written so far durable and returns the position.
func (j *JSONL) Flush(ctx context.Context) ([]byte, error) { return j.files.flush(ctx) }

// Places lists the files.
func (j *JSONL) Places() []string { return j.files.places() }

// Close closes the files. Records that were not flushed are dropped.
func (j *JSONL) Close() error { return j.files.close() }
