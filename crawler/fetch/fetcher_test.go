package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

func TestFetchDeliversTheResponse(t *testing.T) {
	var seen http.Header
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		seen.Set("Host", r.Host)
		w.Header().Set("Content-Type", "Text/HTML; charset=utf-8")
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "<p>grüße")
	})
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	c := newClient(t, func(o *Options) { o.Now = func() time.Time { return now } })
	resp := mustGet(t, c, base+"/x", crawler.FetchOptions{Header: http.Header{
		"If-None-Match": {`"v1"`}, "User-Agent": {"sneaky"}, "accept": {"text/plain"}, "Host": {"elsewhere.example"},
	}})
	if resp.Status != 404 || string(resp.Body) != "<p>grüße" || resp.Wire != int64(len("<p>grüße")) {
		t.Errorf("got %d %q, %d bytes", resp.Status, resp.Body, resp.Wire)
	}
	if resp.MediaType != "text/html" || resp.Charset != "utf-8" || !resp.FetchedAt.Equal(now) || !resp.Location.IsZero() {
		t.Errorf("got %q %q %v %v", resp.MediaType, resp.Charset, resp.FetchedAt, resp.Location)
	}
	if got := resp.Header["X-Two"]; len(got) != 2 {
		t.Errorf("header X-Two = %q", got)
	}
	for field, want := range map[string]string{
		"User-Agent": "testbot/1.0 (+https://me.example/bot)", "Accept": "text/plain",
		"Host": base[len("http://"):], "If-None-Match": `"v1"`, "Accept-Encoding": "gzip, deflate, br, zstd",
	} {
		if seen.Get(field) != want {
			t.Errorf("sent %s: %q, want %q", field, seen.Get(field), want)
		}
	}
	if seen.Get("Cookie") != "" || seen.Get("Referer") != "" {
		t.Errorf("sent %v", seen)
	}
}

func TestUserAgent(t *testing.T) {
	for want, got := range map[string]string{
		"bookbot/1.2 (+https://me.example/bot)": UserAgent("bookbot", "1.2", "https://me.example/bot"),
		"bookbot/1.2":                           UserAgent("bookbot", "1.2", ""),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []Options{
		{},
		{UserAgent: "a\nb"},
		{UserAgent: "a", MaxBody: -1},
		{UserAgent: "a", Timeout: -1},
		{UserAgent: "a", Resolve: map[string]string{"books.example": "127.0.0.1"}},
		{UserAgent: "a", Resolve: map[string]string{"": "127.0.0.1:80"}},
		{UserAgent: "a", Resolve: map[string]string{"*.books.example": "127.0.0.1:80"}},
		{UserAgent: "a", Resolve: map[string]string{"a.example": "127.0.0.1:80", "A.example": "127.0.0.1:81"}},
	} {
		if _, err := New(o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: got %v", o, err)
		}
	}
}

// The server is to see the address as the standard spells it, whatever colly
// and net/url make of it.
func TestTheServerSeesTheExactURL(t *testing.T) {
	var seen atomic.Value
	base := eavesdrop(t, func(c net.Conn, request string) {
		seen.Store(strings.Fields(request)[1])
		saying("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")(c)
	})
	c := newClient(t)
	for path, want := range map[string]string{
		"/":               "/",
		"":                "/",
		"/a%2fb/%7Ec?":    "/a%2fb/%7Ec?",
		"/a b?x=1&x=%20y": "/a%20b?x=1&x=%20y",
		"/100%":           "/100%",
		"/a%zz?q=%":       "/a%zz?q=%",
		"//double//slash": "//double//slash",
		"//double/%zz":    base + "//double/%zz", // the absolute form
		"/p;v=1,2/'()*!":  "/p;v=1,2/'()*!",
		"/q?a=b|c^d`e":    "/q?a=b|c^d`e",
		"/grüße#part":     "/gr%C3%BC%C3%9Fe",
		"?only=query":     "/?only=query",
	} {
		mustGet(t, c, base+path, crawler.FetchOptions{})
		if got := seen.Load(); got != want {
			t.Errorf("%q: the server saw %q, want %q", path, got, want)
		}
	}
}

// A redirect is reported and followed by nobody, cookies are not kept, and a
// second fetch of one address is a second request.
func TestTheFence(t *testing.T) {
	var requests, cookies atomic.Int32
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Header.Get("Cookie") != "" {
			cookies.Add(1)
		}
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "1"})
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusFound)
		}
	})
	f := newClient(t).Fetcher()
	for _, path := range []string{"/from", "/from", "/robots-are-not-asked.xml.gz"} {
		if _, err := f.Fetch(context.Background(), parse(t, base+path), crawler.FetchOptions{}); err != nil {
			t.Fatal(path, err)
		}
	}
	if requests.Load() != 3 || cookies.Load() != 0 {
		t.Errorf("the server saw %d requests, %d with cookies; want 3 and 0", requests.Load(), cookies.Load())
	}
}

