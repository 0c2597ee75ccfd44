package fetch

import (
	"context"
	"net/http"
	"time"
)

// Client is what the workers of a run share. Its methods are safe for
// concurrent use.
type Client struct {
	opt     Options
	http    *http.Client
	network *http.Transport
	stop    context.CancelFunc // ends lookups under way
}

// Scheme answers the requests of a scheme other than http and https.
type Scheme struct {
	// Transport is what the guard stands above, as above the network.
	Transport http.RoundTripper
	// Timeout bounds an exchange with a host of the scheme, body included.
	Timeout func(host string) time.Duration
	// Elements counts what the parts of a body take of memory as elements of HTML
	// do; nil counts "<".
	Elements func(body []byte) int
}

// bySchemes is the innermost link.
type bySchemes struct {
	web     http.RoundTripper
	schemes map[string]Scheme
}

func (t bySchemes) RoundTrip(req *http.Request) (*http.Response, error) {
	if s, ok := t.schemes[req.URL.Scheme]; ok {
		return s.Transport.RoundTrip(req)
	}
	return t.web.RoundTrip(req)
}

// New makes a Client. Errors wrap ErrOptions.
func New(o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	network := newNetwork(o, newDialer(ctx, o))
	var chain http.RoundTripper = bySchemes{single{network}, o.Schemes}
	if o.Guard != nil {
		chain = o.Guard(chain)
	}
	chain = conceal{hold{decode{wire{next: chain}}, newRoom(o)}}
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
