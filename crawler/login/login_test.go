package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// step leads to one request, whatever the page.
type step struct{ ref crawler.Reference }

func (step) Simple() (css, attr string, ok bool) { return "", "", false }

func (s step) Find(_ context.Context, _ *crawler.Page, _ *crawler.Emitter, found func(crawler.Reference) bool) error {
	if s.ref.Ref != "" {
		found(s.ref)
	}
	return nil
}

// hurried is a clock whose waits are over at once.
type hurried struct{}

func (hurried) Now() time.Time { return time.Unix(1e9, 0) }
func (hurried) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Unix(1e9, 0)
	return c
}

func parse(raw string) urls.URL {
	u, err := urls.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

// site answers in memory.
type site struct {
	mu    sync.Mutex
	heard []string
	says  func(r *crawler.Request) (*crawler.Response, error)
}

func (s *site) send(_ context.Context, r *crawler.Request) (*crawler.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	method, body := "GET", ""
	if r.Call != nil {
		method, body = r.Call.Method, r.Call.Body
	}
	s.heard = append(s.heard, strings.TrimSpace(method+" "+r.URL.Fetch()+" "+body))
	return s.says(r)
}

func answer(status int, to string) (*crawler.Response, error) {
	r := &crawler.Response{Status: status, Header: http.Header{}, MediaType: "text/plain"}
	if to != "" {
		r.Location = parse(to)
	}
	return r, nil
}

func newSession(t *testing.T, s *site, change func(*Options)) *Session {
	t.Helper()
	o := Options{
		Steps: []crawler.LinkFinder{
			step{crawler.Reference{Ref: "https://a.example/login"}},
			step{crawler.Reference{Ref: "/session", Call: &crawler.Call{Method: "POST", Body: "password=hunter2"}, Carry: []crawler.Field{{Name: "token", Value: "t0ken"}}}},
		},
		Fields: []Field{{"X-Token", "is {{ token }}"}}, Again: Sign{Status: []int{401}},
		Covers: func(u urls.URL) bool { return u.Hostname() == "a.example" }, Attempts: 3, Most: 50,
		Send: s.send, Clock: hurried{}, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	session := New(t.Context(), o)
	t.Cleanup(session.Close)
	return session
}

func TestSteps(t *testing.T) {
	for name, c := range map[string]struct {
		says   func(n int, r *crawler.Request) (*crawler.Response, error)
		change func(*Options)
		err    string // empty: the login goes well
		heard  int
	}{
		"well": {says: func(int, *crawler.Request) (*crawler.Response, error) { return answer(200, "") }, heard: 2},
		"by redirects": {says: func(n int, _ *crawler.Request) (*crawler.Response, error) {
			if n < 4 {
				return answer(303, fmt.Sprintf("https://a.example/%d", n))
			}
			return answer(200, "")
		}, heard: 6},
		"in circles": {says: func(int, *crawler.Request) (*crawler.Response, error) { return answer(302, "https://a.example/login") }, err: "more than 10 redirects", heard: 10},
		"to another origin with its body": {says: func(_ int, r *crawler.Request) (*crawler.Response, error) {
			if r.Call != nil {
				return answer(307, "https://b.example/session")
			}
			return answer(200, "")
		}, err: "to which it is not given", heard: 2},
		"to another origin without": {says: func(_ int, r *crawler.Request) (*crawler.Response, error) {
			if r.Call != nil {
				return answer(303, "https://b.example/home")
			}
			return answer(200, "")
		}, heard: 3},
		"busy at first": {says: func(n int, _ *crawler.Request) (*crawler.Response, error) {
			if n < 2 {
				return answer(503, "")
			}
			return answer(200, "")
		}, heard: 4},
		"busy": {says: func(int, *crawler.Request) (*crawler.Response, error) { return answer(503, "") }, err: "status 503 from https://a.example/login", heard: 3},
		"no network": {says: func(int, *crawler.Request) (*crawler.Response, error) {
			return nil, &crawler.FetchError{Class: crawler.ClassRefused, Temporary: true, Err: errors.New("refused")}
		}, err: "refused", heard: 3},
		"refused": {says: func(int, *crawler.Request) (*crawler.Response, error) { return answer(403, "") }, err: "status 403 from https://a.example/session; check user", heard: 2},
		"not as expected": {says: func(int, *crawler.Request) (*crawler.Response, error) { return answer(200, "") },
			change: func(o *Options) { o.Expect = Sign{Status: []int{204}} }, err: "login.expect", heard: 2},
		"nothing on the page": {says: func(int, *crawler.Request) (*crawler.Response, error) { return answer(200, "") },
			change: func(o *Options) { o.Steps[1] = step{} }, err: "step 2: the login failed: what it looks for is not on the page before it (status 200 from https://a.example/login)", heard: 1},
		"no value": {says: func(int, *crawler.Request) (*crawler.Response, error) { return answer(200, "") },
			change: func(o *Options) { o.Fields = []Field{{"X", "{{other}}"}} }, err: "login.send.X: its answers hold no other", heard: 2},
		"a value that breaks out": {says: func(int, *crawler.Request) (*crawler.Response, error) { return answer(200, "") },
			change: func(o *Options) {
				o.Steps[1] = step{crawler.Reference{Ref: "/s", Carry: []crawler.Field{{Name: "token", Value: "a\r\nb"}}}}
			}, err: "cannot stand in a header field", heard: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{}
			s.says = func(r *crawler.Request) (*crawler.Response, error) { return c.says(len(s.heard)-1, r) }
			session := newSession(t, s, c.change)
			err := session.Begin()
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) || err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %q", err, c.err)
			}
			if len(s.heard) != c.heard {
				t.Errorf("heard %q", s.heard)
			}
			if c.err == "" && session.header.Get("X-Token") != "is t0ken" {
				t.Errorf("sends %v", session.header)
			}
		})
	}
}

