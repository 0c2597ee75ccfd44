package fetch

import (
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// newNetwork is the innermost link: net/http's transport with every bound set
// and nothing read from the environment.
func newNetwork(o Options, d *dialer) *http.Transport {
	conf := &tls.Config{}
	if o.TLSConfig != nil {
		conf = o.TLSConfig.Clone()
	}
	if conf.ClientSessionCache == nil {
		conf.ClientSessionCache = tls.NewLRUClientSessionCache(1024)
	}
	return &http.Transport{
		DialContext:            d.DialContext,
		TLSClientConfig:        conf,
		TLSHandshakeTimeout:    o.TLS,
		ResponseHeaderTimeout:  o.ResponseHeader,
		MaxResponseHeaderBytes: o.MaxHeader,
		DisableCompression:     true, // the decode link knows more encodings
		ForceAttemptHTTP2:      true,
		// Politeness bounds requests per host; this bounds connections should
		// a server hold on to those that were given up.
		MaxConnsPerHost:     o.Workers,
		MaxIdleConnsPerHost: min(o.Workers, max(o.PerHost, 8)),
		MaxIdleConns:        o.MaxIdle,
		IdleConnTimeout:     90 * time.Second,
		HTTP2: &http.HTTP2Config{
			// What a server may send ahead of us, kept in memory.
			MaxReceiveBufferPerStream:     aheadPerStream(o),
			MaxReceiveBufferPerConnection: 4 << 20,
			SendPingTimeout:               o.IdleBody,
			PingTimeout:                   o.Connect,
		},
	}
}

// aheadPerStream is less than is good for speed only where memory is short.
func aheadPerStream(o Options) int {
	if o.Memory == 0 {
		return 512 << 10
	}
	return int(min(512<<10, max(64<<10, o.Memory/int64(o.Workers))))
}

// single puts at most one request on the wire for one RoundTrip. net/http
// sends a GET again by itself when a reused connection breaks before the
// first byte of the response, or when an HTTP/2 server resets its stream. The
// server may well have seen the first one, so the second would start without
// the delay that the host is owed.
type single struct{ next http.RoundTripper }

func (t single) RoundTrip(req *http.Request) (*http.Response, error) {
	x, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok { // Options.Guard sends it by itself, as for a token
		return t.next.RoundTrip(req)
	}
	var written atomic.Bool
	req = req.WithContext(withTrace(req.Context(), func() { written.Store(true) }, func(got httptrace.GotConnInfo) {
		if !written.Load() {
			return
		}
		x.replayed.Store(true)
		// HTTP/2 looks at the context before it writes. HTTP/1 may not,
		// but then the connection is this request's alone.
		x.stop()
		if c, ok := got.Conn.(*tls.Conn); !ok || c.ConnectionState().NegotiatedProtocol != "h2" {
			got.Conn.Close()
		}
	}))
	req.URL = originForm(req.URL)
	return t.next.RoundTrip(req)
}

// originForm turns an opaque URL into the one that net/http writes as path
// and query alone (RFC 9112 section 3.2.1). A path that begins with two
// slashes stays in absolute form, which every server has to accept.
func originForm(u *url.URL) *url.URL {
	path, ok := strings.CutPrefix(u.Opaque, "//"+u.Host)
	if !ok || strings.HasPrefix(path, "//") {
		return u
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: path}
}
