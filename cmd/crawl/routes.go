package crawl

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/urls"
)

// newRoutes are how a config reaches hosts, nil where it says nothing of it.
func newRoutes(cfg *config.Config) (*fetch.Routes, error) {
	f := &cfg.Fetch
	if !f.Routed() {
		return nil, nil
	}
	m := routing{fetch: f, tls: map[config.TLS]*tls.Config{}}
	routes := &fetch.Routes{Hosts: make(map[string]*fetch.Route, len(f.Hosts))}
	all, err := m.route(f.Route(nil))
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	routes.All = *all
	for i := range f.Hosts {
		h := &f.Hosts[i]
		if routes.Hosts[h.Host], err = m.route(f.Route(h)); err != nil {
			return nil, fmt.Errorf("fetch.hosts.%s: %w", h.Host, err)
		}
	}
	return routes, nil
}

// Proxies names what a URL is asked for through, as fetch.Routes.Through does; any tells
// whether the config has proxies at all.
func Proxies(cfg *config.Config, u urls.URL) (names []string, perRequest, any bool) {
	at, err := url.Parse(u.Fetch())
	if err != nil || !cfg.Fetch.Routed() {
		return nil, false, false
	}
	routes, err := newRoutes(cfg)
	if err != nil { // of a crawl that is made there is none
		return nil, false, false
	}
	any = routes.All.Proxies != nil
	for _, r := range routes.Hosts {
		any = any || r.Proxies != nil
	}
	names, perRequest = routes.Through(at)
	return names, perRequest, any
}

// routing makes routes that share what is the same in them: connections are shared
// by that, and what is known of proxies.
type routing struct {
	fetch   *config.Fetch
	tls     map[config.TLS]*tls.Config
	proxies []sharedProxies
}

type sharedProxies struct {
	urls []string
	made *fetch.Proxies
}

func (m *routing) route(r config.Route) (*fetch.Route, error) {
	out := &fetch.Route{Header: make(http.Header, len(r.Headers))}
	for _, h := range r.Headers {
		out.Header.Set(h.Name, h.Value)
	}
	var err error
	if out.TLS, err = m.secured(r.TLS); err != nil {
		return nil, fmt.Errorf("tls.%w", err)
	}
	if len(r.Proxy) > 0 {
		out.Proxies, err = m.through(r.Proxy)
	}
	return out, err
}

func (m *routing) secured(t config.TLS) (*tls.Config, error) {
	if made, ok := m.tls[t]; ok {
		return made, nil
	}
	made, err := t.Config()
	m.tls[t] = made
	return made, err
}

func (m *routing) through(list []string) (*fetch.Proxies, error) {
	for _, s := range m.proxies {
		if slices.Equal(s.urls, list) {
			return s.made, nil
		}
	}
	// An https proxy is trusted as hosts are, and never shown their certificate.
	trust, err := m.secured(config.TLS{CA: m.fetch.TLS.CA, MinVersion: m.fetch.TLS.MinVersion})
	if err != nil {
		return nil, err
	}
	made, err := fetch.NewProxies(fetch.ProxyOptions{URLs: list, PerRequest: m.fetch.ProxyBy == "request", Except: m.fetch.NoProxy, TLS: trust})
	m.proxies = append(m.proxies, sharedProxies{list, made})
	return made, err
}
