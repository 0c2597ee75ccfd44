package dashboard

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestCheckToken(t *testing.T) {
	long := strings.Repeat("k", leastToken)
	for _, c := range []struct {
		listen, token string
		want          string // of the error
	}{
		{"127.0.0.1:7733", "", ""}, {"[::1]:7733", "", ""}, {"localhost:0", "", ""}, {"127.8.9.1:1", "", ""}, {"[::ffff:127.0.0.1]:1", "", ""},
		{"0.0.0.0:7733", "", "token is needed"}, {":7733", "", "token is needed"}, {"[::]:7733", "", "token is needed"},
		{"192.0.2.1:7733", "", "token is needed"}, {"crawls.example:7733", "", "token is needed"}, {"localhost.example:1", "", "token is needed"},
		{":7733", long, ""}, {":7733", long[1:], "at least 16 characters"}, {"127.0.0.1:7733", "short", "at least 16 characters"},
		{"7733", "", "an address and a port"},
	} {
		err := CheckToken(c.listen, c.token)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s with %q: %v, want %q", c.listen, c.token, err, c.want)
		}
	}
	if !errors.Is(CheckToken(":1", ""), ErrToken) {
		t.Error("the error is not ErrToken")
	}
}

// A page of another site can neither change anything nor, by a name that leads here,
// read anything.
func TestOtherSitesAreKeptOut(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Hosts = []string{"Crawls.example"} })
	const start = "/api/v1/crawls/quiet/pause"
	for _, c := range []struct {
		method, path string
		head         []string
		want         int
	}{
		{"GET", "/", nil, 200},
		{"GET", "/", []string{"Host: localhost:9999"}, 200},
		{"GET", "/", []string{"Host: [::1]:7733"}, 200},
		{"GET", "/", []string{"Host: 192.0.2.7"}, 200},
		{"GET", "/", []string{"Host: crawls.example"}, 200},
		{"GET", "/", []string{"Host: evil.example:7733"}, 421},
		{"GET", "/", []string{"Host: 127.0.0.1.evil.example"}, 421},
		{"GET", "/", []string{"Host: localhost.evil.example"}, 421},
		{"GET", "/api/v1/crawls", []string{"Host: evil.example"}, 421},
		{"GET", "/metrics", []string{"Host: evil.example"}, 421},
		{"POST", start, []string{"Host: evil.example"}, 421},
		{"GET", "/healthz", []string{"Host: whatever"}, 200},
		{"GET", "/readyz", []string{"Host: whatever"}, 200},

		{"POST", start, nil, 202}, // no browser
		{"POST", start, []string{"Sec-Fetch-Site: same-origin"}, 202},
		{"POST", start, []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"POST", start, []string{"Sec-Fetch-Site: same-site"}, 403},
		{"POST", start, []string{"Origin: http://evil.example"}, 403},
		{"POST", start, []string{"Origin: null"}, 403},
		{"POST", start, []string{"Origin: http://127.0.0.1:8000"}, 403},
		{"POST", start, []string{"Origin: http://127.0.0.1:7733"}, 202},
		{"GET", start, nil, 405},
		{"GET", start, []string{"Accept: text/html"}, 405},
		{"HEAD", start, nil, 405},
		{"GET", "/nothing", nil, 404}, {"GET", "/assets/doc.go", nil, 404}, {"GET", "/assets/..%2fguard.go", nil, 404},
	} {
		expect(t, strings.Join(append([]string{c.method, c.path}, c.head...), " "), w.ask(c.method, c.path, c.head...), c.want)
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/", "/api/v1/crawls", "/nothing", "/assets/app.js", "/metrics"} {
		head := w.ask("GET", path).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := head.Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		if !strings.HasPrefix(path, "/assets/") && head.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept by caches", path)
		}
	}
}

func TestToken(t *testing.T) {
	const token = "0123456789abcdef-the-token"
	now := time.Now()
	w := newWorld(t, func(o *Options) { o.Token = token; o.Now = func() time.Time { return now } })
	for _, path := range []string{"/", "/crawls/books", "/runs/1", "/metrics", "/api/v1/crawls", "/api/v1/events", "/api/v1/openapi.json", "/nothing"} {
		expect(t, path, w.ask("GET", path), 401)
		expect(t, path+" with a wrong token", w.ask("GET", path, "Authorization: Bearer "+token+"x"), 401)
		expect(t, path+" with a wrong cookie", w.ask("GET", path, "Cookie: amble_session=9999999999.00"), 401)
	}
	expect(t, "a page in a browser", w.ask("GET", "/crawls/books?x=1", "Accept: text/html"), 303)
	expect(t, "a change", w.ask("POST", "/api/v1/crawls/books/stop"), 401)
	expect(t, "with the token", w.ask("GET", "/metrics", "Authorization: Bearer "+token), 200)
	for _, path := range []string{"/healthz", "/readyz", "/login", "/assets/style.css"} {
		expect(t, path, w.ask("GET", path), 200)
	}

	enter := func(word, next string, head ...string) *httptest.ResponseRecorder {
		form := url.Values{"token": {word}, "next": {next}}
		r := httptest.NewRequest("POST", "http://127.0.0.1:7733/login", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, h := range head {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		return rec
	}
	expect(t, "a login from elsewhere", enter(token, "/", "Sec-Fetch-Site: cross-site"), 403)
	rec := enter(token, "/runs/1")
	expect(t, "a login", rec, 303)
	cookie := rec.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(cookie.Value, token) || rec.Header().Get("Location") != "/runs/1" {
		t.Errorf("%+v to %s", cookie, rec.Header().Get("Location"))
	}
	held := "Cookie: " + cookie.Name + "=" + cookie.Value
	expect(t, "with the cookie", w.ask("GET", "/", held), 200)
	expect(t, "a cookie that was made longer", w.ask("GET", "/", "Cookie: "+cookie.Name+"=9"+cookie.Value), 401)
	now = now.Add(cookieFor + time.Second)
	expect(t, "an old cookie", w.ask("GET", "/", held), 401)
	for _, next := range []string{"//evil.example", "https://evil.example/", "/\\evil.example", "evil", "/\t/evil.example", "javascript:alert(1)"} {
		if to := enter(token, next).Header().Get("Location"); to != "/" && !strings.HasPrefix(to, "/login") {
			t.Errorf("%q leads to %q", next, to)
		}
	}
	last := 0
	for range loginsAtOne + 5 {
		last = enter("wrong", "/").Code
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("guessing goes on: %d", last)
	}
}
