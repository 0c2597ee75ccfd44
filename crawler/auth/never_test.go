package auth

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// A run that never had a token stops after some attempts, and says why; while other hosts
// answer it goes on. Credentials that have worked are waited for.
func TestRunWithoutAnyToken(t *testing.T) {
	refused := func() (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	for name, c := range map[string]struct {
		broken func() (*http.Response, error)
		others bool // another host answers meanwhile
		worked bool
		stops  string // "": it does not
		after  int
	}{
		"nobody there": {refused, false, false, "fetch.auth: after 5 attempts no token from login.example: dial: connection refused: is token_url its address?", patience},
		"a page": {func() (*http.Response, error) { return answer(200, "<html>"), nil }, false, false,
			"fetch.auth: after 3 attempts no token from login.example: the answer, with status 200, holds no token: is token_url its address?", elsewhere},
		"nothing there":    {func() (*http.Response, error) { return answer(404, ""), nil }, false, false, "status 404: is token_url its address?", elsewhere},
		"in trouble":       {func() (*http.Response, error) { return answer(503, ""), nil }, false, false, "after 5 attempts no token from login.example: status 503", patience},
		"others go on":     {refused, true, false, "", 0},
		"it worked before": {refused, false, true, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var k clock
			a := &api{valid: map[string]bool{}}
			rt, known := oauth(t, a, k.now)
			u := parse(t, "https://api.example/")
			if c.worked {
				if _, err := send(t, rt, u.Fetch()); err != nil {
					t.Fatal(err)
				}
				k.pass(2 * time.Hour) // its end
			}
			a.broken = c.broken
			var err error
			for attempt := range 10 {
				if until, _ := known.Waits(u); !until.IsZero() {
					k.until(until)
				}
				if c.others {
					if _, err := rt.RoundTrip(httpGet("https://other.example/")); err != nil {
						t.Fatal(err)
					}
				}
				if _, err = send(t, rt, u.Fetch()); err == nil {
					t.Fatal("it is sent")
				}
				if errors.Is(err, crawler.ErrStop) {
					if attempt != c.after-1 {
						t.Errorf("it stops after %d attempts", attempt+1)
					}
					break
				}
			}
			switch {
			case c.stops == "" && errors.Is(err, crawler.ErrStop):
				t.Errorf("the run stops: %v", err)
			case c.stops != "" && (!errors.Is(err, crawler.ErrStop) || !errors.Is(err, crawler.ErrNotSent) || !strings.HasSuffix(err.Error(), c.stops)):
				t.Errorf("%v, want %s", err, c.stops)
			case c.stops != "":
				if until, _ := known.Waits(u); !until.IsZero() {
					t.Error("the next request waits, and the run with it")
				}
				if _, err := send(t, rt, u.Fetch()); !errors.Is(err, crawler.ErrStop) {
					t.Errorf("the next request: %v", err)
				}
			}
		})
	}
}
