package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/gocolly/colly/v2"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

var _ crawler.Fetcher = (*Fetcher)(nil)

const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// placeholder is a URL that takes little to parse. It has no host, so that net/http
// goes by that of the address.
const placeholder = "x:"

var errNoAnswer = errors.New("the exchange ended without a response")

// Fetcher performs exchanges for one worker goroutine: it is not safe for
// concurrent use. All fetchers of a Client share its connections.
type Fetcher struct {
	client    *Client
	collector *colly.Collector
	context   *colly.Context // colly wants one per request; it stays empty

	current *exchange // the request under way
	done    bool      // colly delivered a response
}

// Fetcher makes one for another worker.
func (c *Client) Fetcher() *Fetcher {
	f := &Fetcher{client: c, context: colly.NewContext()}
	f.collector = f.fenced()
	return f
}

// fenced makes a collector that performs requests and nothing else. Every
// field is set after construction, where COLLY_* variables of the environment
// have had their say; the client, which they reach into, is replaced.
func (f *Fetcher) fenced() *colly.Collector {
	c := colly.NewCollector()
	c.SetClient(f.client.http)
	c.UserAgent = f.client.opt.UserAgent
	c.Headers = nil
	c.MaxDepth, c.MaxRequests = 0, 0
	c.AllowedDomains, c.DisallowedDomains = nil, nil
	c.DisallowedURLFilters, c.URLFilters = nil, nil
	c.AllowURLRevisit = true
	c.MaxBodySize = 0 // it cuts in silence; the chain bounds and says so
	c.CacheDir, c.CacheExpiration = "", 0
	c.IgnoreRobotsTxt = true // politeness reads it
	c.Async = false
	c.ParseHTTPErrorResponse = true
	c.DetectCharset = false
	c.CheckHead = false
	c.TraceHTTP = false
	// colly parses URLs by rules of its own (a lone "%" becomes "%25"), so it
	// is given a placeholder, and the address here.
	c.OnRequest(func(r *colly.Request) { *r.URL = *f.current.url })
	c.OnResponse(func(*colly.Response) { f.done = true })
	return c
}

// Fetch performs one exchange. The fields User-Agent, Accept-Encoding and Host of
// opt.Header, and those that frame a message, are not sent: they are the client's
// to say. A body without a Content-Type is sent as that of a form.
func (f *Fetcher) Fetch(ctx context.Context, u urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	scheme, known := f.client.opt.Schemes[u.Scheme()]
	if !known && !u.IsHTTP() {
		return nil, &crawler.FetchError{Class: crawler.ClassNetwork, Err: fmt.Errorf("no transport for the scheme %q", u.Scheme())}
	}
	x := &exchange{
		url:      exactURL(u),
		maxBody:  orElse(opt.MaxBody, f.client.opt.MaxBody),
		truncate: opt.Truncate,
		idle:     f.client.opt.IdleBody,
		receive:  opt.Receive,
	}
	timeout := f.client.opt.Timeout
	if known {
		timeout, x.elements = scheme.Timeout(u.Hostname()), scheme.Elements
		x.idle = timeout
	}
	if x.receive != nil {
		timeout = orElse(opt.Timeout, timeout)
	}
	bounded, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	x.stop = stop
	err := f.perform(context.WithValue(bounded, exchangeKey{}, x), x, f.header(x.url, opt.Header, x.receive != nil), cmp.Or(opt.Method, http.MethodGet), opt.Body)
	if err != nil {
		x.drop()
		return nil, f.client.explain(ctx, x, err)
	}
	stop() // what follows takes none of the server's time
	body, err := x.admit(ctx, opt.Admit)
	if err != nil {
		return nil, f.client.explain(ctx, x, err)
	}
	return f.client.response(u, x, body, opt.Raw), nil
}

// header gathers the request's fields; net/http and colly keep the map.
func (f *Fetcher) header(u *url.URL, extra http.Header, asItIs bool) http.Header {
	h := make(http.Header, len(extra)+3)
	h["Accept"] = []string{accept}
	if routes := f.client.opt.Routes; routes != nil && (u.Scheme == "http" || u.Scheme == "https") {
		for name, values := range routes.of(hostOf(u), portOf(u)).Header {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	for name, values := range extra {
		h[http.CanonicalHeaderKey(name)] = values
	}
	for name := range h {
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Te", "Trailer", "Expect":
			delete(h, name)
		}
	}
	h["User-Agent"] = []string{f.client.opt.UserAgent}
	h["Accept-Encoding"] = []string{acceptEncoding}
	if asItIs {
		h["Accept"], h["Accept-Encoding"] = []string{"*/*"}, []string{"identity"}
	}
	return h
}

// perform lets colly make the request; the chain keeps the body. A panic on the
// way ends this exchange alone, and the collector it may have left half-way.
func (f *Fetcher) perform(ctx context.Context, x *exchange, h http.Header, method, send string) (err error) {
	f.current, f.done = x, false
	defer func() {
		if v := recover(); v != nil {
			f.client.opt.Log.Error("panic in an exchange", "host", x.url.Host, "panic", v, "stack", string(debug.Stack()))
			f.collector = f.fenced()
			err = errPanic(v)
		}
		f.collector.Context = context.Background()
		f.current = nil
	}()
	f.collector.Context = ctx
	var content io.Reader
	if send != "" {
		content = strings.NewReader(send)
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	if err := f.collector.Request(method, placeholder, content, f.context, h); err != nil {
		return err
	}
	if !f.done {
		return errNoAnswer
	}
	return nil
}

// response makes the contract's response of an exchange that went well.
func (c *Client) response(u urls.URL, x *exchange, body []byte, raw bool) *crawler.Response {
	resp := &crawler.Response{
		Status:    x.status,
		Header:    x.header,
		Body:      body,
		Wire:      x.wire,
		FetchedAt: c.opt.Now(),
	}
	recognise(resp, raw)
	resp.Location = location(u, resp)
	return resp
}

// recognise finds the media type of a body and, unless it is to stay raw,
// brings text to UTF-8.
func recognise(resp *crawler.Response, raw bool) {
	var declared string
	resp.MediaType, declared = mediaType(resp.Header.Get("Content-Type"), resp.Body)
	if !raw && isText(resp.MediaType) {
		resp.Body, resp.Charset = toUTF8(resp.Body, resp.MediaType, declared)
	}
}
