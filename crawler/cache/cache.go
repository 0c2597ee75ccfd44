package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Options shape a Cache.
type Options struct {
	Dir  string
	Size int64 // of all entries, in bytes
	// Fields are what a host is sent beside a request's own fields, for Vary; nil:
	// nothing that may change.
	Fields func(u urls.URL) http.Header
	// Private tells that a host is asked by somebody; nil: never.
	Private func(u urls.URL) bool
	// Cookies are kept, so that answers that set some are not stored.
	Cookies bool
	Now     func() time.Time
	Log     *slog.Logger
}

// Cache gives answers again. It is safe for concurrent use.
type Cache struct {
	opt   Options
	store *store
}

// Open makes a cache in a folder, with what is there.
func Open(o Options) (*Cache, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := openStore(o.Dir, o.Size, o.Log)
	if err != nil {
		return nil, fmt.Errorf("the cache: %w", err)
	}
	return &Cache{o, s}, nil
}

// Close ends its use.
func (c *Cache) Close() error { return c.store.close() }

// Fetcher makes a fetcher that asks the cache first.
func (c *Cache) Fetcher(next crawler.Fetcher) crawler.Fetcher { return &fetcher{c, next} }

type fetcher struct {
	cache *Cache
	next  crawler.Fetcher
}

// Stored is what answers of a cache say of where they come from.
const Stored = "the cache"

// Fetch implements crawler.Fetcher.
func (f *fetcher) Fetch(ctx context.Context, u urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	c := f.cache
	// A body that goes elsewhere, as that of a download, is not seen here, nor can one
	// be given: files are validated by those who keep them.
	if !u.IsHTTP() || opt.Truncate || opt.Receive != nil || u.Path() == "/robots.txt" {
		return f.next.Fetch(ctx, u, opt)
	}
	k := keyOf(u, opt.Raw)
	if opt.Method != "" && opt.Method != http.MethodGet || opt.Body != "" || opt.Header.Get("Range") != "" {
		resp, err := f.next.Fetch(ctx, u, opt)
		if err == nil && resp.Status < 400 && opt.Method != http.MethodHead && opt.Method != http.MethodOptions {
			c.store.drop(keyOf(u, false), nil) // RFC 9111 section 4.4
			c.store.drop(keyOf(u, true), nil)
		}
		return resp, err
	}
	private := opt.Header.Get("Authorization") != "" || opt.Header.Get("Cookie") != "" || c.opt.Private != nil && c.opt.Private(u)
	x := &exchange{fetcher: f, url: u, opt: opt, key: k, private: private, request: c.request(u, opt.Header)}
	e := c.store.get(k)
	if e == nil {
		return x.ask(ctx, nil)
	}
	defer e.close()
	if !x.selects(e) || e.Size > maxBody(opt) {
		return x.ask(ctx, nil)
	}
	if parseControl(opt.Header).noCache || !e.fresh(c.opt.Now()) {
		return x.ask(ctx, e)
	}
	if x.conditional() && matches(opt.Header, e.Header) {
		return &crawler.Response{Status: http.StatusNotModified, Header: e.aged(c.opt.Now()), FetchedAt: e.FetchedAt, Stored: Stored}, nil
	}
	resp, err := x.give(ctx, e, e.aged(c.opt.Now()))
	if resp != nil {
		resp.Stored = Stored
		return resp, nil
	}
	if err != nil {
		return nil, err
	}
	return x.ask(ctx, nil)
}

func maxBody(opt crawler.FetchOptions) int64 {
	if opt.MaxBody > 0 {
		return opt.MaxBody
	}
	return maxPlain
}

func keyOf(u urls.URL, raw bool) key {
	return xxh3.HashString128(strconv.FormatBool(raw) + " " + u.Fetch()).Bytes()
}

// request are the fields that an answer may depend on.
func (c *Cache) request(u urls.URL, own http.Header) http.Header {
	h := http.Header{}
	if c.opt.Fields != nil {
		h = c.opt.Fields(u).Clone()
	}
	for name, values := range own {
		h[http.CanonicalHeaderKey(name)] = values
	}
	return h
}

// exchange is one request on its way through the cache.
type exchange struct {
	fetcher *fetcher
	url     urls.URL
	opt     crawler.FetchOptions
	key     key
	private bool
	request http.Header
}

// conditional reports whether the caller has conditions of its own.
func (x *exchange) conditional() bool {
	return x.opt.Header.Get("If-None-Match") != "" || x.opt.Header.Get("If-Modified-Since") != ""
}

// selects reports whether an entry is an answer to this request (RFC 9111 section
// 4.1). What was stored for nobody in particular serves everybody.
func (x *exchange) selects(e *stored) bool {
	if x.private && !parseControl(e.Header).public {
		return false
	}
	for name, value := range e.Vary {
		if strings.Join(x.request.Values(name), ", ") != value {
			return false
		}
	}
	return true
}

// fresh is RFC 9111 section 4.2.
func (h *head) fresh(now time.Time) bool {
	c := parseControl(h.Header)
	return !c.noCache && !now.Before(h.Received) && h.age(now) < lifetime(h.Header, c, h.Received)
}

func (h *head) age(now time.Time) time.Duration {
	return age(h.Header, h.Asked, h.Received) + now.Sub(h.Received)
}

