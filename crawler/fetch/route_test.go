package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

func TestRouteOfAHost(t *testing.T) {
	a, b, c, d := &Route{}, &Route{}, &Route{}, &Route{}
	r := &Routes{Hosts: map[string]*Route{"a.example:8080": a, "a.example": b, "*.example": c, "*.b.example": d}}
	for host, want := range map[[2]string]*Route{
		{"a.example", "8080"}: a, {"a.example", "80"}: b, {"c.example", "80"}: c, {"x.b.example", "1"}: d,
		{"y.x.b.example", "1"}: d, {"b.example", "1"}: c, {"example", "1"}: &r.All, {"other.org", "1"}: &r.All,
	} {
		if got := r.of(host[0], host[1]); got != want {
			t.Errorf("%v goes another way", host)
		}
	}
	if (*Routes)(nil).of("a.example", "80") != nil {
		t.Error("there is a way without any")
	}
}

// Header fields go to their hosts; those of the request and the client's own stand.
func TestHeaderFieldsOfHosts(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(strings.Join([]string{r.Header.Get("Accept-Language"), r.Header.Get("X-Key"), r.Header.Get("Accept"), r.UserAgent()}, "|")))
	})
	_, addr, _ := strings.Cut(base, "://")
	c := newClient(t, func(o *Options) {
		o.Resolve = map[string]string{"a.example": addr, "b.example": addr}
		o.Routes = &Routes{
			All: Route{Header: http.Header{"Accept-Language": {"de"}}},
			Hosts: map[string]*Route{"b.example": {Header: http.Header{
				"Accept-Language": {"fr"}, "X-Key": {"k"}, "Accept": {"text/csv"}, "User-Agent": {"none of its business"}, "Connection": {"X-Key"}}}},
		}
	})
	for page, want := range map[string]string{
		"http://a.example/": "de||" + accept + "|", "http://b.example/": "fr|k|text/csv|",
	} {
		if got := string(mustGet(t, c, page, crawler.FetchOptions{}).Body); got != want+c.opt.UserAgent {
			t.Errorf("%s was sent %q", page, got)
		}
	}
	got := mustGet(t, c, "http://b.example/", crawler.FetchOptions{Header: http.Header{"Accept-Language": {"it"}}})
	if !strings.HasPrefix(string(got.Body), "it|k") {
		t.Errorf("the request's own field was replaced: %s", got.Body)
	}
	for _, bad := range []http.Header{{"A b": {"x"}}, {"A": {"x\r\ny"}}} {
		if _, err := New(Options{UserAgent: "a", Routes: &Routes{All: Route{Header: bad}}}); !errors.Is(err, ErrOptions) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// A host with a private authority that asks for a certificate gets it, and no other
// host does.
func TestClientCertificates(t *testing.T) {
	mine := httptest.NewUnstartedServer(http.NotFoundHandler())
	mine.StartTLS()
	defer mine.Close()
	certificate := mine.TLS.Certificates[0]
	pool := x509.NewCertPool()
	pool.AddCert(mine.Certificate())
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 0 {
			_, _ = w.Write([]byte("nobody"))
			return
		}
		_, _ = w.Write([]byte("known " + r.Proto))
	}))
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, ClientCAs: pool}
	s.StartTLS()
	defer s.Close()
	_, addr, _ := strings.Cut(s.URL, "://")
	roots := trusting(s).RootCAs
	c := newClient(t, func(o *Options) {
		o.Resolve = map[string]string{"example.com": addr, "www.example.com": addr, "example.com:444": addr}
		o.Routes = &Routes{
			All:   Route{TLS: &tls.Config{RootCAs: roots}},
			Hosts: map[string]*Route{"example.com": {TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}}}, "example.com:444": {}},
		}
	})
	for page, want := range map[string]string{"https://example.com/": "known HTTP/2.0", "https://www.example.com/": "nobody"} {
		if got := string(mustGet(t, c, page, crawler.FetchOptions{}).Body); got != want {
			t.Errorf("%s: %q", page, got)
		}
	}
	_, err := get(t, c, "https://example.com:444/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassTLS, false)
}
