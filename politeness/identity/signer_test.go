package identity

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newSigner(t testing.TB, o Options) *Signer {
	t.Helper()
	if o.Key == nil {
		key, err := Generate()
		if err != nil {
			t.Fatal(err)
		}
		o.Key = key
	}
	if o.Agent == "" {
		o.Agent = "https://bot.example"
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Requests over the wire, on both versions of HTTP and in both forms, are read
// by the independent reader, with a signature of its own for every attempt.
func TestRoundTripper(t *testing.T) {
	for _, form := range []Form{String, Dictionary} {
		for _, http2 := range []bool{false, true} {
			signer := newSigner(t, Options{Form: form})
			now := noon
			nonces := map[string]bool{}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				agent, nonce, err := readSigned(r, true, signer.opt.Key.Public(), now)
				if err != nil || agent != "https://bot.example" || nonces[nonce] {
					t.Errorf("%s, nonce %s: %v", agent, nonce, err)
				}
				nonces[nonce] = true
			}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			client := server.Client()
			client.Transport = signer.RoundTripper(client.Transport, func() time.Time { return now })

			req, err := http.NewRequest(http.MethodGet, server.URL+"/a?b", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = http.Header{"Signature": {"old"}, "signature-input": {"old=()"}, "X": {"1"}}
			for range 3 {
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				now = now.Add(time.Hour)
			}
			server.Close()
			if len(nonces) != 3 {
				t.Errorf("%d nonces for 3 attempts", len(nonces))
			}
			if len(req.Header) != 3 || req.Header.Get("Signature") != "old" {
				t.Errorf("the request itself is changed: %v", req.Header)
			}
		}
	}
}

// recorder answers nothing and keeps the last request.
type recorder struct{ last *http.Request }

var errRecorded = errors.New("recorded")

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.last = req
	return nil, errRecorded
}

func TestPlainHTTP(t *testing.T) {
	for scheme, signed := range map[string][2]bool{"https": {true, true}, "HTTPS": {true, true}, "http": {false, true}, "ftp": {false, false}} {
		for i, plain := range []bool{false, true} {
			to := &recorder{}
			signer := newSigner(t, Options{PlainHTTP: plain})
			req := &http.Request{
				Method: "GET", URL: &url.URL{Scheme: scheme, Host: "a.example", Path: "/"},
				Header: http.Header{"Signature-Agent": {`"https://other.example"`}, "signature": {"x"}},
			}
			if _, err := signer.RoundTripper(to, func() time.Time { return noon }).RoundTrip(req); !errors.Is(err, errRecorded) {
				t.Fatal(err)
			}
			to.last.Host = "a.example"
			switch _, _, err := readSigned(to.last, scheme != "http", signer.opt.Key.Public(), noon); {
			case signed[i] && err != nil:
				t.Errorf("%s, plain %v: %v", scheme, plain, err)
			case !signed[i] && len(to.last.Header) != 0:
				t.Errorf("%s, plain %v: sent %v", scheme, plain, to.last.Header)
			}
		}
	}
}

// closed tells whether a body was closed.
type closed struct {
	io.Reader
	is bool
}

func (c *closed) Close() error { c.is = true; return nil }

func TestUnsignableIsNotSent(t *testing.T) {
	for _, host := range []string{"a.exämple", "a b", ""} {
		body, to := &closed{Reader: strings.NewReader("x")}, &recorder{}
		req := &http.Request{Method: "POST", URL: &url.URL{Scheme: "https", Host: host, User: url.UserPassword("u", "secret")}, Body: body}
		_, err := newSigner(t, Options{}).RoundTripper(to, time.Now).RoundTrip(req)
		if !errors.Is(err, ErrSign) || to.last != nil || !body.is {
			t.Errorf("%q: %v, sent %v, closed %v", host, err, to.last, body.is)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells a password: %v", err)
		}
	}
	req := &http.Request{URL: &url.URL{Scheme: "https", Host: "a b"}, Header: http.Header{"Signature": {"old"}}}
	if err := newSigner(t, Options{}).Sign(req, noon); !errors.Is(err, ErrSign) || len(req.Header) != 0 {
		t.Errorf("%v, left with %v", err, req.Header)
	}
}

// Host overrides the URL, as it does on the wire.
func TestSignsTheHostField(t *testing.T) {
	s := newSigner(t, Options{})
	req, err := http.NewRequest(http.MethodGet, "https://10.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "Shop.example:443"
	if err := s.Sign(req, noon); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readSigned(req, true, s.opt.Key.Public(), noon); err != nil {
		t.Error(err)
	}
}

func TestConcurrentSigning(t *testing.T) {
	s := newSigner(t, Options{})
	var mu sync.Mutex
	nonces := map[string]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				req := &http.Request{Host: "a.example", URL: &url.URL{Scheme: "https", Host: "a.example"}}
				if err := s.Sign(req, noon); err != nil {
					t.Error(err)
					return
				}
				_, nonce, err := readSigned(req, true, s.opt.Key.Public(), noon)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				nonces[nonce] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(nonces) != 160 {
		t.Errorf("%d nonces for 160 signatures", len(nonces))
	}
}

func TestOptions(t *testing.T) {
	key, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{Agent: "https://bot.example"},
		{Key: key},
		{Key: key, Agent: "https://bot.example", Lifetime: -time.Second},
		{Key: key, Agent: "https://bot.example", Lifetime: time.Millisecond},
		{Key: key, Agent: "https://bot.example", Lifetime: MaxLifetime + time.Second},
		{Key: key, Agent: "https://bot.example", Form: 7},
	} {
		if _, err := New(o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for agent, want := range map[string]string{
		"https://bot.example": "https://bot.example", "https://Bot.Example:443/": "https://bot.example",
		"HTTPS://bot.example:8443" + Path: "https://bot.example:8443",
		"http://bot.example":              "", "bot.example": "", "https://": "", "https://bot.example/keys": "", "https://bot.example?": "",
		"https://bot.example/?q": "", "https://u@bot.example": "", "https://bot.example#x": "", "https:bot.example": "", "https://böt.example": "", "data:,x": "", "::": "",
	} {
		got, err := Origin(agent)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %q, %v", agent, got, err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	s := newSigner(b, Options{})
	req := &http.Request{URL: &url.URL{Scheme: "https", Host: "a.example", Path: "/"}, Header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Sign(req, noon); err != nil {
			b.Fatal(err)
		}
	}
	if !bytes.HasPrefix([]byte(req.Header.Get(fieldSignature)), []byte("sig1=:")) {
		b.Fatal("unsigned")
	}
}
