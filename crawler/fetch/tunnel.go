package fetch

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	socks "golang.org/x/net/proxy"

	"github.com/amblecrawl/amble/crawler"
)

// maxConnectHeader bounds the answer of a proxy to CONNECT.
const maxConnectHeader = 64 << 10

// tunnel connects to hosts through one proxy. Each step has a deadline: the
// connection to the proxy, TLS with it, and its own connection to the host.
type tunnel struct {
	opt   *Options
	proxy *proxy
	dial  *dialer
	// forward: what is connected to is the proxy alone, which is asked for the URLs
	// of http as they stand.
	forward bool

	connecting, answering time.Duration // the bounds of steps
}

// newTunnel makes one whose steps together stay within the time of a request, so
// that what fails is known to be the proxy.
func newTunnel(o *Options, p *proxy, d *dialer, forward bool) *tunnel {
	return &tunnel{opt: o, proxy: p, dial: d, forward: forward,
		connecting: min(o.Connect, o.TLS, o.Timeout/4), answering: min(o.ResponseHeader, o.Timeout/3)}
}

// DialContext serves http.Transport; addr is the host's "host:port", or the
// proxy's where that forwards.
func (t *tunnel) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := t.connect(ctx, network, addr)
	now := t.opt.Now()
	var fault *proxyFault
	switch {
	case err == nil:
		if !t.forward { // else nothing has been asked of it yet
			t.proxy.worked()
		}
		return conn, nil
	case ctx.Err() != nil || isShort(err): // nobody's fault
		return nil, err
	case errors.As(err, &fault):
	case isTimeout(err) && t.proxy.stayedSilent(addr):
		fault = t.proxy.fault(fmt.Errorf("%d hosts in a row did not answer behind it", suspects), false)
	default:
		return nil, err
	}
	if t.proxy.failed(fault, now) {
		t.opt.Log.Warn("a proxy is set aside", "proxy", t.proxy.name(), "error", fault.err)
	}
	return nil, err
}

func (t *tunnel) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if t.forward {
		return t.toProxy(ctx, network)
	}
	if to, ok := t.dial.override(addr); ok {
		addr = to
	}
	switch {
	case !t.proxy.socks():
		return t.askHTTP(ctx, network, addr)
	case t.proxy.resolves():
		return t.askSOCKS(ctx, network, addr)
	}
	addrs, err := t.dial.resolved(ctx, addr)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, to := range addrs[:min(len(addrs), 2)] {
		conn, err := t.askSOCKS(ctx, network, to)
		if err == nil || isFault(err) || ctx.Err() != nil {
			return conn, err
		}
		failed = err
	}
	return nil, failed
}

// toProxy connects to the proxy. Its address is the config's to choose, so that
// the one that pages must not lead to is none of its concern.
func (t *tunnel) toProxy(ctx context.Context, network string) (net.Conn, error) {
	within, cancel := context.WithTimeout(ctx, t.connecting)
	defer cancel()
	port := t.proxy.url.Port()
	ips, err := t.dial.dns.lookup(within, t.proxy.url.Hostname())
	if err != nil {
		return nil, t.proxy.fault(err, false)
	}
	free := &dialer{net: net.Dialer{KeepAlive: -1}}
	conn, err := free.race(within, network, port, interleave(ips))
	if err != nil {
		t.dial.dns.forget(t.proxy.url.Hostname())
		return nil, t.proxy.fault(err, false)
	}
	if t.proxy.tls == nil {
		return conn, nil
	}
	shaking, done := context.WithTimeout(ctx, t.connecting)
	defer done()
	secure := tls.Client(conn, t.proxy.tls)
	if err := secure.HandshakeContext(shaking); err != nil {
		conn.Close()
		return nil, t.proxy.fault(err, false)
	}
	return secure, nil
}

// askHTTP has the proxy connect to a host (RFC 9110 section 9.3.6).
func (t *tunnel) askHTTP(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := t.toProxy(ctx, network)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(t.answering))
	ended := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = t.handshake(conn, addr)
	if !ended() && err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (t *tunnel) handshake(conn net.Conn, addr string) error {
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{"User-Agent": {t.opt.UserAgent}}}
	if u := t.proxy.url.User; u != nil {
		password, _ := u.Password()
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	if err := r.Write(conn); err != nil {
		return t.proxy.fault(err, false)
	}
	in := bufio.NewReader(io.LimitReader(conn, maxConnectHeader))
	resp, err := http.ReadResponse(in, r)
	if isTimeout(err) {
		return fmt.Errorf("the proxy %s did not answer about %s: %w", t.proxy.name(), addr, err)
	}
	if err != nil {
		return t.proxy.fault(fmt.Errorf("no answer to CONNECT: %w", err), false)
	}
	if err := t.proxy.answered(resp, addr); err != nil {
		return err
	}
	if in.Buffered() > 0 {
		return t.proxy.fault(errors.New("it sends what nobody asked for"), false)
	}
	return nil
}

