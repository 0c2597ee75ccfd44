package crawl

import (
	"net"
	"net/http"
	"slices"

	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler/cache"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/urls"
)

// OpenCache opens a config's cache, nil for none.
func (c *Crawl) OpenCache() (*cache.Cache, error) {
	if c.Config.Fetch.Cache == nil {
		return nil, nil
	}
	return cache.Open(cache.Options{
		Dir: c.Config.Fetch.Cache.Dir, Size: int64(c.Config.Fetch.Cache.Size), Cookies: c.jar != nil, Log: c.Log,
		Fields: c.Client.Sends, Private: c.private(),
	})
}

// private tells which URLs are asked for by somebody: with credentials, a certificate,
// cookies or a login.
func (c *Crawl) private() func(u urls.URL) bool {
	f := &c.Config.Fetch
	covers := func(urls.URL) bool { return false }
	if c.Config.Login != nil {
		covers = c.Config.Login.Covers()
	}
	known := make(map[string]bool, len(f.Auth))
	for _, a := range f.Auth {
		known[a.Host] = true
	}
	certified := f.TLS.Cert != "" || slices.ContainsFunc(f.Hosts, func(h config.FetchHost) bool { return h.TLS.Cert != "" })
	return func(u urls.URL) bool {
		sent := c.Client.Sends(u)
		return known[net.JoinHostPort(u.Hostname(), polite.PortOf(u))] || known[u.Hostname()+":"+polite.PortOf(u)] || covers(u) || certified && u.Scheme() == "https" ||
			sent.Get("Authorization") != "" || sent.Get("Cookie") != "" || c.hasCookies(u)
	}
}

// hasCookies reports whether there are cookies to send.
func (c *Crawl) hasCookies(u urls.URL) bool {
	if c.jar == nil {
		return false
	}
	r, err := http.NewRequest(http.MethodGet, u.Fetch(), nil)
	return err != nil || c.jar.Field(r.URL) != ""
}
