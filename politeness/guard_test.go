package politeness

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// guarded is a server, and a client behind the guard of a gate whose pauses
// only move its clock.
type guarded struct {
	*httptest.Server
	gate   *Gate
	clock  *fakeClock
	client *http.Client

	mu     sync.Mutex
	seen   []string
	pauses []time.Duration
}

func newGuarded(t *testing.T, p Policy, h http.HandlerFunc) *guarded {
	t.Helper()
	s := &guarded{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.URL.String())
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	p.IgnoreRobots = true
	s.gate, s.clock = newTestGate(p, Options{})
	s.gate.pause = func(ctx context.Context, d time.Duration) error {
		s.mu.Lock()
		s.pauses = append(s.pauses, d)
		s.mu.Unlock()
		s.clock.add(d)
		return ctx.Err()
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: s.gate.Guard(transport)}
	return s
}

func (s *guarded) get(t *testing.T, grant *Grant, url string) (*http.Response, error) {
	t.Helper()
	ctx := t.Context()
	if grant != nil {
		ctx = WithGrant(ctx, grant)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.client.Do(req)
}

func (s *guarded) grant(t *testing.T, path string) *Grant {
	t.Helper()
	return expect(t, s.gate.Decide(s.URL, s.URL+path), Go).Grant
}

func (s *guarded) refused(t *testing.T, why string, resp *http.Response, err error) {
	t.Helper()
	if resp != nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, ErrNotGranted) {
		t.Errorf("%s: %v", why, err)
	}
}

func TestGuardRefusesWhatWasNotGranted(t *testing.T) {
	s := newGuarded(t, Policy{}, func(http.ResponseWriter, *http.Request) {})
	resp, err := s.get(t, nil, s.URL+"/a")
	s.refused(t, "no grant", resp, err)

	grant := s.grant(t, "/a")
	for _, path := range []string{"/b", "/a?x", "/a/", ""} {
		resp, err = s.get(t, grant, s.URL+path)
		s.refused(t, "another URL", resp, err)
	}
	req, _ := http.NewRequestWithContext(WithGrant(t.Context(), grant), http.MethodGet, s.URL+"/a", nil)
	req.Host = "other.example"
	resp, err = s.client.Do(req)
	s.refused(t, "another host", resp, err)

	other, _ := newTestGate(Policy{IgnoreRobots: true}, Options{})
	resp, err = s.get(t, other.Decide(s.URL, s.URL+"/a").Grant, s.URL+"/a")
	s.refused(t, "another gate's grant", resp, err)
	if len(s.seen) != 0 {
		t.Fatalf("the server saw %q", s.seen)
	}

	resp, err = s.get(t, grant, s.URL+"/a#fragment")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	resp, err = s.get(t, grant, s.URL+"/a")
	s.refused(t, "used up", resp, err)
	grant.Done(Result{Status: 200})

	grant = s.grant(t, "/c")
	grant.Cancel()
	resp, err = s.get(t, grant, s.URL+"/c")
	s.refused(t, "cancelled", resp, err)
	if strings.Join(s.seen, " ") != "/a" {
		t.Errorf("the server saw %q", s.seen)
	}
}

func TestGuardRefusesRedirectsThatTheClientFollows(t *testing.T) {
	s := newGuarded(t, Policy{}, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/next", http.StatusFound) })
	resp, err := s.get(t, s.grant(t, "/a"), s.URL+"/a")
	s.refused(t, "redirect", resp, err)
	if strings.Join(s.seen, " ") != "/a" {
		t.Errorf("the server saw %q", s.seen)
	}
}

func TestGuardMarksStartAndEnd(t *testing.T) {
	s := newGuarded(t, Policy{Delay: 10 * time.Second}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "body") })
	for name, finish := range map[string]func(io.ReadCloser){
		"read to its end": func(b io.ReadCloser) { _, _ = io.ReadAll(b) },
		"closed":          func(b io.ReadCloser) { _ = b.Close() },
	} {
		grant := s.grant(t, "/a")
		s.clock.add(time.Minute) // between the grant and its use
		resp, err := s.get(t, grant, s.URL+"/a")
		if err != nil {
			t.Fatal(err)
		}
		if x := s.gate.Explain(s.URL, s.URL+"/a"); x.InFlight != 1 {
			t.Errorf("%s: %d in flight before the body was read", name, x.InFlight)
		}
		s.clock.add(time.Second)
		finish(resp.Body)
		s.clock.add(3 * time.Second) // the page is worked on
		w := expect(t, s.gate.Decide(s.URL, s.URL+"/b"), Wait)
		if got := w.Until.Sub(s.clock.now()); got != 7*time.Second {
			t.Errorf("%s: owes %v from the end of the body, want 7s", name, got)
		}
		_ = resp.Body.Close()
		grant.Done(Result{Status: 200})
		s.clock.add(7 * time.Second)
	}
}

