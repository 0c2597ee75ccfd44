package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func parse(t *testing.T, raw string) urls.URL {
	t.Helper()
	u, err := urls.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// clock is one that the test sets.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time         { return time.Unix(0, c.offset.Load()) }
func (c *clock) pass(d time.Duration)   { c.offset.Add(int64(d)) }
func (c *clock) until(at time.Time)     { c.offset.Store(at.UnixNano()) }
func no(a *api) (*http.Response, error) { return tokenCalled(fmt.Sprintf("no good %d", a.given)), nil }

func tokenCalled(name string) *http.Response {
	return answer(200, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer"}`, name))
}

// A host that takes no token any more, also no new one, is left alone but for single
// requests, until one is good again; nobody behind them is told of a failure.
func TestTokensThatAreRefused(t *testing.T) {
	var c clock
	a := &api{}
	rt, known := oauth(t, a, c.now)
	u := parse(t, "https://api.example/")
	get := func() (*http.Response, error) { return send(t, rt, "https://api.example/") }
	if resp, err := get(); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	clear(a.valid)
	a.broken = func() (*http.Response, error) { return no(a) }
	if resp, err := get(); err != nil || resp.Header[crawler.HeaderRenewed][0] != "0s" {
		t.Fatal(resp, err)
	}
	// The new one as well. One page says little of the others.
	for i := range suspects {
		if until, why := known.Waits(u); !until.IsZero() {
			t.Errorf("after %d refusals it waits: %s", i, why)
		}
		if resp, err := get(); err != nil || resp.StatusCode != 401 || resp.Header[crawler.HeaderRenewed][0] != "1m0s" {
			t.Errorf("%v, %v", resp, err)
		}
	}
	tried, given := 0, a.given
	for began := c.now(); c.now().Sub(began) < giveUp/2; {
		until, why := known.Waits(u)
		if until.IsZero() { // its turn
			tried++
			resp, err := get()
			if err != nil || resp.StatusCode != 401 || len(resp.Header[crawler.HeaderRenewed]) == 0 {
				t.Fatalf("%v, %v", resp, err)
			}
			continue
		}
		if left := until.Sub(c.now()); left <= 0 || left > mostPause || !strings.Contains(why, "refused") || !strings.Contains(why, "login.example") {
			t.Fatalf("waits %v: %q", left, why)
		}
		c.until(until)
	}
	if n := a.given - given; tried != suspects*n || n < 4 || n > 10 {
		t.Errorf("%d requests for %d tokens", tried, n)
	}
	a.broken = nil
	for until, _ := known.Waits(u); !until.IsZero(); until, _ = known.Waits(u) {
		c.until(until)
	}
	if resp, err := get(); err != nil || resp.StatusCode != 200 {
		t.Errorf("%v, %v", resp, err)
	}
	if until, why := known.Waits(u); !until.IsZero() {
		t.Errorf("waits with a good token: %s", why)
	}
	// For good: after an hour the refusals stand, and no request waits.
	clear(a.valid)
	a.broken = func() (*http.Response, error) { return no(a) }
	for range 2 + suspects {
		_, _ = get()
	}
	c.pass(giveUp)
	for range 3 {
		if until, why := known.Waits(u); !until.IsZero() {
			t.Errorf("waits for ever: %s", why)
		}
		resp, err := get()
		if err != nil || resp.StatusCode != 401 || len(resp.Header[crawler.HeaderRenewed]) > 0 {
			t.Errorf("%v, %v", resp, err)
		}
	}
}

// A page that nobody may see, among others, keeps nobody waiting.
func TestOnePageIsRefused(t *testing.T) {
	var c clock
	a := &api{}
	_, known := oauth(t, a, c.now)
	refused := network(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/secret" {
			return answer(401, ""), nil
		}
		return a.RoundTrip(r)
	})
	rt := known.Wrap(refused)
	for i := range 20 {
		if until, why := known.Waits(parse(t, "https://api.example/")); !until.IsZero() {
			t.Fatalf("time %d: waits: %s", i, why)
		}
		if resp, err := send(t, rt, "https://api.example/secret"); err != nil || resp.StatusCode != 401 {
			t.Errorf("%v, %v", resp, err)
		}
		c.pass(time.Second)
		if resp, err := send(t, rt, "https://api.example/"); err != nil || resp.StatusCode != 200 {
			t.Errorf("%v, %v", resp, err)
		}
	}
}