func TestTheEnvironmentHasNoSay(t *testing.T) {
	cache := t.TempDir()
	for name, value := range map[string]string{
		"COLLY_ALLOWED_DOMAINS": "other.example", "COLLY_DISALLOWED_DOMAINS": "127.0.0.1",
		"COLLY_CACHE_DIR": cache, "COLLY_DETECT_CHARSET": "y", "COLLY_DISABLE_COOKIES": "n",
		"COLLY_IGNORE_ROBOTSTXT": "n", "COLLY_FOLLOW_REDIRECTS": "y", "COLLY_MAX_BODY_SIZE": "3",
		"COLLY_MAX_DEPTH": "-1", "COLLY_MAX_REQUESTS": "1", "COLLY_PARSE_HTTP_ERROR_RESPONSE": "n",
		"COLLY_TRACE_HTTP": "y", "COLLY_USER_AGENT": "someone-else",
		"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	var paths []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path+" "+r.UserAgent())
		switch r.URL.Path {
		case "/move":
			http.Redirect(w, r, "/moved", http.StatusFound)
		case "/gone":
			http.Error(w, "it is gone", http.StatusGone)
		case "/latin":
			w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
			io.WriteString(w, "caf\xe9")
		default:
			http.Error(w, "unexpected", http.StatusTeapot)
		}
	})
	f := newClient(t).Fetcher()
	for path, want := range map[string]string{"/move": "302 /moved", "/gone": "410 it is gone\n", "/latin": "200 café"} {
		resp, err := f.Fetch(context.Background(), parse(t, base+path), crawler.FetchOptions{})
		if err != nil {
			t.Fatal(path, err)
		}
		got := fmt.Sprintf("%d %s", resp.Status, resp.Body)
		if !strings.Contains(got, want[:3]) || !strings.Contains(got, want[4:]) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if len(paths) != 3 {
		t.Errorf("the server saw %q", paths)
	}
	for _, p := range paths {
		if !strings.HasSuffix(p, "testbot/1.0 (+https://me.example/bot)") {
			t.Errorf("the server saw %q", p)
		}
	}
	if files, _ := os.ReadDir(cache); len(files) != 0 {
		t.Errorf("%d files in colly's cache", len(files))
	}
}

func TestHTTP2OverTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Proto, r.RequestURI)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	trust := s.Client().Transport.(*http.Transport).TLSClientConfig
	c := newClient(t, func(o *Options) { o.TLSConfig = trust })
	for range 2 {
		if got := string(mustGet(t, c, s.URL+"/a?b=c", crawler.FetchOptions{}).Body); got != "HTTP/2.0 /a?b=c" {
			t.Errorf("got %q", got)
		}
	}
	// This server resets the stream of a path it cannot parse, which net/http
	// would try six times more.
	_, err := get(t, c, s.URL+"/100%", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassReset, true)
	_, err = get(t, newClient(t), s.URL, crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassTLS, false)
}

func TestTheCallersContext(t *testing.T) {
	reached := make(chan struct{}, 1)
	base := hostile(t, func(c net.Conn) { reached <- struct{}{}; hang(c) })
	f := newClient(t).Fetcher()
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-reached; cancel() }()
	if _, err := f.Fetch(ctx, parse(t, base), crawler.FetchOptions{}); err != context.Canceled {
		t.Errorf("got %v, want the context's error", err)
	}
	if _, err := f.Fetch(ctx, parse(t, base), crawler.FetchOptions{}); err != context.Canceled {
		t.Errorf("got %v, want the context's error", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestGuard(t *testing.T) {
	var requests atomic.Int32
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1) })
	refused := errors.New("not granted")
	type grant struct{}
	c := newClient(t, func(o *Options) {
		o.ErrRefused = refused
		o.Guard = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				if granted, _ := r.Context().Value(grant{}).(string); granted != r.URL.String() {
					return nil, fmt.Errorf("%s: %w", r.URL, refused)
				}
				return next.RoundTrip(r)
			})
		}
	})
	f := c.Fetcher()
	_, err := f.Fetch(context.Background(), parse(t, base), crawler.FetchOptions{})
	var fe *crawler.FetchError
	if !errors.Is(err, refused) || errors.As(err, &fe) {
		t.Errorf("got %v, want the plain refusal", err)
	}
	if requests.Load() != 0 {
		t.Error("a refused request reached the server")
	}
	for _, path := range []string{"/", "/a?b=%", "/100%", "//x%zz"} {
		u := parse(t, base+path)
		if _, err := f.Fetch(context.WithValue(context.Background(), grant{}, u.Fetch()), u, crawler.FetchOptions{}); err != nil {
			t.Errorf("the guard did not see %s: %v", path, err)
		}
	}
}

// A panic below the fence ends one exchange, not the worker.
func TestPanicIsContained(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	var explode atomic.Bool
	c := newClient(t, func(o *Options) {
		o.Guard = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				if explode.Load() {
					panic("boom")
				}
				return next.RoundTrip(r)
			})
		}
	})
	f := c.Fetcher()
	explode.Store(true)
	_, err := f.Fetch(context.Background(), parse(t, base), crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassProtocol, false)
	explode.Store(false)
	if _, err := f.Fetch(context.Background(), parse(t, base), crawler.FetchOptions{}); err != nil {
		t.Error(err)
	}
}

func TestOtherSchemes(t *testing.T) {
	_, err := get(t, newClient(t), "ftp://books.example/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassNetwork, false)
}
