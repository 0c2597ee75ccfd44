package polite

import (
	"cmp"
	"context"
	"iter"
	"net"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/query"
)

// exception is what differs for a host: a nil delay, no concurrency and no hours
// do not.
type exception struct {
	delay       *time.Duration
	concurrency int
	hours, zone string
	api         bool
	// The longest pause while it fails, and when it is given up; 0: as the others.
	circuitMost, giveUp time.Duration
}

// probeEvery is how often databases and interfaces for programs are tried at the
// least while they fail: they are there to be asked, and a restart is soon over.
const probeEvery = time.Minute

// exceptions are those of politeness.hosts, which the gate keeps and the ledger
// judges by.
func exceptions(p *config.Politeness) iter.Seq2[string, exception] {
	return func(yield func(string, exception) bool) {
		for _, h := range p.Hosts {
			x := exception{delay: h.Delay, api: h.API}
			if h.API {
				x.circuitMost = probeEvery
			}
			if h.Concurrency != nil {
				x.concurrency = *h.Concurrency
			}
			if h.Hours != "" || h.Timezone != "" {
				x.hours, x.zone = cmp.Or(h.Hours, p.Hours), cmp.Or(h.Timezone, p.Timezone)
			}
			for _, key := range originsOf(h.Host) {
				if !yield(key, x) {
					return
				}
			}
		}
	}
}

// originsOf are the names that an exception goes by: a port that is a scheme's own
// does not stand in its URLs.
func originsOf(host string) []string {
	_, port, err := net.SplitHostPort(host)
	if scheme := map[string]string{"80": "http", "443": "https"}[port]; err == nil && scheme != "" {
		return []string{host, scheme + "://" + strings.TrimSuffix(host, ":"+port)}
	}
	return []string{host}
}

// connections are what is promised to databases: no delay, since they are the
// operator's own, and no more requests at a time than the config says.
func connections(cfg *config.Config) iter.Seq2[string, exception] {
	return func(yield func(string, exception) bool) {
		for _, c := range cfg.Connections {
			scheme := query.Scheme
			if c.IsBucket() {
				scheme = download.Scheme
			}
			if !yield(scheme+"://"+c.Name, exception{delay: new(time.Duration), concurrency: c.Concurrency, circuitMost: probeEvery, giveUp: c.GiveUp}) {
				return
			}
		}
	}
}

// exceptionsOf are those of politeness.hosts, of connections and of outputs.
func exceptionsOf(cfg *config.Config) iter.Seq2[string, exception] {
	return func(yield func(string, exception) bool) {
		for _, all := range []iter.Seq2[string, exception]{exceptions(&cfg.Politeness), connections(cfg), services(cfg)} {
			for host, x := range all {
				if !yield(host, x) {
					return
				}
			}
		}
	}
}

// BucketSink is a sink that makes requests to a bucket when politeness lets it.
type BucketSink interface {
	// Service is the name of the bucket, "" where none is asked over a network.
	Service() string
	// Guard has each request made by exchange, which is given its object's key.
	Guard(exchange func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error)
}

// outputGiveUp is beyond the patience of any output, which says more than a gate does.
const outputGiveUp = time.Hour

// BucketSinks are the outputs that ask a bucket, with the name it has in the ledger: with a dot,
// which no connection's has.
func BucketSinks(sinks []crawler.NamedSink) iter.Seq2[string, BucketSink] {
	return func(yield func(string, BucketSink) bool) {
		for _, s := range sinks {
			if a, ok := s.Sink.(BucketSink); ok && a.Service() != "" && !yield(a.Service()+".output", a) {
				return
			}
		}
	}
}

// services are what is promised to the buckets of outputs: no delay, and one request at a
// time.
func services(cfg *config.Config) iter.Seq2[string, exception] {
	return func(yield func(string, exception) bool) {
		for name := range BucketSinks(cfg.AllSinks()) {
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
