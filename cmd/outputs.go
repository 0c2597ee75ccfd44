package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
)

// guardOutputs has what outputs ask of buckets obey politeness and stand in the ledger.
func guardOutputs(c *crawl.Crawl, sinks []crawler.NamedSink, book crawler.Ledger) {
	for name, a := range polite.BucketSinks(sinks) {
		u := &uploads{c.Politeness(), c.Gate, name}
		a.Guard(func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error {
			sent, err := u.exchange(ctx, key, x, do)
			if sent == nil {
				return err
			}
			if failed := crawler.NoteAtOnce(book, &sent.Entry); failed != nil {
				return errors.Join(err, fmt.Errorf("%w: the ledger: %w", crawler.ErrStop, failed))
			}
			return err
		})
	}
}
