package fetch

import (
	"context"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Client is what the workers of a run share. Its methods are safe for
// concurrent use.
type Client struct {
	opt     Options
	http    *http.Client
	network *routed
	stop    context.CancelFunc // ends lookups under way
}

// Scheme answers the requests of a scheme other than http and https.
type Scheme struct {
	// Transport is what the guard stands above, as above the network.
	Transport http.RoundTripper
	// Timeout bounds an exchange with a host of the scheme, body included.
	Timeout func(host string) time.Duration
	// Elements counts what the parts of a body take of memory as elements of HTML
	// do; nil counts as crawler.ElementsOf does.
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
	web, network := newRouted(&o, newDialer(ctx, o))
	var chain http.RoundTripper = bySchemes{single{web}, o.Schemes}
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
	c.network.closeIdle()
}

// Sends are the header fields that a URL's host is sent, but for those that are added
// below the guard.
func (c *Client) Sends(u urls.URL) http.Header {
	return (&Fetcher{client: c}).header(exactURL(u), nil, false)
}

// Waits is until when a host cannot be asked, and why: all of its proxies are set
// aside. Otherwise it is zero.
func (c *Client) Waits(u urls.URL) (until time.Time, why string) {
	if c.opt.Routes == nil || !u.IsHTTP() {
		return time.Time{}, ""
	}
	until, cause := c.network.waits(exactURL(u))
	if cause == nil {
		return time.Time{}, ""
	}
	return until, cause.Error()
}
