package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// watch is a clock that is set by hand; waits are over at once.
type watch struct {
	hurried
	now time.Time
}

func (w *watch) Now() time.Time { return w.now }

// shop serves so many pages of a session, and some to nobody.
type shop struct {
	serves, left int
	logins       int
}

func (s *shop) Fetch(_ context.Context, u urls.URL, _ crawler.FetchOptions) (*crawler.Response, error) {
	if u.Path() == "/public" {
		return answer(200, "")
	}
	s.left--
	if s.left < 0 || u.Query() == "own" {
		return answer(401, "")
	}
	return answer(200, "")
}

func (s *shop) session(t *testing.T, clock crawler.Clock) *Session {
	t.Helper()
	login := &site{says: func(r *crawler.Request) (*crawler.Response, error) {
		if r.URL.Path() == "/session" {
			s.left = s.serves
			s.logins++
		}
		return answer(200, "")
	}}
	session := newSession(t, login, func(o *Options) { o.Clock, o.Most = clock, 1000 })
	if err := session.Begin(); err != nil {
		t.Fatal(err)
	}
	return session
}

// ask gives how long a page is to be left alone, and whether it was the page.
func (s *shop) ask(t *testing.T, session *Session, path string) (wait time.Duration, good bool) {
	t.Helper()
	resp, err := session.Fetcher(s).Fetch(t.Context(), parse("https://a.example"+path), crawler.FetchOptions{})
	session.work.Wait()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	marked := resp.Header[crawler.HeaderLoggedOut]
	if len(marked) == 0 {
		return 0, true
	}
	wait, err = time.ParseDuration(marked[0])
	if err != nil {
		t.Fatal(err)
	}
	return wait, false
}

// However short sessions are, each page comes, though pages meet their ends again and
// again; and what shows the sign is never the page.
func TestShortSessions(t *testing.T) {
	clock := &watch{now: time.Unix(1e9, 0)}
	rapid.Check(t, func(rt *rapid.T) {
		s := &shop{serves: rapid.IntRange(1, 6).Draw(rt, "serves")}
		session := s.session(t, clock)
		pages := rapid.IntRange(1, 40).Draw(rt, "pages")
		unlucky := rapid.IntRange(0, 3).Draw(rt, "unlucky") // how often others come before the page that showed the sign
		for i := range pages {
			path := fmt.Sprintf("/%d", i)
			for attempt := 0; ; attempt++ {
				if attempt > 3*unlucky+1 {
					rt.Fatalf("%s is lost", path)
				}
				if attempt > 0 && attempt <= unlucky { // others use the session up
					for s.left > 0 {
						if _, good := s.ask(t, session, "/other"); !good {
							rt.Fatal("no page of a session that lasts")
						}
					}
				}
				wait, good := s.ask(t, session, path)
				if good {
					break
				}
				if wait < 0 || wait > 0 && unlucky == 0 {
					rt.Fatalf("%s waits %v", path, wait)
				}
				clock.now = clock.now.Add(wait)
			}
		}
		session.Close()
	})
}

// A page that is for others shows the sign whoever asks: this is found out by two
// logins, for further pages by one, and then they are not asked for again. Logins that
// help no page become rare.
func TestPagesForOthers(t *testing.T) {
	clock := &watch{now: time.Unix(1e9, 0)}
	s := &shop{serves: 1 << 20}
	session := s.session(t, clock)
	good := func() {
		t.Helper()
		if _, good := s.ask(t, session, "/good"); !good {
			t.Fatal("the good page is not")
		}
	}
	check := func(path string, wait time.Duration, logins int) {
		t.Helper()
		if got, good := s.ask(t, session, path); good || got != wait || s.logins != logins {
			t.Errorf("%s: good %v, waits %v, want %v; %d logins, want %d", path, good, got, wait, s.logins, logins)
		}
	}
	good()
	check("/1?own", 0, 2)
	check("/1?own", 0, 3)     // it came first
	check("/1?own", aside, 3) // and again
	good()                    // while others are good
	check("/1?own", never, 3)
	check("/2?own", 0, 4)
	check("/2?own", aside, 4)
	good()
	check("/2?own", never, 4)
	clock.now = clock.now.Add(time.Second)
	check("/3?own", firstDoubt-time.Second, 4)
	clock.now = clock.now.Add(firstDoubt - time.Second)
	check("/3?own", 0, 5)
	good() // it does not come first
	check("/3?own", 2*firstDoubt, 5)
	// A login that helps ends the doubts.
	clock.now = clock.now.Add(time.Hour)
	s.left = 0
	check("/good", 0, 6)
	good()
	check("/4?own", 0, 7)
	logins := s.logins
	for range 100 { // nobody waits longer than this
		clock.now = clock.now.Add(mostDoubt)
		good()
		if wait, _ := s.ask(t, session, "/5?own"); wait > mostDoubt {
			t.Fatalf("waits %v", wait)
		}
		if wait, _ := s.ask(t, session, "/6?own"); wait > mostDoubt {
			t.Fatalf("waits %v", wait)
		}
	}
	if s.logins > logins+200 {
		t.Errorf("%d logins", s.logins-logins)
	}
}

// After a login anew one request goes alone: what it shows has to do with nobody else.
func TestFirstRequestGoesAlone(t *testing.T) {
	s := &shop{serves: 1}
	session := s.session(t, hurried{})
	if _, good := s.ask(t, session, "/1"); !good {
		t.Fatal("the first page")
	}
	if wait, good := s.ask(t, session, "/2"); good || wait != 0 {
		t.Fatal("the session goes on")
	}
	under := receiving(func(crawler.FetchOptions) (*crawler.Response, error) {
		if until, why := session.Waits(parse("https://a.example/3")); until.IsZero() || why == "" {
			t.Error("others do not wait")
		}
		if _, err := session.Fetcher(s).Fetch(t.Context(), parse("https://a.example/3"), crawler.FetchOptions{}); !errors.Is(err, crawler.ErrNotSent) {
			t.Errorf("another is sent: %v", err)
		}
		return nil, http.ErrHandlerTimeout
	})
	if _, err := session.Fetcher(under).Fetch(t.Context(), parse("https://a.example/2"), crawler.FetchOptions{}); !errors.Is(err, http.ErrHandlerTimeout) {
		t.Fatal(err)
	}
	if until, _ := session.Waits(parse("https://a.example/3")); !until.IsZero() {
		t.Error("they wait when it is over")
	}
	if _, good := s.ask(t, session, "/3"); !good {
		t.Error("the next one")
	}
}
