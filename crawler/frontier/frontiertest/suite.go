package frontiertest

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Harness is one empty state and the means to open and to crash it.
type Harness struct {
	// Open opens the state, again after a Close or a Crash, with Clock as its
	// clock.
	Open  func() (crawler.Frontier, error)
	Clock *Clock
	// Crash runs during and cuts the power at the given write within it, or at
	// its end when it writes less; then the state is what had reached the disk
	// and perhaps some of what had not, by seed. What is open afterwards is
	// abandoned: Crash frees it. mid says that the cut came before the end.
	Crash func(during func(), write int, seed uint64) (mid bool)
	// MaxHosts bounds the hosts that can have leases out; zero means no bound.
	MaxHosts int
	// Close frees what the harness holds.
	Close func()
}

// watchdog ends a test whose frontier does not answer. It decides nothing else.
const watchdog = 30 * time.Second

// Run runs the suite; fresh makes an empty state each time.
func Run(t *testing.T, fresh func() Harness) {
	t.Run("Properties", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			h := fresh()
			defer h.Close()
			m := newMachine(t, h)
			defer m.close()
			t.Repeat(map[string]func(*rapid.T){
				"":          m.check,
				"commit":    m.commit,
				"seed":      m.seed,
				"lease":     m.lease,
				"leaseMore": m.lease,
				"free":      m.free,
				"giveBack":  m.giveBack,
				"lost":      m.lost,
				"advance":   m.advance,
				"wake":      m.wake,
				"reopen":    m.reopen,
				"crash":     m.crash,
			})
			m.drain(t)
		})
	})
	t.Run("Turns", func(t *testing.T) { turns(t, fresh()) })
	t.Run("Cancelled", func(t *testing.T) { cancelled(t, fresh()) })
	t.Run("RetryWakes", func(t *testing.T) { retryWakes(t, fresh()) })
	t.Run("Together", func(t *testing.T) { together(t, fresh()) })
	t.Run("Details", func(t *testing.T) { details(t, fresh()) })
}

