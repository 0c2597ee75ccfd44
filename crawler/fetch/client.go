package fetch

import (
	"context"
	"net/http"
)

// Client is what the workers of a run share. Its methods are safe for
// concurrent use.
type Client struct {
	opt     Options
	http    *http.Client
	network *http.Transport
	stop    context.CancelFunc // ends lookups under way
}

// New makes a Client. Errors wrap ErrOptions.
func New(o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	network := newNetwork(o, newDialer(ctx, o))
	var chain http.RoundTripper = single{network}
	if o.Guard != nil {
		chain = o.Guard(chain)
	}
	chain = conceal{hold{decode{wire{next: chain, idle: o.IdleBody}}, newRoom(o)}}
	return &Client{
		opt:     o,
		network: network,
		stop:    stop,
		http: &http.Client{
			Transport: chain,
			// Redirects pass the frontier like any other link.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close drops idle connections and ends lookups. Exchanges must have ended.
func (c *Client) Close() {
	c.stop()
	c.network.CloseIdleConnections()
}
