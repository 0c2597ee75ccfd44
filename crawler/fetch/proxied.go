package fetch

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// proxied sends a request through a proxy of its route. A proxy that fails has
// sent nothing to the host, so another is tried at once.
func (t *routed) proxied(req *http.Request, route *Route) (*http.Response, error) {
	var (
		tried  []*proxy
		failed error
	)
	for range triedProxies {
		p := route.Proxies.pick(hostPort(req.URL), tried, t.opt.Now())
		if p == nil {
			break
		}
		if err := t.judge(req.Context(), req.URL, p); err != nil {
			closeBody(req)
			return nil, err
		}
		// With an address of its own a host must be connected to.
		_, own := t.dial.override(hostPort(req.URL))
		forward := req.URL.Scheme == "http" && !p.socks() && !own
		resp, err := t.ways.to(t, route.TLS, p, forward).RoundTrip(req)
		if resp, err = t.through(p, req, forward, resp, err); !isFault(err) {
			return resp, err
		}
		tried, failed = append(tried, p), err
		if req.Body != nil && req.Body != http.NoBody {
			if req.GetBody == nil {
				break
			}
			again := req.Clone(req.Context())
			if again.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
			req = again
		}
	}
	closeBody(req)
	_, cause, lost := route.Proxies.back(t.opt.Now())
	if cause == nil {
		cause = failed
	}
	return nil, &noProxy{lost: lost, cause: cause}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// waits is until when a host cannot be asked since all its proxies are set aside.
func (t *routed) waits(u *url.URL) (until time.Time, cause error) {
	if t.opt.Routes == nil {
		return time.Time{}, nil
	}
	route := t.opt.Routes.of(hostOf(u), portOf(u))
	if route.Proxies == nil || route.Proxies.excepts(u) {
		return time.Time{}, nil
	}
	until, cause, lost := route.Proxies.back(t.opt.Now())
	if lost { // to be told of each request
		return time.Time{}, nil
	}
	return until, cause
}

// judge refuses hosts that must not be asked of a proxy, which stands where other
// addresses can be reached than from here, and which resolves names by itself. What
// socks5 is asked for is an address, which is judged when it is connected to.
func (t *routed) judge(ctx context.Context, u *url.URL, p *proxy) error {
	if t.dial.net.Control == nil {
		return nil
	}
	port := portOf(u)
	if to, ok := t.dial.override(hostPort(u)); ok {
		return t.dial.allowed(to)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return t.dial.allowed(net.JoinHostPort(ip.String(), port))
	}
	if isLocalName(host) {
		// As forbidden as the address that only this machine has.
		if err := t.dial.allowed("127.0.0.1:" + port); err != nil {
			return err
		}
	}
	if p.socks() {
		return nil
	}
	// What cannot be resolved here, such as behind a firewall, is the proxy's to
	// resolve. What can, must not lead where nothing may.
	ips, err := t.dial.dns.lookup(ctx, host)
	if err != nil {
		return ctx.Err()
	}
	for _, ip := range ips {
		if err := t.dial.allowed(net.JoinHostPort(ip.String(), port)); err != nil {
			return err
		}
	}
	return nil
}

// isLocalName reports whether a name is for local use: one without a dot, or below a
// domain that nobody owns (RFC 6761, 6762 and 8375; ICANN's .internal).
func isLocalName(host string) bool {
	i := strings.LastIndexByte(host, '.')
	if i < 0 {
		return true
	}
	switch host[i+1:] {
	case "localhost", "local", "internal", "localdomain", "lan", "intranet", "private", "corp", "home":
		return true
	}
	return strings.HasSuffix(host, ".home.arpa")
}
