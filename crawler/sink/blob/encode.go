package blob

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/amblecrawl/amble/crawler/sink/outbox"
	"github.com/amblecrawl/amble/crawler/sink/parquet"
)

// endings of keys are formats.
var endings = []string{".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"}

var contentTypes = map[string]string{
	".jsonl": "application/x-ndjson", ".jsonl.gz": "application/gzip", ".jsonl.zst": "application/zstd",
	".parquet": "application/vnd.apache.parquet",
}

// encode writes a part.
func encode(ctx context.Context, to io.Writer, p *outbox.Part, format string) error {
	out := bufio.NewWriterSize(to, 256<<10)
	var err error
	switch format {
	case ".parquet":
		err = parquet.WritePart(ctx, out, p)
	case ".jsonl.gz":
		z := gzip.NewWriter(out)
		err = errors.Join(lines(ctx, z, p), z.Close())
	case ".jsonl.zst":
		var z *zstd.Encoder
		if z, err = zstd.NewWriter(out, zstd.WithEncoderConcurrency(1)); err == nil {
			err = errors.Join(lines(ctx, z, p), z.Close())
		}
	default:
		err = lines(ctx, out, p)
	}
	return errors.Join(err, out.Flush())
}

func lines(ctx context.Context, w io.Writer, p *outbox.Part) error {
	return p.EachLine(ctx, func(line []byte) error {
		_, err := w.Write(line)
		if err == nil {
			_, err = io.WriteString(w, "\n")
		}
		return err
	})
}
