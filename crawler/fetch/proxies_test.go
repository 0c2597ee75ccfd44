package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	socks "golang.org/x/net/proxy"

	"github.com/amblecrawl/amble/crawler"
)

// origin is a host behind proxies.
func origin(t testing.TB, secure bool) *httptest.Server {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s%s %s", r.Host, r.URL.Path, r.Header.Get("X-Own"), r.Header.Get("Proxy-Authorization"))
	})
	s := httptest.NewUnstartedServer(handler)
	if secure {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func trusting(servers ...*httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	for _, s := range servers {
		pool.AddCert(s.Certificate())
	}
	return &tls.Config{RootCAs: pool}
}

func through(t testing.TB, o ProxyOptions) func(*Options) {
	t.Helper()
	proxies, err := NewProxies(o)
	if err != nil {
		t.Fatal(err)
	}
	return func(opt *Options) { opt.Routes = &Routes{All: Route{Proxies: proxies}} }
}

func withUser(raw, user string) string { return strings.Replace(raw, "://", "://"+user+"@", 1) }

func nowhere(context.Context, string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
}

// Each kind of proxy carries http and https to a host whose name is known to the
// proxy alone, or, for socks5, here alone.
func TestProxiesCarry(t *testing.T) {
	plain, secure := origin(t, false), origin(t, true)
	for _, kind := range []string{"http", "https", "socks5", "socks5h"} {
		for _, target := range []*httptest.Server{plain, secure} {
			scheme, address, _ := strings.Cut(target.URL, "://")
			t.Run(kind+" "+scheme, func(t *testing.T) {
				p := &relay{to: address, user: "u", password: "p@ss:word"}
				var conf *tls.Config
				switch kind {
				case "http":
					httpRelay(t, p, false)
				case "https":
					s := httptest.NewUnstartedServer(p)
					ctx, end := context.WithCancel(context.Background())
					p.ended = ctx
					s.StartTLS()
					p.url, conf = s.URL, trusting(s)
					t.Cleanup(func() { end(); s.CloseClientConnections(); s.Close(); p.open.Wait() })
				default:
					socksRelay(t, p)
					p.url = strings.Replace(p.url, "socks5", kind, 1)
				}
				c := newClient(t, through(t, ProxyOptions{URLs: []string{withUser(p.url, "u:p%40ss%3Aword")}, TLS: conf}), func(o *Options) {
					o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
						if kind == "socks5" && host == "site.example" {
							return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil
						}
						return nowhere(ctx, host)
					}
					o.TLSConfig = trusting(secure)
					o.TLSConfig.ServerName = "example.com" // that of the certificate
				})
				const times = 5
				for range times {
					resp := mustGet(t, c, scheme+"://site.example:4711/page", crawler.FetchOptions{})
					if got := strings.TrimSpace(string(resp.Body)); got != "site.example:4711 /page" {
						t.Errorf("the host saw %q", got)
					}
				}
				want := map[string]string{
					"http http": "GET http://site.example:4711/page", "https http": "GET http://site.example:4711/page",
					"http https": "CONNECT site.example:4711", "https https": "CONNECT site.example:4711",
					"socks5 http": "SOCKS 192.0.2.7:4711", "socks5 https": "SOCKS 192.0.2.7:4711",
					"socks5h http": "SOCKS site.example:4711", "socks5h https": "SOCKS site.example:4711",
				}[kind+" "+scheme]
				heard := p.heard()
				if heard[0] != want {
					t.Errorf("the proxy was asked for %q, want %q", heard, want)
				}
				// A connection is free again a moment after its answer has been read: that
				// one request is too quick for it is no fault.
				if each := len(heard) == times; each != strings.HasPrefix(want, "GET") {
					t.Errorf("the connection was not kept: %q", heard)
				}
			})
		}
	}
}

