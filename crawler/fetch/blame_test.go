package fetch

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// sayingProxy answers each request with what it says at the time, octet by
// octet, and closes the connection.
type sayingProxy struct {
	url   string
	says  atomic.Value // string
	asked atomic.Int64
}

func newSayingProxy(t *testing.T, says string) *sayingProxy {
	t.Helper()
	p := &sayingProxy{}
	p.says.Store(says)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p.url = "http://" + l.Addr().String()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(time.Minute))
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				p.asked.Add(1)
				_, _ = io.WriteString(conn, p.says.Load().(string))
			}()
		}
	}()
	return p
}

func anywhere(o *Options) { o.Lookup = nowhere }

const (
	junkAnswer = "SSH-2.0-OpenSSH_9.2\r\n\r\n<html>\x00\xff"
	goodAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
)

// What is no HTTP, or no tunnel, is a proxy's failure and no host's: it is set aside,
// and the outcome is of class proxy.
func TestProxiesThatTalkJunk(t *testing.T) {
	for name, c := range map[string]struct {
		says, page string
		sent       bool // the host may have been asked
	}{
		"junk":                {junkAnswer, "http://site.example/", true},
		"an empty answer":     {"", "http://site.example/", true},
		"half a head":         {"HTTP/1.1 200 OK\r\nContent-", "http://site.example/", true},
		"a status of no kind": {"HTTP/1.1 20x OK\r\n\r\n", "http://site.example/", true},
		"junk to CONNECT":     {junkAnswer, "https://site.example/", false},
		"HTML to CONNECT":     {"<html><body>Sorry</body></html>", "https://site.example/", false},
		"a page to CONNECT":   {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>log in first</html>", "https://site.example/", false},
		"nothing to CONNECT":  {"", "https://site.example/", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newSayingProxy(t, c.says)
			client := newClient(t, through(t, ProxyOptions{URLs: []string{p.url}}), anywhere)
			_, err := get(t, client, c.page, crawler.FetchOptions{})
			if waits, why := client.Waits(parse(t, c.page)); waits.IsZero() || !strings.Contains(why, "proxy "+p.url) {
				t.Errorf("the proxy is not set aside: %v, %q", err, why)
			}
			if !c.sent {
				if !errors.Is(err, crawler.ErrNotSent) {
					t.Errorf("%v, want that nothing was sent", err)
				}
				return
			}
			wantClass(t, err, crawler.ClassProxy, true)
			if fe, ok := errors.AsType[*crawler.FetchError](err); !ok || !fe.Sent {
				t.Errorf("%v, which says that the host was not asked", err)
			}
		})
	}
}

// A proxy that has carried answers is set aside when it talks junk twice in a row, and
// its host goes on through another at the next attempt.
func TestProxyThatBreaks(t *testing.T) {
	p, good := newSayingProxy(t, goodAnswer), newSayingProxy(t, goodAnswer)
	client := newClient(t, through(t, ProxyOptions{URLs: []string{p.url}}), anywhere)
	for _, says := range []string{goodAnswer, junkAnswer, goodAnswer, junkAnswer} {
		p.says.Store(says)
		if _, err := get(t, client, "http://site.example/", crawler.FetchOptions{}); (err != nil) != (says == junkAnswer) {
			t.Fatal(err)
		}
		if waits, _ := client.Waits(parse(t, "http://site.example/")); !waits.IsZero() {
			t.Error("one answer set the proxy aside")
		}
	}
	_, err := get(t, client, "http://site.example/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassProxy, true)
	if waits, _ := client.Waits(parse(t, "http://site.example/")); waits.IsZero() {
		t.Error("two answers did not set the proxy aside")
	}
	// With another proxy, the attempt after goes there.
	client = newClient(t, through(t, ProxyOptions{URLs: []string{p.url, good.url}}), anywhere)
	failed := 0
	for i := range 20 {
		if _, err := get(t, client, fmt.Sprintf("http://h%d.example/", i), crawler.FetchOptions{}); err != nil {
			wantClass(t, err, crawler.ClassProxy, true)
			failed++
		}
	}
	if failed != 1 || good.asked.Load() != 19 {
		t.Errorf("%d of 20 failed, and %d went through the other", failed, good.asked.Load())
	}
}

// A closed connection, and a 502 that nobody says to have forwarded, may be a host's
// doing: only hosts in a row are held against a proxy that has carried answers. With
// several proxies the host is asked through another one meanwhile.
func TestWhatMayBeAHostsDoing(t *testing.T) {
	for name, says := range map[string]string{
		"closed":       "",
		"bad gateway":  "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"Proxy-Status": "HTTP/1.1 500 Internal Server Error\r\nProxy-Status: cdn.example; error=connection_timeout, p.example; error=proxy_internal_error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := newSayingProxy(t, goodAnswer)
			client := newClient(t, through(t, ProxyOptions{URLs: []string{p.url}}), anywhere)
			mustGet(t, client, "http://site.example/", crawler.FetchOptions{})
			p.says.Store(says)
			for i, host := range []string{"a", "a", "a", "b", "c"} {
				page := "http://" + host + ".example/"
				resp, err := get(t, client, page, crawler.FetchOptions{})
				class := crawler.Class("")
				if fe, ok := errors.AsType[*crawler.FetchError](err); ok {
					class = fe.Class
				}
				want := map[string]crawler.Class{"closed": crawler.ClassReset, "Proxy-Status": crawler.ClassProxy}[name]
				if class != want || want == "" && resp.Status != 502 {
					t.Errorf("%s: %v, want class %q", page, err, want)
				}
				if waits, _ := client.Waits(parse(t, page)); waits.IsZero() != (i < 4) {
					t.Errorf("after %s, the proxy is set aside: %v", page, !waits.IsZero())
				}
			}
			p.says.Store(says)
			good := newSayingProxy(t, goodAnswer)
			client = newClient(t, through(t, ProxyOptions{URLs: []string{p.url, good.url}}), anywhere)
			for i := range 20 {
				page := fmt.Sprintf("http://h%d.example/", i)
				if resp, err := get(t, client, page, crawler.FetchOptions{}); err != nil || resp.Status != 200 {
					mustGet(t, client, page, crawler.FetchOptions{})
				}
			}
		})
	}
	// What is said to have been forwarded is the host's.
	p := newSayingProxy(t, "HTTP/1.1 503 Down\r\nVia: 1.1 p.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	client := newClient(t, through(t, ProxyOptions{URLs: []string{p.url}}), anywhere)
	for i := range 5 {
		page := fmt.Sprintf("http://h%d.example/", i)
		if resp, err := get(t, client, page, crawler.FetchOptions{}); err != nil || resp.Status != 503 {
			t.Errorf("%v", err)
		}
		if waits, _ := client.Waits(parse(t, page)); !waits.IsZero() {
			t.Error("the hosts' failures set the proxy aside")
		}
	}
}

