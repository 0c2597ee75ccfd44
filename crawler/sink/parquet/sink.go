package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/sink/outbox"
)

func init() {
	crawler.Sinks.Register("parquet", func() crawler.Sink { return &Parquet{Records: 500_000} })
}

// partBytes bounds a part, as its records are estimated.
const partBytes = 256 << 20

// Parquet writes records to Parquet files, each whole from its first moment. It is
// not safe for concurrent use, as [crawler.Sink] says.
type Parquet struct {
	Path    string        `yaml:"path,scalar" doc:"The files, relative to the config; {type}, {run} and {date} stand for the record type, the run and its first day, {part} for the number of the part, which stands before the ending by default."`
	Records int           `yaml:"records" default:"500000" min:"1" max:"100000000" doc:"How many records make a part full. It is full with 256 MiB of records in any case."`
	Every   time.Duration `yaml:"every" default:"0s" doc:"The age of its first record that makes a part full, so that readers see something while a long run goes on."`

	box   *outbox.Outbox
	parts *sink.Parts
}

// Validate reports a path that cannot be one, as a *crawler.ConfigError.
func (p *Parquet) Validate() error { return sink.CheckParts(p.Path) }

// Placeholders are those that a path may have beside the usual ones.
func (*Parquet) Placeholders() []string { return []string{"{part}"} }

// Open brings the files to the position; see package outbox. A fresh run removes the
// parts that an earlier one left at the same place.
func (p *Parquet) Open(ctx context.Context, run crawler.RunInfo, position []byte) error {
	if p.box.IsOpen() {
		return errors.New("the sink is open already")
	}
	parts := sink.NewParts(p.Path, run)
	box, err := outbox.Open(ctx, outbox.Options{
		Format: "parquet", Stream: parts.Stream,
		Records: int64(p.Records), Bytes: partBytes, Age: p.Every,
		Begin: func(context.Context) error { return parts.Clear() },
		Check: func(stream string, serial int64) error { return check(parts, stream, serial) },
		Deliver: func(ctx context.Context, part *outbox.Part) error {
			return parts.Write(ctx, part.Stream, part.Serial, func(w io.Writer) error { return WritePart(ctx, w, part) })
		},
	}, run, position)
	if err == nil {
		p.box, p.parts = box, parts
	}
	return err
}

// WritePart writes the records of a part as a Parquet file. Fields that have had no
// value yet have no column.
func WritePart(ctx context.Context, w io.Writer, part *outbox.Part) error {
	out := NewWriter(w, part.Stream, part.Columns.Filled())
	return errors.Join(part.Each(ctx, out.Write), out.Close())
}

// check finds out whether a part is there, and ends as a Parquet file does.
func check(parts *sink.Parts, stream string, serial int64) error {
	path := parts.File(stream, serial)
	f, err := parts.Open(stream, serial)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is missing, and the run has committed its records: put it back, or start over with --fresh", path)
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	if err != nil {
		return err
	}
	end := make([]byte, 4)
	if _, err := f.ReadAt(end, max(0, info.Size()-4)); err != nil || string(end) != "PAR1" {
		return fmt.Errorf("%s is not the file that the run wrote (it ends too early): put that one back, or start over with --fresh", path)
	}
	return nil
}

// Write keeps records until they are committed and their part is full.
func (p *Parquet) Write(ctx context.Context, records []crawler.Record) error {
	return p.box.Write(ctx, records)
}

// Flush makes the records durable and returns the position.
func (p *Parquet) Flush(ctx context.Context) ([]byte, error) { return p.box.Flush(ctx) }

// Deliver writes the parts that are full.
func (p *Parquet) Deliver(ctx context.Context) error { return p.box.Deliver(ctx) }

// Seal makes every part full.
func (p *Parquet) Seal() { p.box.Seal() }

// CheckPosition reports a position that is not this sink's.
func (p *Parquet) CheckPosition(position []byte) error {
	return outbox.CheckPosition("parquet", position)
}

// Places lists the files, the first few and the last of each type.
func (p *Parquet) Places() []string {
	if p.box == nil {
		return nil
	}
	return p.box.Places(p.parts.File)
}

// Unlisted counts the files that are not among Places.
func (p *Parquet) Unlisted() int64 { return p.box.Unlisted() }

// Close gives the files back. Records that were not flushed are dropped.
func (p *Parquet) Close() error { return p.box.Close() }
