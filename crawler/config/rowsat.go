package config

import (
	"context"
	"io"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// RowAt is a row that asks for a URL, or a batch of which it is the first.
type RowAt struct {
	Place string
	Row   uint64 // by which the frontier knows the request
	Rows  int    // that share it
	// Further tells that their answer leads to the URL, as a page behind its first.
	Further bool
}

// maxFurther bounds the rows that are asked whether a URL is a further page of theirs.
const maxFurther = 1_000_000

// RowsAt finds the rows of files that ask for a URL by this call, the first so many of
// them, and those of which further says that their answers lead there; nil: none do. It
// reads the files as far as it has to. others tells that there are rows of queries as
// well, which only the run knows, or more rows than are looked at.
func (c *Config) RowsAt(ctx context.Context, u urls.URL, call *crawler.Call, most int, further func(row uint64) bool) (found []RowAt, others bool, err error) {
	looked := 0
	for i := range c.Seeds {
		s := c.Seeds[i]
		switch {
		case s.Rows.empty():
			continue
		case s.Rows.queried():
			others = true
			continue
		}
		r, err := c.request(&s)
		if err != nil {
			continue
		}
		if host, _, whole := strings.Cut(afterScheme(r.url.Prefix()), "/"); whole && !strings.EqualFold(host, strings.TrimPrefix(strings.TrimPrefix(u.Origin(), "https://"), "http://")) {
			continue // none of them can
		}
		in, err := r.open()
		if err != nil {
			return found, others, err
		}
		give := r.giver(func(seed crawler.Seed, _ int64) bool {
			at := RowAt{Place: seed.Place, Row: seed.Row, Rows: max(1, len(seed.Members))}
			switch {
			case seed.Fault != nil:
			case seed.URL.Fetch() == u.Fetch() && seed.Call.Digest() == call.Digest():
				found = append(found, at)
			case further == nil:
			case looked == maxFurther:
				others = true
			default:
				if looked++; further(seed.Row) {
					at.Further = true
					found = append(found, at)
				}
			}
			return len(found) < most && ctx.Err() == nil
		})
		for more := true; more; {
			row, err := in.Next()
			if err != nil {
				if err == io.EOF {
					give(nil)
				}
				break
			}
			more = give(row)
		}
		if err := in.Close(); err != nil {
			return found, others, err
		}
		if len(found) >= most || ctx.Err() != nil {
			return found, others, ctx.Err()
		}
	}
	return found, others, nil
}
