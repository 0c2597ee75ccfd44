package cmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
)

// asking is a sink that makes requests to a bucket when politeness lets it.
type asking interface {
	// Service is the name of the bucket, "" where none is asked over a network.
	Service() string
	// Guard has each request made by exchange, which is given its object's key.
	Guard(exchange func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error)
}

// outputGiveUp is beyond the patience of any output, which says more than a gate does.
const outputGiveUp = time.Hour

// asked are the outputs that ask a bucket, with the name it has in the ledger: with a dot,
// which no connection's has.
func asked(sinks []crawler.NamedSink) iter.Seq2[string, asking] {
	return func(yield func(string, asking) bool) {
		for _, s := range sinks {
			if a, ok := s.Sink.(asking); ok && a.Service() != "" && !yield(a.Service()+".output", a) {
				return
			}
		}
	}
}

// services are what is promised to the buckets of outputs: no delay, and one request at a
// time.
func services(cfg *config.Config) iter.Seq2[string, exception] {
	return func(yield func(string, exception) bool) {
		for name := range asked(outputs(cfg)) {
			at, err := download.ObjectURL(name, "")
			if err != nil {
				continue // which fails the output's first request
			}
			if !yield(at.Origin(), exception{delay: new(time.Duration), concurrency: 1, circuitMost: probeEvery, giveUp: outputGiveUp}) {
				return
			}
		}
	}
}

// guardOutputs has what outputs ask of buckets obey politeness and stand in the ledger.
func (c *crawl) guardOutputs(sinks []crawler.NamedSink, book crawler.Ledger) {
	for name, a := range asked(sinks) {
		u := &uploads{c.polite(), c.gate, name}
		a.Guard(func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error {
			sent, err := u.exchange(ctx, key, x, do)
			if sent == nil {
				return err
			}
			if failed := book.Append([]crawler.Entry{sent.Entry}); failed != nil {
				return errors.Join(err, fmt.Errorf("%w: the ledger: %w", crawler.ErrStop, failed))
			}
			return err
		})
	}
}