// pages is a fetcher whose session ends when told.
type pages struct {
	mu    sync.Mutex
	ended bool
	sent  []http.Header
}

func (p *pages) Fetch(_ context.Context, u urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, opt.Header)
	if p.ended || u.Path() == "/never" {
		return answer(401, "")
	}
	return answer(200, "")
}

// However many see that the session has ended, there is one login, during which the
// hosts wait; the pages are asked for again.
func TestOneLoginForAll(t *testing.T) {
	gate := make(chan struct{})
	web := &pages{}
	s := &site{}
	s.says = func(*crawler.Request) (*crawler.Response, error) {
		if len(s.heard) > 2 {
			<-gate
			web.mu.Lock()
			web.ended = false
			web.mu.Unlock()
		}
		return answer(200, "")
	}
	session := newSession(t, s, nil)
	if err := session.Begin(); err != nil {
		t.Fatal(err)
	}
	fetch := func(raw string) (*crawler.Response, error) {
		return session.Fetcher(web).Fetch(t.Context(), parse(raw), crawler.FetchOptions{Header: http.Header{"X-Own": {"1"}}})
	}
	resp, err := fetch("https://a.example/1")
	if err != nil || resp.Status != 200 || web.sent[0].Get("X-Token") != "is t0ken" || web.sent[0].Get("X-Own") != "1" {
		t.Fatalf("%v, %v, %v", resp, err, web.sent)
	}
	if _, err := fetch("https://b.example/1"); err != nil || web.sent[1].Get("X-Token") != "" {
		t.Errorf("another host: %v, %v", err, web.sent[1])
	}
	web.ended = true
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			resp, err := fetch(fmt.Sprintf("https://a.example/%d", i))
			if err == nil && !slices.Equal(resp.Header[crawler.HeaderLoggedOut], []string{"0s"}) || err != nil && !errors.Is(err, crawler.ErrNotSent) {
				t.Errorf("%v, %v", resp, err)
			}
		})
	}
	group.Wait()
	if until, why := session.Waits(parse("https://a.example/")); until.IsZero() || why == "" {
		t.Error("nobody waits")
	}
	if until, _ := session.Waits(parse("https://b.example/")); !until.IsZero() {
		t.Error("another host waits")
	}
	close(gate)
	session.work.Wait()
	if len(s.heard) != 4 {
		t.Errorf("heard %q", s.heard)
	}
	if resp, err := fetch("https://a.example/2"); err != nil || resp.Status != 200 {
		t.Errorf("%v, %v", resp, err)
	}
	// Logins that no good answer follows end the run.
	web.ended = true
	for i := range 4 {
		if _, err := fetch(fmt.Sprintf("https://a.example/x%d", i)); err != nil {
			t.Fatal(err)
		}
		session.work.Wait()
		web.ended = true
	}
	if _, err := fetch("https://a.example/y"); !errors.Is(err, crawler.ErrStop) || !errors.Is(err, ErrRefused) || !errors.Is(err, crawler.ErrNotSent) {
		t.Errorf("goes on: %v", err)
	}
}