// What a proxy's failure is held to be: its own, the host's, or nobody's.
func TestProxyFailures(t *testing.T) {
	target := origin(t, false)
	secure := origin(t, true)
	_, address, _ := strings.Cut(target.URL, "://")
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	deadHost := strings.TrimPrefix(dead.URL, "http://")
	https := "https://site.example/"
	for name, c := range map[string]struct {
		proxy *relay
		socks bool
		dead  string
		page  string
		class crawler.Class // of the outcome; empty: nothing was sent, and the page waits
		lost  bool          // waiting would lead nowhere
	}{
		"refused connection":     {dead: "http://" + deadHost},
		"refused by socks":       {dead: "socks5://" + deadHost},
		"wrong password":         {proxy: &relay{user: "other", password: "x"}, class: crawler.ClassProxy},
		"wrong password, tunnel": {proxy: &relay{user: "other", password: "x"}, page: https, class: crawler.ClassProxy},
		"wrong password, socks":  {proxy: &relay{user: "other", password: "x"}, socks: true, class: crawler.ClassProxy},
		"forbidden":              {proxy: &relay{status: 403}, page: https, class: crawler.ClassProxy},
		"bad gateway":            {proxy: &relay{status: 502}, page: https, class: crawler.ClassNetwork},
		"gateway timeout":        {proxy: &relay{status: 504}, page: https, class: crawler.ClassTimeout},
		"no rule":                {proxy: &relay{reply: 2}, socks: true, class: crawler.ClassProxy},
		"host refuses":           {proxy: &relay{reply: 5}, socks: true, class: crawler.ClassRefused},
		"host unreachable":       {proxy: &relay{reply: 4}, socks: true, class: crawler.ClassNetwork},
		"silent":                 {proxy: &relay{mute: true}, page: https, class: crawler.ClassTimeout},
		"silent socks":           {proxy: &relay{mute: true}, socks: true, class: crawler.ClassTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := c.dead
			if c.proxy != nil {
				c.proxy.to = address
				if c.socks {
					socksRelay(t, c.proxy)
				} else {
					httpRelay(t, c.proxy, false)
				}
				at = withUser(c.proxy.url, "user:hunter2")
			}
			client := newClient(t, through(t, ProxyOptions{URLs: []string{at}}), func(o *Options) {
				o.Lookup = func(context.Context, string) ([]netip.Addr, error) {
					return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil
				}
				o.TLSConfig = trusting(secure)
				if c.proxy != nil && c.proxy.mute {
					o.Timeout = time.Second
				}
			})
			page := c.page
			if page == "" {
				page = "http://site.example/"
			}
			_, err := get(t, client, page, crawler.FetchOptions{})
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Fatalf("%v", err)
			}
			waits, why := client.Waits(parse(t, page))
			if c.class == "" {
				if !errors.Is(err, crawler.ErrNotSent) || waits.IsZero() || !strings.Contains(why, "proxy "+c.dead) {
					t.Errorf("%v; waits until %v: %s", err, waits, why)
				}
				return
			}
			var fe *crawler.FetchError
			if !errors.As(err, &fe) || fe.Class != c.class {
				t.Errorf("%v, want %s", err, c.class)
			}
			if !waits.IsZero() {
				t.Errorf("waits until %v: %s", waits, why)
			}
		})
	}
}

