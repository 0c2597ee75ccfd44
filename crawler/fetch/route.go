package fetch

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Route is how a host is reached.
type Route struct {
	// Header fields are sent to it, unless the request has them itself. Redirects
	// are requests of their own, so that these go to no other host.
	Header http.Header
	// TLS is cloned; nil takes Options.TLSConfig.
	TLS *tls.Config
	// Proxies are what the host is reached through; nil connects to it.
	Proxies *Proxies
}

// Routes are how hosts are reached. They are not changed once a Client has them.
type Routes struct {
	// All is the route of hosts that have none of their own.
	All Route
	// Hosts are by "host:port", "host" or "*.host" for what is below it, spelt as in
	// URLs; the nearest key counts, alone.
	Hosts map[string]*Route
}

// of finds the route to a host; nil Routes have none.
func (r *Routes) of(host, port string) *Route {
	if r == nil {
		return nil
	}
	if len(r.Hosts) == 0 {
		return &r.All
	}
	if own, ok := r.Hosts[host+":"+port]; ok {
		return own
	}
	if own, ok := r.Hosts[host]; ok {
		return own
	}
	for rest := host; ; {
		_, below, found := strings.Cut(rest, ".")
		if !found {
			return &r.All
		}
		if own, ok := r.Hosts["*."+below]; ok {
			return own
		}
		rest = below
	}
}

// each calls f for all routes.
func (r *Routes) each(f func(name string, route *Route)) {
	if r == nil {
		return
	}
	f("every host", &r.All)
	for name, route := range r.Hosts {
		f(name, route)
	}
}

// check refuses what cannot be sent.
func (r *Routes) check() (err error) {
	r.each(func(name string, route *Route) {
		for field, values := range route.Header {
			for _, v := range values {
				if !httpguts.ValidHeaderFieldName(field) || !httpguts.ValidHeaderFieldValue(v) {
					err = fmt.Errorf("%w: the header field %q for %s cannot be sent", ErrOptions, field, name)
				}
			}
		}
	})
	return err
}

// portOf is the port that a URL leads to.
func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// hostOf is the host of a URL as keys of Routes have it: IPv6 with brackets.
func hostOf(u *url.URL) string {
	host := u.Hostname()
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// routed sends each request the way of its host. Hosts that share settings of TLS
// and a proxy share a transport; they are made when they are first needed.
type routed struct {
	opt    *Options
	dial   *dialer
	direct *http.Transport
	ways   ways
}

// newRouted makes the link; without Routes the plain transport serves.
func newRouted(o *Options, d *dialer) (http.RoundTripper, *routed) {
	t := &routed{opt: o, dial: d}
	t.ways.idle = o.MaxIdle
	if o.Routes != nil {
		t.ways.idle = max(2, o.MaxIdle/(1+t.ways.possible(o.Routes)))
	}
	plain := *o
	plain.MaxIdle = t.ways.idle
	t.direct = newNetwork(plain, d)
	if o.Routes == nil {
		return t.direct, t
	}
	return t, t
}

// RoundTrip implements http.RoundTripper.
func (t *routed) RoundTrip(req *http.Request) (*http.Response, error) {
	route := t.opt.Routes.of(hostOf(req.URL), portOf(req.URL))
	if route.Proxies == nil || route.Proxies.excepts(req.URL) {
		return t.ways.to(t, route.TLS, nil, false).RoundTrip(req)
	}
	return t.proxied(req, route)
}

// closeIdle drops idle connections of all transports.
func (t *routed) closeIdle() {
	t.direct.CloseIdleConnections()
	t.ways.each(func(way *http.Transport) { way.CloseIdleConnections() })
}

// hostPort is what a URL's host is connected to by.
func hostPort(u *url.URL) string { return net.JoinHostPort(u.Hostname(), portOf(u)) }
