package fetch

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"sync"
)

// way is what connections can be shared by: the settings of TLS, the proxy, and
// whether that forwards requests or connects to hosts.
type way struct {
	tls     *tls.Config
	proxy   *proxy
	forward bool
}

// ways are the transports in use, as many at most as the config has pairs of
// settings and proxies.
type ways struct {
	idle int // connections that each keeps

	mu    sync.Mutex
	known map[way]*http.Transport
}

// possible counts the transports that routes may need beside the plain one.
func (*ways) possible(r *Routes) int {
	seen := map[way]bool{}
	r.each(func(_ string, route *Route) {
		if route.TLS != nil {
			seen[way{tls: route.TLS}] = true
		}
		if route.Proxies != nil {
			for _, p := range route.Proxies.list {
				seen[way{tls: route.TLS, proxy: p}] = true
			}
		}
	})
	return len(seen)
}

// to is the transport of a way.
func (w *ways) to(t *routed, conf *tls.Config, p *proxy, forward bool) *http.Transport {
	if conf == nil && p == nil {
		return t.direct
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key := way{conf, p, forward}
	if made, ok := w.known[key]; ok {
		return made
	}
	o := *t.opt
	o.MaxIdle = w.idle
	if conf != nil {
		o.TLSConfig = conf
	}
	made := newNetwork(o, t.dial)
	if p != nil {
		made.MaxIdleConnsPerHost = min(made.MaxIdleConnsPerHost, o.MaxIdle)
		made.DialContext = newTunnel(&o, p, t.dial, forward).DialContext
		if forward {
			made.Proxy = func(*http.Request) (*url.URL, error) { return p.plain, nil }
		}
	}
	if w.known == nil {
		w.known = make(map[way]*http.Transport)
	}
	w.known[key] = made
	return made
}

func (w *ways) each(f func(*http.Transport)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, made := range w.known {
		f(made)
	}
}
