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

	each func(yield func(*crawler.Record) error) error
}

// Each reads the part's records, in their order, until yield returns an error or ctx
// ends.
func (p *Part) Each(ctx context.Context, yield func(*crawler.Record) error) error {
	return p.each(func(r *crawler.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return yield(r)
	})
}

// part is one of an outbox, with the file that its records are kept in.
type part struct {
	Part
	spool     *sink.JSONL
	position  []byte    // of the spool, as flushed
	since     time.Time // when its first record came
	closed    bool
	delivered bool
}

func (o *Outbox) newPart(s *stream, serial int64) *part {
	p := &part{
		Part:  Part{Stream: s.name, Serial: serial},
		spool: &sink.JSONL{Path: filepath.Join(o.folder, fmt.Sprintf("%s-%08d%s", s.name, serial, spoolExt))},
	}
	p.each = func(yield func(*crawler.Record) error) error { return p.spool.EachCommitted(p.position, yield) }
	return p
}