// holds shows where a page holds a text.
type holds string

func (h holds) Extract(_ context.Context, p *crawler.Page, e *crawler.Emitter) error {
	if strings.Contains(string(p.Response.Body), string(h)) {
		e.Record()
	}
	return nil
}

// A form in the place of a file is no file: whoever receives files is not told of it.
func TestFormsAreNoFiles(t *testing.T) {
	s := &site{says: func(*crawler.Request) (*crawler.Response, error) { return answer(200, "") }}
	session := newSession(t, s, func(o *Options) { o.Again, o.Expect = Sign{Shows: holds("<form")}, Sign{Status: []int{200}} })
	if err := session.Begin(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", maxShown) + "<form"
	for _, c := range []struct {
		name, path, media, body string
		status                  int
		ended                   bool
	}{
		{"a file", "/1", "application/pdf", "<form", 200, false},
		{"a form", "/2", "text/html; charset=utf-8", "<form>", 200, true},
		{"a page", "/3", "text/html", "<p>", 200, false},
		{"a form again", "/2", "text/html", "<form>", 200, true},
		{"a long page", "/4", "text/html", long, 200, false},
		{"a part", "/5", "text/html", "<form", 206, false},
	} {
		got := ""
		web := receiving(func(opt crawler.FetchOptions) (*crawler.Response, error) {
			err := opt.Receive(c.status, http.Header{"Content-Type": {c.media}}, -1, strings.NewReader(c.body))
			return &crawler.Response{Status: c.status, Header: http.Header{}}, err
		})
		resp, err := session.Fetcher(web).Fetch(t.Context(), parse("https://a.example"+c.path), crawler.FetchOptions{
			Receive: func(_ int, _ http.Header, _ int64, body io.Reader) error {
				all, err := io.ReadAll(body)
				got = string(all)
				return err
			},
		})
		session.work.Wait()
		if err != nil || len(resp.Header[crawler.HeaderLoggedOut]) > 0 != c.ended || got != c.body && !c.ended || c.ended && got != "" {
			t.Errorf("%s: received %d bytes of %d, %v, %v", c.name, len(got), len(c.body), resp, err)
		}
	}
	// What breaks off is told to who receives it.
	web := receiving(func(opt crawler.FetchOptions) (*crawler.Response, error) {
		return nil, opt.Receive(200, http.Header{"Content-Type": {"text/html"}}, -1, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	})
	got := 0
	_, err := session.Fetcher(web).Fetch(t.Context(), parse("https://a.example/6"), crawler.FetchOptions{
		Receive: func(_ int, _ http.Header, _ int64, body io.Reader) error {
			all, err := io.ReadAll(body)
			got = len(all)
			return err
		},
	})
	if !errors.Is(err, io.ErrUnexpectedEOF) || got != 4 {
		t.Errorf("%v after %d bytes", err, got)
	}
}

type receiving func(opt crawler.FetchOptions) (*crawler.Response, error)

func (f receiving) Fetch(_ context.Context, _ urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	return f(opt)
}

// A page that meets the ends of two sessions, with others between them, is not to blame.
func TestPageMeetsTheEndsOfSessions(t *testing.T) {
	web := &pages{}
	s := &site{}
	s.says = func(*crawler.Request) (*crawler.Response, error) { web.ended = false; return answer(200, "") }
	session := newSession(t, s, nil)
	if err := session.Begin(); err != nil {
		t.Fatal(err)
	}
	for i, raw := range []string{"https://a.example/1", "https://a.example/2", "https://a.example/1"} {
		if _, err := session.Fetcher(web).Fetch(t.Context(), parse("https://a.example/good"), crawler.FetchOptions{}); err != nil {
			t.Fatal(err)
		}
		web.ended = true
		resp, err := session.Fetcher(web).Fetch(t.Context(), parse(raw), crawler.FetchOptions{})
		session.work.Wait()
		if err != nil || len(resp.Header[crawler.HeaderLoggedOut]) == 0 {
			t.Errorf("time %d: %v, %v", i, resp, err)
		}
	}
}