// A proxy that shows a certificate of its own for a host gets nothing: the page fails as
// TLS, for good, and is not asked for in another way.
func TestProxyThatAttacks(t *testing.T) {
	secure := origin(t, true)
	forger := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the attacker was asked for %s %s", r.Method, r.URL)
	}))
	forger.TLS = &tls.Config{Certificates: []tls.Certificate{selfSigned(t, "site.example")}}
	forger.StartTLS()
	t.Cleanup(forger.Close)
	p := httpRelay(t, &relay{to: strings.TrimPrefix(forger.URL, "https://")}, false)
	client := newClient(t, through(t, ProxyOptions{URLs: []string{p.url}}), anywhere, func(o *Options) { o.TLSConfig = trusting(secure) })
	_, err := get(t, client, "https://site.example/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassTLS, false)
	if heard := p.heard(); len(heard) != 1 || heard[0] != "CONNECT site.example:443" {
		t.Errorf("the proxy heard %q", heard)
	}
	if waits, _ := client.Waits(parse(t, "https://site.example/")); !waits.IsZero() {
		t.Error("it is set aside for what a host's certificate may be")
	}
}

// A proxy that takes requests and never answers is a timeout of its hosts, and set aside
// when hosts in a row have it.
func TestProxyThatHangs(t *testing.T) {
	p := httpRelay(t, &relay{mute: true}, false)
	client := newClient(t, through(t, ProxyOptions{URLs: []string{p.url}}), anywhere, func(o *Options) { o.ResponseHeader = 100 * time.Millisecond })
	for i := range suspects {
		page := fmt.Sprintf("http://h%d.example/", i)
		_, err := get(t, client, page, crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassTimeout, true)
		if waits, _ := client.Waits(parse(t, page)); waits.IsZero() != (i+1 < suspects) {
			t.Errorf("after %d hosts, the proxy is set aside: %v", i+1, !waits.IsZero())
		}
	}
}

// selfSigned is a certificate that nobody else vouches for.
func selfSigned(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestProxyErrors(t *testing.T) {
	for field, want := range map[string]string{
		"":                           "",
		"p.example":                  "",
		"p.example; error=dns_error": "dns_error",
		`"a;error=x,b"; error=proxy_loop_detected; details="a, b"`:    "proxy_loop_detected",
		"a; error=proxy_internal_error, b; received-status=502":       "",
		"a; error=proxy_internal_error, b; error=http_request_denied": "http_request_denied",
		`a; error="proxy_internal_error"`:                             "",
		"(a b); error=proxy_internal_error":                           "proxy_internal_error",
		"\x00;;;":                                                     "",
	} {
		if got := proxyError(http.Header{"Proxy-Status": {field}}); got != want {
			t.Errorf("%q: %q, want %q", field, got, want)
		}
	}
}