// A proxy that fails is set aside for growing times, and its hosts go through
// another meanwhile.
func TestFailingProxyIsSetAside(t *testing.T) {
	_, address, _ := strings.Cut(origin(t, false).URL, "://")
	good := httpRelay(t, &relay{to: address}, false)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	var clock atomic.Int64
	now := func() time.Time { return time.Unix(1e9+clock.Load(), 0) }
	c := newClient(t, through(t, ProxyOptions{URLs: []string{dead.URL, good.url}}), func(o *Options) { o.Now, o.Lookup = now, nowhere })
	list := c.opt.Routes.All.Proxies.list
	for i := range 20 {
		mustGet(t, c, fmt.Sprintf("http://h%d.example/", i), crawler.FetchOptions{})
	}
	if until, _, _ := list[0].state(now()); !until.Equal(now().Add(proxyFirst)) {
		t.Errorf("set aside until %v", until)
	}
	if len(good.heard()) != 20 {
		t.Errorf("%d requests", len(good.heard()))
	}
	clock.Add(11)
	for i := range 20 {
		mustGet(t, c, fmt.Sprintf("http://h%d.example/", i), crawler.FetchOptions{})
	}
	if until, _, _ := list[0].state(now()); !until.Equal(now().Add(2 * proxyFirst)) {
		t.Errorf("set aside until %v", until)
	}
	list[0].worked()
	if !list[0].usable(now()) {
		t.Error("it works and is set aside")
	}
	// After an hour without one nobody is kept waiting.
	for _, p := range list {
		p.failed(p.fault(errors.New("down"), false), now())
	}
	if until, _ := c.Waits(parse(t, "http://h.example/")); until.IsZero() {
		t.Error("nobody waits")
	}
	clock.Add(3600)
	for _, p := range list {
		p.failed(p.fault(errors.New("down"), false), now())
	}
	if until, _ := c.Waits(parse(t, "http://h.example/")); !until.IsZero() {
		t.Error("waits for ever")
	}
	_, err := get(t, c, "http://h.example/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassProxy, false)
}

func TestProxyRotation(t *testing.T) {
	_, address, _ := strings.Cut(origin(t, false).URL, "://")
	a, b := httpRelay(t, &relay{to: address}, false), httpRelay(t, &relay{to: address}, false)
	for perRequest, want := range map[bool][2]int{true: {5, 5}, false: {10, 0}} {
		c := newClient(t, through(t, ProxyOptions{URLs: []string{a.url, b.url}, PerRequest: perRequest}), func(o *Options) { o.Lookup = nowhere })
		before := [2]int{len(a.heard()), len(b.heard())}
		for range 10 {
			mustGet(t, c, "http://one.example/", crawler.FetchOptions{})
		}
		got := [2]int{len(a.heard()) - before[0], len(b.heard()) - before[1]}
		if got != want && (perRequest || got != [2]int{0, 10}) {
			t.Errorf("per request %t: %v", perRequest, got)
		}
	}
}

// Hosts that are silent behind a proxy do not take it down, unless all are.
func TestSilentHostsBehindAProxy(t *testing.T) {
	p := newProxy(&url.URL{Scheme: "http", Host: "p.example:1"}, nil)
	for range 10 {
		if p.stayedSilent("one.example:443") {
			t.Fatal("one host is held against the proxy")
		}
	}
	if p.stayedSilent("two.example:443") {
		t.Fatal("two hosts are")
	}
	p.worked()
	if p.stayedSilent("three.example:443") || p.stayedSilent("one.example:443") || !p.stayedSilent("two.example:443") {
		t.Error("three hosts in a row are what counts")
	}
}

// privateGuard refuses loopback, as the guard of a crawl does.
func privateGuard(_, address string, _ syscall.RawConn) error {
	if a, err := netip.ParseAddrPort(address); err != nil || a.Addr().IsLoopback() || a.Addr().IsPrivate() || a.Addr().IsLinkLocalUnicast() {
		return fmt.Errorf("%w: %s", errPrivate, address)
	}
	return nil
}

// Through a proxy nothing is reached that may not be reached without one, though the
// proxy itself is at a private address.
func TestProxiesLeadNowherePrivate(t *testing.T) {
	_, address, _ := strings.Cut(origin(t, false).URL, "://")
	http1, socks := httpRelay(t, &relay{to: address}, false), socksRelay(t, &relay{to: address})
	remote := strings.Replace(socks.url, "socks5", "socks5h", 1)
	lookup := func(ctx context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "inside.example":
			return []netip.Addr{netip.MustParseAddr("10.1.2.3")}, nil
		case "mixed.example":
			return []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("127.0.0.1")}, nil
		case "public.example":
			return []netip.Addr{netip.MustParseAddr("198.51.100.1")}, nil
		}
		return nowhere(ctx, host)
	}
	const refused, carried, unknown = "refused", "carried", "unknown"
	for _, c := range []struct{ host, http, socks5, socks5h string }{
		{"127.0.0.1", refused, refused, refused},
		{"0x7f.1", refused, refused, refused},
		{"2130706433", refused, refused, refused},
		{"[::1]", refused, refused, refused},
		{"[::ffff:127.0.0.1]", refused, refused, refused},
		{"169.254.169.254", refused, refused, refused},
		{"localhost", refused, refused, refused},
		{"a.localhost", refused, refused, refused},
		{"localhost.", refused, refused, refused},
		{"metadata.google.internal", refused, refused, refused},
		{"printer", refused, refused, refused},
		{"inside.example", refused, refused, carried}, // resolved there: docs/http.md says so
		{"mixed.example", refused, carried, carried},  // socks5 asks for the public address
		{"public.example", carried, carried, carried},
		{"elsewhere.example", carried, unknown, carried}, // resolved there
	} {
		for _, way := range [][2]string{{http1.url, c.http}, {socks.url, c.socks5}, {remote, c.socks5h}} {
			client := newClient(t, through(t, ProxyOptions{URLs: []string{way[0]}}), func(o *Options) {
				o.Lookup, o.DialControl, o.ErrPrivate = lookup, privateGuard, errPrivate
			})
			before := len(http1.heard()) + len(socks.heard())
			_, err := get(t, client, "http://"+c.host+"/", crawler.FetchOptions{})
			asked := append(http1.heard(), socks.heard()...)
			var fe *crawler.FetchError
			got := carried
			if errors.As(err, &fe) {
				got = map[crawler.Class]string{crawler.ClassPrivate: refused, crawler.ClassDNS: unknown}[fe.Class]
			}
			if got != way[1] || (got == carried) != (len(asked) > before) {
				t.Errorf("%s through %s: %s (%v), want %s; the proxies heard %d", c.host, way[0], got, err, way[1], len(asked)-before)
			}
		}
	}
	if heard := fmt.Sprint(socks.heard()); strings.Contains(heard, "127.0.0.1") || strings.Contains(heard, "10.1.2.3") {
		t.Errorf("asked for %s", heard)
	}
	// The proxy's own address is none that a page may lead to.
	client := newClient(t, func(o *Options) {
		o.DialControl, o.ErrPrivate = privateGuard, errPrivate
		through(t, ProxyOptions{URLs: []string{http1.url}, Except: []string{"127.0.0.0/8"}})(o)
	})
	_, err := get(t, client, http1.url+"/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassPrivate, false)
}