func request(t fataler, raw string) crawler.Request {
	u, err := urls.Parse(raw)
	if err != nil {
		t.Fatalf("parsing %s: %v", raw, err)
	}
	return crawler.Request{URL: u, Key: (&urls.Canon{}).Key(u)}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func open(t fataler, h Harness) crawler.Frontier {
	f, err := h.Open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return f
}

// turns: ready hosts take turns, however many requests each has queued.
func turns(t *testing.T, h Harness) {
	defer h.Close()
	f := open(t, h)
	defer func() { _ = f.Close() }()
	hosts := 5
	if h.MaxHosts > 0 {
		hosts = min(hosts, h.MaxHosts)
	}
	b := &crawler.Batch{Hosts: map[string]crawler.HostState{}}
	for i := range hosts {
		for j := range 20 {
			b.Found = append(b.Found, request(t, fmt.Sprintf("https://h%d.example/%d", i, j)))
		}
		b.Hosts[fmt.Sprintf("https://h%d.example", i)] = crawler.HostState{Concurrency: 50}
	}
	if _, err := f.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for range 8 * hosts {
		ls, err := f.Lease(t.Context(), 1)
		if err != nil || len(ls) != 1 {
			t.Fatalf("lease: %v, %v", ls, err)
		}
		count[ls[0].Host()]++
	}
	for host, n := range count {
		if n != 8 {
			t.Errorf("%s was leased %d times of %d, want 8 each of %d hosts", host, n, 8*hosts, hosts)
		}
	}
}

// cancelled: a Lease with nothing to give ends with its context.
func cancelled(t *testing.T, h Harness) {
	defer h.Close()
	f := open(t, h)
	defer func() { _ = f.Close() }()
	if ls, err := f.Lease(t.Context(), 1); err != crawler.ErrDrained {
		t.Fatalf("an empty frontier leased %v, %v", ls, err)
	}
	r := request(t, "https://h.example/")
	if _, err := f.Commit(t.Context(), &crawler.Batch{Found: []crawler.Request{r}}); err != nil {
		t.Fatal(err)
	}
	if ls, err := f.Lease(t.Context(), 3); err != nil || len(ls) != 1 {
		t.Fatalf("lease: %v, %v", ls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := f.Lease(ctx, 1)
		done <- err
	}()
	cancel()
	select {
	case err := <-done:
		if err != context.Canceled {
			t.Fatalf("got %v", err)
		}
	case <-time.After(watchdog):
		t.Fatal("Lease outlived its context")
	}
}

// retryWakes: a Lease that waits for nothing but a retry is woken by its time.
func retryWakes(t *testing.T, h Harness) {
	defer h.Close()
	f := open(t, h)
	defer func() { _ = f.Close() }()
	r := request(t, "https://h.example/")
	if _, err := f.Commit(t.Context(), &crawler.Batch{Found: []crawler.Request{r}}); err != nil {
		t.Fatal(err)
	}
	for attempt := range uint8(20) {
		ctx, cancel := context.WithTimeout(t.Context(), watchdog)
		ls, err := f.Lease(ctx, 1)
		cancel()
		if err != nil || len(ls) != 1 || ls[0].Attempt != attempt {
			t.Fatalf("attempt %d: %v, %v", attempt, ls, err)
		}
		if _, err := f.Commit(t.Context(), &crawler.Batch{Outcomes: []crawler.Outcome{{
			Lease: ls[0].ID, Key: r.Key, Host: r.Host(), Disposition: crawler.Retry,
			NotBefore: h.Clock.Now().Add(time.Second), Class: crawler.ClassTimeout,
		}}}); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(briefly) // so that Lease waits by then, more often than not
			h.Clock.Advance(time.Second)
		}()
	}
}

// details: what a request carries comes back, and so does its end's reason.
func details(t *testing.T, h Harness) {
	defer h.Close()
	f := open(t, h)
	r := request(t, "https://h.example:8443/a%20b/?q=%C3%BC&x")
	r.Kind, r.Depth, r.Priority, r.Hops, r.Attempt = crawler.KindSitemap, 65535, 255, 7, 3
	r.Requested, r.Referrer = "http://old.example/a?b#c", urls.Key{1, 2, 3}
	r.Call = &crawler.Call{Method: "POST", Header: http.Header{"Content-Type": {"text/plain"}}, Body: "\x00\xff", Repeat: true}
	r.Carry, r.Types = everyValue, []string{"book", "review"}
	if _, err := f.Commit(t.Context(), &crawler.Batch{Found: []crawler.Request{r}}); err != nil {
		t.Fatal(err)
	}
	ls, err := f.Lease(t.Context(), 1)
	if err != nil || len(ls) != 1 || !reflect.DeepEqual(ls[0].Request, r) {
		t.Fatalf("leased %+v, %v; want %+v", ls, err, r)
	}
	long := "an umlaut at the cut: " + string(make([]byte, 177)) + "ü and more"
	out := crawler.Outcome{Lease: ls[0].ID, Key: r.Key, Host: r.Host(), Class: crawler.ClassHTTP4xx, Status: 404, Detail: long}
	if _, err := f.Commit(t.Context(), &crawler.Batch{Outcomes: []crawler.Outcome{out}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = open(t, h)
	defer func() { _ = f.Close() }()
	s, err := f.Lookup(r.Host(), r.Key)
	if err != nil || s.State != "settled" || s.Class != out.Class || s.Status != 404 || s.Attempt != 3 || s.Detail != long[:199] {
		t.Fatalf("standing %+v, %v", s, err)
	}
	if s, err := f.Lookup("https://other.example", r.Key); err != nil || s.State != "unknown" {
		t.Fatalf("standing %+v, %v", s, err)
	}
}
