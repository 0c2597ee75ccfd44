package cmd

import (
	"net"
	"net/http"
	"slices"

	"github.com/amblecrawl/amble/crawler/cache"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/urls"
)

// openCache opens a config's cache, nil for none.
func openCache(c *crawl) (*cache.Cache, error) {
	if c.cfg.Fetch.Cache == nil {
		return nil, nil
	}
	return cache.Open(cache.Options{
		Dir: c.cfg.Fetch.Cache.Dir, Size: int64(c.cfg.Fetch.Cache.Size), Cookies: c.jar != nil, Log: c.log,
		Fields: c.client.Sends, Private: c.private(),
	})
}

// private tells which URLs are asked for by somebody: with credentials, a certificate,
// cookies or a login.
func (c *crawl) private() func(u urls.URL) bool {
	f := &c.cfg.Fetch
	covers := func(urls.URL) bool { return false }
	if c.cfg.Login != nil {
		covers = c.cfg.Login.Covers()
	}
	known := make(map[string]bool, len(f.Auth))
	for _, a := range f.Auth {
		known[a.Host] = true
	}
	certified := f.TLS.Cert != "" || slices.ContainsFunc(f.Hosts, func(h config.FetchHost) bool { return h.TLS.Cert != "" })
	return func(u urls.URL) bool {
		sent := c.client.Sends(u)
		return known[net.JoinHostPort(u.Hostname(), portOf(u))] || known[u.Hostname()+":"+portOf(u)] || covers(u) || certified && u.Scheme() == "https" ||
			sent.Get("Authorization") != "" || sent.Get("Cookie") != "" || c.hasCookies(u)
	}
}

// hasCookies reports whether there are cookies to send.
func (c *crawl) hasCookies(u urls.URL) bool {
	if c.jar == nil {
		return false
	}
	r, err := http.NewRequest(http.MethodGet, u.Fetch(), nil)
	return err != nil || c.jar.Field(r.URL) != ""
}