// scripted is a connection on which a proxy says what a test has for it.
type scripted struct {
	net.Conn
	in io.Reader
}

func (s scripted) Read(p []byte) (int, error)         { return s.in.Read(p) }
func (s scripted) Write(p []byte) (int, error)        { return len(p), nil }
func (s scripted) Close() error                       { return nil }
func (s scripted) SetDeadline(time.Time) error        { return nil }
func (s scripted) Dial(_, _ string) (net.Conn, error) { return s, nil }
func (s scripted) DialContext(context.Context, string, string) (net.Conn, error) {
	return s, nil
}

// Whatever a proxy says leads to a connection or to an error that tells whose fault
// it is, and never shows the password.
func FuzzProxyAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n", "HTTP/1.0 502 Bad\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\n\r\nearly", "SSH-2.0-OpenSSH\r\n", "\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50", "\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00",
		"\x05\x02\x01\x01", "\x05\xff", "\x05\x00\x05\x00\x00\x03\xff", "\x04\x5a",
		"HTTP/1.1 200 OK\r\nProxy-Status: a, (b c);error=proxy_internal_error;details=\"x\"\r\n\r\n", "a;error=dns_error, \"b\";error=:AA==:",
	} {
		f.Add([]byte(seed))
	}
	u, err := url.Parse("http://user:hunter2@p.example:1")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		p := newProxy(u, nil)
		tun := newTunnel(&Options{}, p, nil, false)
		check := func(err error) {
			var fe *crawler.FetchError
			if err != nil && (strings.Contains(err.Error(), "hunter2") || !isFault(err) && !errors.As(err, &fe) && !isTimeout(err)) {
				t.Errorf("%v", err)
			}
		}
		_ = proxyError(http.Header{"Proxy-Status": {string(said)}}) // of whatever form
		check(tun.handshake(scripted{in: bytes.NewReader(said)}, "host.example:443"))
		client, err := socks.SOCKS5("tcp", u.Host, &socks.Auth{User: "user", Password: "hunter2"}, scripted{in: bytes.NewReader(said)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.(socks.ContextDialer).DialContext(context.Background(), "tcp", "host.example:443"); err != nil {
			check(p.socksError(err, "host.example:443", len(said) > 1))
		}
	})
}
