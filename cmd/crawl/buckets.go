package crawl

import (
	"context"

	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/fetch/blob"
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
