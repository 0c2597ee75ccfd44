package outbox

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

const (
	spoolExt        = ".jsonl"
	provenanceBytes = 300 // of a record, estimated
)

// Part is a number of committed records that are handed on as one.
type Part struct {
	Stream  string
	Serial  int64 // from 1, in each stream
	Records int64
	Bytes   int64           // estimated
	Columns *tables.Columns // of the stream so far; they hold the part's at least

	spool    *sink.JSONL
	position []byte // of the spool, as flushed
}

// Each reads the part's records, in their order, until yield returns an error or ctx
// ends.
func (p *Part) Each(ctx context.Context, yield func(*crawler.Record) error) error {
	return p.spool.EachCommitted(p.position, func(r *crawler.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return yield(r)
	})
}

// EachLine is Each with the records as lines of JSON, without their ends. A line is
// good until yield returns.
func (p *Part) EachLine(ctx context.Context, yield func(line []byte) error) error {
	return p.spool.EachLine(p.position, func(line []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return yield(line)
	})
}

// part is one of an outbox.
type part struct {
	Part
	since     time.Time // when its first record came
	closed    bool
	delivered bool
}

func (o *Outbox) newPart(s *stream, serial int64) *part {
	path := filepath.Join(o.folder, fmt.Sprintf("%s-%08d%s", s.name, serial, spoolExt))
	return &part{Part: Part{Stream: s.name, Serial: serial, spool: &sink.JSONL{Path: path}}}
}