// While the server of tokens does not answer, one request waits for it and the others
// are given back; after the first time nobody else is kept.
func TestServerOfTokensHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{valid: map[string]bool{}}
		asked := make(chan struct{})
		known, err := New(Options{UserAgent: "bot/1", Timeout: 7 * time.Second, Hosts: map[string]Credentials{
			"api.example:443": {OAuth2: &OAuth2{TokenURL: "https://login.example/token", ClientID: "me", Secret: "s3cret"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		hangs := true
		rt := known.Wrap(network(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "login.example" && hangs {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return a.RoundTrip(r)
		}))
		for _, want := range []string{"not sent: no token from login.example: no answer yet", "not sent: no token from login.example: no answer yet"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := rt.RoundTrip(httpGet("https://api.example/").WithContext(ctx))
			cancel()
			if err == nil || err.Error() != want {
				t.Errorf("a request whose time is over: %v, want %s", err, want)
			}
		}
		time.Sleep(time.Minute)
		if known, err = New(known.opt); err != nil { // as at the beginning
			t.Fatal(err)
		}
		rt = known.Wrap(rt.(*transport).next)
		began := time.Now()
		errs := make(chan error, 5)
		for range 5 {
			go func() {
				_, err := rt.RoundTrip(httpGet("https://api.example/"))
				errs <- err
			}()
		}
		told, back := 0, 0
		for range 5 {
			err := <-errs
			if strings.Contains(err.Error(), "no token from login.example: no answer within 7s") {
				told++
			}
			if errors.Is(err, crawler.ErrNotSent) {
				back++
			}
		}
		if took := time.Since(began); told == 0 || back != 5 || took != 7*time.Second {
			t.Errorf("%d told, %d given back, after %v", told, back, took)
		}
		u := parse(t, "https://api.example/")
		until, _ := known.Waits(u)
		time.Sleep(time.Until(until))
		go func() {
			_, _ = rt.RoundTrip(httpGet("https://api.example/"))
			close(asked)
		}()
		synctest.Wait()
		if until, why := known.Waits(u); until.IsZero() || why == "" {
			t.Error("the host does not wait while its token is asked for")
		}
		if _, err := rt.RoundTrip(httpGet("https://api.example/")); !errors.Is(err, crawler.ErrNotSent) {
			t.Errorf("a second request is kept: %v", err)
		}
		<-asked
		hangs = false
		until, _ = known.Waits(u)
		time.Sleep(time.Until(until))
		if resp, err := rt.RoundTrip(httpGet("https://api.example/")); err != nil || resp.StatusCode != 200 {
			t.Errorf("%v, %v", resp, err)
		}
	})
}

// In times of trouble one request tries the token, whatever becomes of it.
func TestOneRequestTriesAToken(t *testing.T) {
	var c clock
	a := &api{}
	rt, known := oauth(t, a, c.now)
	_, _ = send(t, rt, "https://api.example/")
	clear(a.valid)
	a.broken = func() (*http.Response, error) { return no(a) }
	for range 1 + suspects {
		_, _ = send(t, rt, "https://api.example/")
	}
	a.broken = nil
	until, _ := known.Waits(parse(t, "https://api.example/"))
	c.until(until)
	entered, leave := make(chan struct{}), make(chan error)
	c2 := known.hosts["api.example:443"].(*client)
	probing := &transport{hosts: known.hosts, next: network(func(r *http.Request) (*http.Response, error) {
		close(entered)
		return nil, <-leave
	})}
	var group sync.WaitGroup
	group.Go(func() { _, _ = probing.RoundTrip(httpGet("https://api.example/")) })
	<-entered
	if until, _ := known.Waits(parse(t, "https://api.example/")); until.IsZero() {
		t.Error("nobody waits for the trial")
	}
	if _, err := send(t, rt, "https://api.example/"); !errors.Is(err, crawler.ErrNotSent) {
		t.Errorf("a second one is sent: %v", err)
	}
	leave <- errors.New("reset")
	group.Wait()
	if c2.probe != nil {
		t.Error("the trial has not ended")
	}
	if resp, err := send(t, rt, "https://api.example/"); err != nil || resp.StatusCode != 200 {
		t.Errorf("%v, %v", resp, err)
	}
}