// An answer without a body has ended when it is there.
func TestGuardEndsWhatHasNoBody(t *testing.T) {
	s := newGuarded(t, Policy{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	grant := s.grant(t, "/")
	resp, err := s.get(t, grant, s.URL+"/")
	if err != nil {
		t.Fatal(err)
	}
	if grant.stage != ended {
		t.Error("the request is still under way")
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestGuardBooksRetryAfterBeforeDone(t *testing.T) {
	s := newGuarded(t, Policy{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	grant := s.grant(t, "/a")
	resp, err := s.get(t, grant, s.URL+"/a")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if w := expect(t, s.gate.Decide(s.URL, s.URL+"/b"), Wait); w.By != ByRetryAfter {
		t.Errorf("by %q", w.By)
	}
	grant.Done(Result{Status: resp.StatusCode, Header: resp.Header})
	if x := s.gate.Explain(s.URL, s.URL+"/"); x.Strikes != 1 {
		t.Errorf("one answer was booked %d times", x.Strikes)
	}
}

func TestGuardFreesTheSlotOfAFailedRequest(t *testing.T) {
	s := newGuarded(t, Policy{}, nil)
	s.Close()
	grant := s.grant(t, "/a")
	resp, err := s.get(t, grant, s.URL+"/a")
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("a closed server answers")
	}
	if x := s.gate.Explain(s.URL, s.URL+"/"); x.InFlight != 0 {
		t.Errorf("%d in flight", x.InFlight)
	}
	grant.Done(Result{Err: err})
}

func TestGuardWaitsWhereAnotherResponseEndedMeanwhile(t *testing.T) {
	s := newGuarded(t, Policy{Delay: time.Second, Concurrency: 2}, func(http.ResponseWriter, *http.Request) {})
	first := s.grant(t, "/1")
	if _, err := first.Begin(); err != nil {
		t.Fatal(err)
	}
	s.clock.add(time.Second)
	second := s.grant(t, "/2")
	first.Done(Result{Status: 200})
	resp, err := s.get(t, second, s.URL+"/2")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if len(s.pauses) != 1 || s.pauses[0] != time.Second {
		t.Errorf("pauses %v, want one of 1s", s.pauses)
	}
}

// net/http sends a GET again when a connection that was used before breaks
// under it. The server sees two requests; the delay lies between them.
func TestGuardSpacesRepeatedRequests(t *testing.T) {
	broken := false
	s := newGuarded(t, Policy{Delay: 5 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/2" && !broken {
			broken = true
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.(*net.TCPConn).Close()
			}
		}
	})
	for _, path := range []string{"/1", "/2"} {
		grant := s.grant(t, path)
		resp, err := s.get(t, grant, s.URL+path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		grant.Done(Result{Status: 200})
		s.clock.add(5 * time.Second)
	}
	if strings.Join(s.seen, " ") != "/1 /2 /2" {
		t.Skipf("net/http did not repeat the request: %q", s.seen)
	}
	if len(s.pauses) != 1 || s.pauses[0] != 5*time.Second {
		t.Errorf("pauses %v, want one of 5s", s.pauses)
	}
}

// Many goroutines at once, each doing as it is told: the server never sees two
// requests of the host together.
func TestGuardUnderRace(t *testing.T) {
	var mu sync.Mutex
	together, most := 0, 0
	s := newGuarded(t, Policy{}, func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		together++
		most = max(most, together)
		mu.Unlock()
		mu.Lock()
		together--
		mu.Unlock()
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				d := s.gate.Decide(s.URL, s.URL+"/")
				if d.Action != Go {
					continue
				}
				resp, err := s.get(t, d.Grant, s.URL+"/")
				if err != nil {
					t.Error(err)
					d.Grant.Cancel()
					continue
				}
				_, _ = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				d.Grant.Done(Result{Status: resp.StatusCode})
			}
		})
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d requests at once", most)
	}
}
