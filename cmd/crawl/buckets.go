package crawl

import (
	"context"

	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/fetch/blob"
	"github.com/amblecrawl/amble/extractors"
)

// newBuckets makes the transport of a config's buckets, nil where it has none.
func newBuckets(cfg *config.Config) (*blob.Transport, error) {
	var connections []blob.Connection
	for i := range cfg.Connections {
		if c := &cfg.Connections[i]; c.IsBucket() {
			o := c.BucketOptions()
			o.UserAgent = cfg.Politeness.Agent + "/" + version.Number
			connections = append(connections, blob.Connection{Name: c.Name, Options: o, Timeout: c.Timeout})
		}
	}
	if len(connections) == 0 {
		return nil, nil
	}
	return blob.New(context.Background(), connections)
}

// bucketRules read the listings of buckets.
func bucketRules(cfg *config.Config) []extractors.Rule {
	if !cfg.Downloading() {
		return nil
	}
	return []extractors.Rule{{Type: cfg.Downloads.Type, Extractor: download.Objects{}, Scheme: download.Scheme}}
}

// closeBuckets ends the connections.
func (c *Crawl) closeBuckets() {
	if c.Buckets == nil {
		return
	}
	if err := c.Buckets.Close(); err != nil {
		c.Log.Warn("a bucket could not be closed", "err", err)
	}
}
