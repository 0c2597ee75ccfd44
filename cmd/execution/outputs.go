package execution

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
)

// outputWaitTold is the shortest wait for an output that is told: while it lasts the run
// stands still, and whoever looks on would not know why.
const outputWaitTold = 5 * time.Second

// guardOutputs has what outputs ask of buckets obey politeness and stand in the ledger,
// and what these ask for in the state.
func guardOutputs(c *crawl.Crawl, sinks []crawler.NamedSink, book crawler.Ledger, f crawler.Frontier) {
	for name, a := range polite.BucketSinks(sinks) {
		u := &uploads{polite: c.Politeness(), gate: c.Gate, connection: name}
		u.waits = func(until time.Time, why string) {
			if left := time.Until(until); left > outputWaitTold {
				c.Log.Warn("the run waits for an output", "output", name, "reason", why, "again_in", left)
			}
		}
		a.Guard(func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error {
			sent, err := u.exchange(ctx, key, x, do)
			if sent == nil {
				return err
			}
			if failed := crawler.NoteAtOnce(book, &sent.Entry); failed != nil {
				return errors.Join(err, fmt.Errorf("%w: the ledger: %w", crawler.ErrStop, failed))
			}
			if failed := crawler.KeepHost(ctx, f, sent.Entry.Host, &sent.State); failed != nil {
				return errors.Join(err, fmt.Errorf("%w: %w", crawler.ErrStop, failed))
			}
			return err
		})
	}
}