// aged are the fields of a stored answer with its age.
func (h *head) aged(now time.Time) http.Header {
	out := h.Header.Clone()
	out.Set("Age", strconv.FormatInt(int64(max(0, h.age(now))/time.Second), 10))
	return out
}

// give makes an answer of an entry; nil without an error when that is damaged.
func (x *exchange) give(ctx context.Context, e *stored, header http.Header) (*crawler.Response, error) {
	c := x.fetcher.cache
	if x.opt.Admit != nil {
		if err := x.opt.Admit(ctx, crawler.Arrived{MediaType: e.MediaType, Size: e.Size, Elements: e.Elements}); err != nil {
			return nil, err
		}
	}
	packed, err := e.packed()
	var body []byte
	if err == nil {
		body, err = unpack(c.store.read, e.first, packed, e.Size)
	}
	resp := &crawler.Response{Status: e.Status, Header: header, MediaType: e.MediaType, Charset: e.Charset, Body: body, FetchedAt: e.FetchedAt}
	if err == nil && e.Location != "" {
		resp.Location, err = urls.Parse(e.Location)
	}
	if err != nil {
		c.store.drop(x.key, errDamaged)
		return nil, nil
	}
	return resp, nil
}

// ask sends the request, with the validators of an entry if there is one, and stores
// what comes.
func (x *exchange) ask(ctx context.Context, e *stored) (*crawler.Response, error) {
	c := x.fetcher.cache
	opt := x.opt
	validating := e != nil && !x.conditional()
	if validating {
		opt.Header = maps.Clone(opt.Header)
		if opt.Header == nil {
			opt.Header = http.Header{}
		}
		if tag := e.Header.Get("Etag"); tag != "" {
			opt.Header.Set("If-None-Match", tag)
		}
		if modified := e.Header.Get("Last-Modified"); modified != "" {
			opt.Header.Set("If-Modified-Since", modified)
		}
		validating = len(opt.Header) > len(x.opt.Header)
	}
	asked := c.opt.Now()
	resp, err := x.fetcher.next.Fetch(ctx, x.url, opt)
	if err != nil || resp.Stored != "" {
		return resp, err
	}
	if resp.Status != http.StatusNotModified {
		x.keep(resp, asked)
		return resp, nil
	}
	if e == nil || !validating && !renews(resp.Header, e.Header) {
		return resp, nil
	}
	h := *e.head
	h.Header, h.Asked, h.Received = merged(e.Header, resp.Header), asked, c.opt.Now()
	if !validating { // the caller has the page
		if packed, err := e.packed(); err == nil {
			x.renew(&h, packed)
		}
		return resp, nil
	}
	given, err := x.give(ctx, e, h.Header)
	switch {
	case err != nil:
		return nil, err
	case given == nil: // damaged: the page itself is needed, at its host's next turn
		return nil, &crawler.FetchError{Class: crawler.ClassNetwork, Temporary: true, Err: errors.New("what the host says is unchanged was damaged in the cache")}
	}
	if packed, err := x.again(); err == nil {
		x.renew(&h, packed)
	}
	given.Wire = resp.Wire
	return given, nil
}

// again reads the packed body once more.
func (x *exchange) again() ([]byte, error) {
	e := x.fetcher.cache.store.get(x.key)
	if e == nil {
		return nil, errDamaged
	}
	defer e.close()
	return e.packed()
}

func (x *exchange) renew(h *head, packed []byte) {
	if storable(h.Status, h.Header, x.private) {
		x.fetcher.cache.store.put(x.key, h, packed)
		return
	}
	x.fetcher.cache.store.drop(x.key, nil)
}

// renews reports whether a 304 to a caller's own conditions is about the entry.
func renews(renewed, stored http.Header) bool {
	if tag := renewed.Get("Etag"); tag != "" {
		return tag == stored.Get("Etag") && !strings.HasPrefix(tag, "W/")
	}
	return renewed.Get("Last-Modified") != "" && renewed.Get("Last-Modified") == stored.Get("Last-Modified")
}

// keep stores an answer, or takes away what it replaces.
func (x *exchange) keep(resp *crawler.Response, asked time.Time) {
	c := x.fetcher.cache
	for name := range resp.Header {
		if strings.HasPrefix(name, ":") && name != crawler.HeaderCookies {
			return // not the page
		}
	}
	if resp.Status >= 500 {
		return // what is stored may hold yet
	}
	if !storable(resp.Status, resp.Header, x.private) || c.opt.Cookies && len(resp.Header.Values("Set-Cookie")) > 0 {
		c.store.drop(x.key, nil)
		return
	}
	h := &head{
		Status: resp.Status, Header: resp.Header.Clone(), MediaType: resp.MediaType, Charset: resp.Charset, FetchedAt: resp.FetchedAt.UTC(),
		Asked: asked.UTC(), Received: c.opt.Now().UTC(), Vary: varied(resp.Header, x.request),
		Size: int64(len(resp.Body)), Elements: int64(crawler.ElementsOf(resp.MediaType)(resp.Body)),
	}
	for _, name := range []string{"Set-Cookie", "Set-Cookie2", crawler.HeaderCookies, "Content-Encoding", "Content-Length", "Transfer-Encoding"} {
		delete(h.Header, name)
	}
	if !resp.Location.IsZero() {
		h.Location = resp.Location.String()
	}
	c.store.put(x.key, h, c.store.pack.EncodeAll(resp.Body, nil))
}