// answered judges what a proxy says about connecting to a host.
func (p *proxy) answered(resp *http.Response, addr string) error {
	status := fmt.Errorf("status %d", resp.StatusCode)
	switch {
	case resp.StatusCode/100 == 2:
		return nil
	case resp.StatusCode == http.StatusProxyAuthRequired,
		resp.StatusCode == http.StatusUnauthorized: // so tinyproxy answers a wrong password
		return p.fault(fmt.Errorf("it refuses the user and password (%w)", status), true)
	case resp.StatusCode == http.StatusGatewayTimeout:
		return &crawler.FetchError{Class: crawler.ClassTimeout, Temporary: true, Err: fmt.Errorf("the proxy %s could not connect to %s: %w", p.name(), addr, status)}
	case resp.StatusCode >= 500:
		return &crawler.FetchError{Class: crawler.ClassNetwork, Temporary: true, Err: fmt.Errorf("the proxy %s could not connect to %s: %w", p.name(), addr, status)}
	}
	return p.declines(addr, status)
}

// declines is the outcome of a URL whose host a proxy does not connect to.
func (p *proxy) declines(addr string, err error) error {
	return &crawler.FetchError{Class: crawler.ClassProxy, Err: fmt.Errorf("the proxy %s does not connect to %s: %w", p.name(), addr, err)}
}

// askSOCKS has the proxy connect to a host (RFC 1928).
func (t *tunnel) askSOCKS(ctx context.Context, network, addr string) (net.Conn, error) {
	var auth *socks.Auth
	if u := t.proxy.url.User; u != nil {
		password, _ := u.Password()
		auth = &socks.Auth{User: u.Username(), Password: password}
	}
	forward := &socksForward{tunnel: t}
	client, err := socks.SOCKS5("tcp", t.proxy.url.Host, auth, forward)
	if err != nil {
		return nil, t.proxy.fault(err, false)
	}
	within, cancel := context.WithTimeout(ctx, t.connecting+t.answering)
	defer cancel()
	conn, err := client.(socks.ContextDialer).DialContext(within, network, addr)
	if err != nil {
		return nil, t.proxy.socksError(err, addr, forward.chosen.Load())
	}
	return conn, nil
}

// socksForward connects to the proxy, and notes how far the two have come.
type socksForward struct {
	tunnel *tunnel
	chosen atomic.Bool // the proxy has chosen a method of authentication
}

// Dial implements proxy.Dialer.
func (f *socksForward) Dial(network, addr string) (net.Conn, error) {
	return f.DialContext(context.Background(), network, addr)
}

// DialContext implements proxy.ContextDialer.
func (f *socksForward) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	conn, err := f.tunnel.toProxy(ctx, network)
	if err != nil {
		return nil, err
	}
	return &noted{conn, f}, nil
}

type noted struct {
	net.Conn
	forward *socksForward
}

func (n *noted) Read(p []byte) (int, error) {
	got, err := n.Conn.Read(p)
	if got > 0 && !n.forward.chosen.Load() {
		n.forward.chosen.Store(true)
	}
	return got, err
}

// socksError tells whose fault a failure is. The library gives a proxy's reply (RFC
// 1928 section 6) in words alone.
func (p *proxy) socksError(err error, addr string, chosen bool) error {
	if known, ok := errors.AsType[*proxyFault](err); ok {
		return known
	}
	var wrapped *net.OpError
	if errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	reply, replied := strings.CutPrefix(err.Error(), "unknown error ")
	class := crawler.ClassNetwork
	switch {
	case replied && strings.Contains(reply, "ruleset"):
		return p.declines(addr, errors.New(reply))
	case replied && strings.Contains(reply, "refused"):
		class = crawler.ClassRefused
	case replied && strings.Contains(reply, "TTL"):
		class = crawler.ClassTimeout
	case replied && says(err, "unreachable", "general"):
	case chosen && isTimeout(err):
		return fmt.Errorf("the proxy %s did not answer about %s: %w", p.name(), addr, err)
	default:
		return p.fault(err, says(err, "authentication"))
	}
	return &crawler.FetchError{Class: class, Temporary: true, Err: fmt.Errorf("the proxy %s could not connect to %s: %s", p.name(), addr, reply)}
}

// resolved gives the addresses of "host:port" that may be connected to. The error
// is that of the last where there is none.
func (d *dialer) resolved(ctx context.Context, addr string) ([]string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	ips, err := d.dns.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, ip := range interleave(ips) {
		to := net.JoinHostPort(ip.String(), port)
		if err = d.allowed(to); err == nil {
			out = append(out, to)
		}
	}
	if len(out) == 0 {
		return nil, err
	}
	return out, nil
}

// allowed asks what is asked before every connection.
func (d *dialer) allowed(to string) error {
	if d.net.Control == nil {
		return nil
	}
	return d.net.Control("tcp", to, nil)
}
