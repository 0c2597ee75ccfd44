package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// network answers requests in memory.
type network func(*http.Request) (*http.Response, error)

func (n network) RoundTrip(r *http.Request) (*http.Response, error) { return n(r) }

func answer(status int, body string, fields ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	return r
}

func send(t *testing.T, rt http.RoundTripper, url string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(r)
	if resp != nil && resp.Request != r {
		t.Error("the answer shows the request that was signed")
	}
	if r.URL.String() != url || len(r.Header) > 0 {
		t.Errorf("the request was changed: %s %v", r.URL, r.Header)
	}
	return resp, err
}

// Credentials go to the host that they are for, and to no other.
func TestCredentialsStayWithTheirHost(t *testing.T) {
	known, err := New(Options{Hosts: map[string]Credentials{
		"bearer.example:443": {Bearer: "b"}, "basic.example:443": {User: "u", Password: "p"},
		"key.example:443": {Key: "k", Header: "X-Key"}, "query.example:443": {Key: "k/&=", Query: "key"},
		"127.0.0.1:80": {Bearer: "plain"}, "[::1]:8080": {Bearer: "six"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got string
	rt := known.Wrap(network(func(r *http.Request) (*http.Response, error) {
		got = r.URL.RequestURI() + " " + r.Header.Get("Authorization") + r.Header.Get("X-Key")
		resp := answer(302, "", "Location", "https://query.example/b?key=k%2F%26%3D&c=1#f")
		resp.Request = r
		return resp, nil
	}))
	for url, want := range map[string]string{
		"https://bearer.example/":                "/ Bearer b",
		"https://BEARER.example:443/":            "/ Bearer b",
		"http://bearer.example/":                 "/ ",
		"https://bearer.example:8443/":           "/ ",
		"https://x.bearer.example/":              "/ ",
		"https://basic.example/":                 "/ Basic dTpw",
		"https://key.example/":                   "/ k",
		"https://query.example/a?key=other&b=+1": "/a?b=+1&key=k%2F%26%3D ",
		"https://query.example/":                 "/?key=k%2F%26%3D ",
		"http://127.0.0.1/":                      "/ Bearer plain",
		"http://[::1]:8080/":                     "/ Bearer six",
	} {
		resp, err := send(t, rt, url)
		if err != nil || got != want {
			t.Errorf("%s: sent %q, want %q, %v", url, got, want, err)
		}
		if strings.Contains(url, "query.") && resp.Header.Get("Location") != "https://query.example/b?c=1#f" {
			t.Errorf("leads to %s", resp.Header.Get("Location"))
		}
	}
	r := httpGet("https://query.example/")
	r.URL.Opaque = "//query.example/a%?key=x&b=%"
	if _, err := rt.RoundTrip(r); err != nil || got != "https://query.example/a%?b=%&key=k%2F%26%3D " {
		t.Errorf("sent %q, %v", got, err)
	}
	for _, bad := range []Credentials{{}, {Bearer: "a\nb"}, {Key: "k"}, {Key: "k", Header: "a b"}, {OAuth2: &OAuth2{TokenURL: "x"}}} {
		if _, err := New(Options{Hosts: map[string]Credentials{"a.example:443": bad}}); !errors.Is(err, ErrCredentials) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// api is a host with tokens of a minute, and the server that gives them.
type api struct {
	mu     sync.Mutex
	given  int
	valid  map[string]bool
	broken func() (*http.Response, error) // the token's server, when it is
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.URL.Host == "login.example" {
		a.given++
		if a.broken != nil {
			return a.broken()
		}
		id, secret, _ := r.BasicAuth()
		if body, _ := io.ReadAll(r.Body); id != "me" || secret != "s3cret" || !strings.Contains(string(body), "client_credentials") || r.UserAgent() != "bot/1" {
			return answer(401, `{"error":"invalid_client"}`), nil
		}
		name := fmt.Sprintf("t%d", a.given)
		a.valid["Bearer "+name] = true
		return answer(200, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":60}`, name)), nil
	}
	if !a.valid[r.Header.Get("Authorization")] {
		return answer(401, ""), nil
	}
	return answer(200, ""), nil
}

func oauth(t *testing.T, a *api, now func() time.Time) (http.RoundTripper, *Auth) {
	t.Helper()
	known, err := New(Options{UserAgent: "bot/1", Now: now, Hosts: map[string]Credentials{
		"api.example:443": {OAuth2: &OAuth2{TokenURL: "https://login.example/token", ClientID: "me", Secret: "s3cret"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	a.valid = map[string]bool{}
	return known.Wrap(a), known
}

func TestTokensAreRenewed(t *testing.T) {
	var offset atomic.Int64
	now := func() time.Time { return time.Unix(offset.Load(), 0) }
	a := &api{}
	rt, _ := oauth(t, a, now)
	step := func(what string, status, given int, renewed bool) {
		t.Helper()
		resp, err := send(t, rt, "https://api.example/")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if resp.StatusCode != status || a.given != given || len(resp.Header[crawler.HeaderRenewed]) > 0 != renewed {
			t.Errorf("%s: status %d, %d tokens, %v", what, resp.StatusCode, a.given, resp.Header)
		}
	}
	var group sync.WaitGroup
	for range 20 { // who come together get one
		group.Go(func() { _, _ = rt.RoundTrip(httpGet("https://api.example/")) })
	}
	group.Wait()
	step("first", 200, 1, false)
	offset.Add(40)
	step("still good", 200, 1, false)
	offset.Add(15)
	step("about to end", 200, 2, false)
	clear(a.valid) // taken back by the server
	step("refused", 401, 2, true)
	step("a new one", 200, 3, false)
	clear(a.valid)
	step("refused", 401, 3, true)
	a.broken = func() (*http.Response, error) {
		return answer(200, fmt.Sprintf(`{"access_token":"no good %d","token_type":"bearer"}`, a.given)), nil
	}
	step("a new one is refused as well", 401, 4, true)
	step("and stays so", 401, 4, true)
	offset.Add(int64(unproven/time.Second) - 1)
	step("for a minute", 401, 4, true)
	a.broken = nil
	offset.Add(1)
	step("then it is replaced by one that is good", 200, 5, false)
}

func httpGet(url string) *http.Request {
	r, _ := http.NewRequest(http.MethodGet, url, nil)
	return r
}

// A server that gives no token is left alone for growing times, and what it writes is
// not told.
func TestNoToken(t *testing.T) {
	var offset atomic.Int64
	a := &api{}
	rt, known := oauth(t, a, func() time.Time { return time.Unix(offset.Load(), 0) })
	for _, broken := range []struct {
		make  func() (*http.Response, error)
		want  string
		final bool // no time mends it
	}{
		{func() (*http.Response, error) {
			return answer(400, `{"error":"invalid_scope","error_description":"s3cret"}`), nil
		}, "status 400, invalid_scope: see that scopes are right", true},
		{func() (*http.Response, error) { return answer(200, "<html>s3cret</html>"), nil }, "holds no token: is token_url its address?", false},
		{func() (*http.Response, error) { return answer(500, "s3cret"), nil }, "status 500", false},
		{func() (*http.Response, error) { return answer(302, "", "Location", "https://evil.example/"), nil }, "status 302", false},
		{func() (*http.Response, error) { return nil, errors.New("the network is down") }, "the network is down", false},
	} {
		if _, err := rt.RoundTrip(httpGet("https://other.example/")); err != nil { // so that the run goes on
			t.Fatal(err)
		}
		a.broken = broken.make
		given := a.given
		for range 3 {
			_, err := send(t, rt, "https://api.example/")
			if !broken.final { // while there was no token yet nobody is charged
				if !errors.Is(err, crawler.ErrNotSent) || !strings.Contains(err.Error(), broken.want) {
					t.Errorf("%s, behind it: %v", broken.want, err)
				}
				continue
			}
			var fe *crawler.FetchError
			if !errors.As(err, &fe) || fe.Class != crawler.ClassAuth || fe.Temporary == broken.final || fe.RetryAfter <= 0 ||
				!strings.Contains(err.Error(), broken.want) || !strings.Contains(err.Error(), "login.example") || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: %v", broken.want, err)
			}
		}
		// The library may ask twice, to learn how a server wants the secret.
		if n := a.given - given; n < 1 || n > 2 {
			t.Errorf("%s: asked %d times", broken.want, n)
		}
		until, why := known.Waits(parse(t, "https://api.example/x"))
		if left := until.Sub(time.Unix(offset.Load(), 0)); broken.final != until.IsZero() || !broken.final && (left <= 0 || left > mostPause || !strings.Contains(why, broken.want)) {
			t.Errorf("%s: waits %v, %q", broken.want, left, why)
		}
		if until, _ := known.Waits(parse(t, "https://other.example/")); !until.IsZero() {
			t.Errorf("%s: another host waits", broken.want)
		}
		offset.Add(600)
	}
	a.broken = nil
	if resp, err := send(t, rt, "https://api.example/"); err != nil || resp.StatusCode != 200 {
		t.Errorf("%v, %v", resp, err)
	}
	// Credentials that have worked may work again.
	offset.Add(3600)
	a.broken = func() (*http.Response, error) { return answer(401, `{"error":"invalid_client"}`), nil }
	_, err := send(t, rt, "https://api.example/")
	if fe, ok := errors.AsType[*crawler.FetchError](err); !ok || !fe.Temporary {
		t.Errorf("%v", err)
	}
}

func TestWaitingForATokenEnds(t *testing.T) {
	a := &api{}
	release := make(chan struct{})
	a.broken = func() (*http.Response, error) { <-release; return answer(500, ""), nil }
	rt, _ := oauth(t, a, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rt.RoundTrip(httpGet("https://api.example/").WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
}
