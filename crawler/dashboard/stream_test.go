package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/amblecrawl/amble/crawler/daemon"
)

func TestStream(t *testing.T) {
	w := newWorld(t, nil)
	web := httptest.NewServer(w)
	defer web.Close()
	get, err := web.Client().Get(web.URL + "/api/v1/crawls/books/events")
	if err != nil {
		t.Fatal(err)
	}
	defer get.Body.Close()
	if kind := get.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatal(kind)
	}
	var first, now Watched
	stopped := false
	for lines := bufio.NewScanner(get.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if err := json.Unmarshal([]byte(data), &now); err != nil {
			t.Fatal(err)
		}
		if first.State == "" {
			first = now
		}
		if !stopped {
			stopped = true
			expect(t, "stop", w.ask("POST", "/api/v1/crawls/books/stop"), 202)
		}
		if now.State != "running" {
			break
		}
	}
	if first.State != "running" || first.Live == nil || first.Live.Pages < 1234 || now.State != "manual" || now.Version == first.Version {
		t.Errorf("first %+v, then %+v", first, now)
	}
	expect(t, "a crawl that is not there", w.ask("GET", "/api/v1/crawls/nobody/events"), 404)
}

// Whoever watches the same thing is shown one look at it; when nobody is left nobody
// looks.
func TestViewersShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		var looks atomic.Int64
		look := func() []byte { return []byte(fmt.Sprint(looks.Add(1))) }
		var viewers []*viewer
		var leaves []func()
		for range maxViewers {
			v, leave, ok := h.join("a", time.Second, look)
			if !ok {
				t.Fatal("refused")
			}
			viewers, leaves = append(viewers, v), append(leaves, leave)
		}
		if _, _, ok := h.join("a", time.Second, look); ok {
			t.Error("there is no bound")
		}
		time.Sleep(10*time.Second + time.Millisecond)
		if n := looks.Load(); n != 11 {
			t.Errorf("%d looks in ten seconds", n)
		}
		for _, v := range viewers { // none has read anything yet
			if got := string(<-v.next); got != "11" || len(v.next) != 0 {
				t.Fatalf("%s, and %d more", got, len(v.next))
			}
		}
		for _, leave := range leaves {
			leave()
			leave() // once more does nothing
		}
		time.Sleep(10 * time.Second)
		if n := looks.Load(); n > 12 || h.viewers != 0 || len(h.topics) != 0 {
			t.Errorf("%d looks, %d viewers, %d topics", n, h.viewers, len(h.topics))
		}
	})
}

// pipes are connections without a buffer: what nobody reads does not leave.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { close(p.conns); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A viewer who never reads is dropped in time.
func TestWhoDoesNotReadIsDropped(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := New(Options{Configs: func() []Config { return nil }, Daemon: idle{}, Hosts: []string{"x"}})
	synctest.Test(t, func(t *testing.T) {
		s.hub = newHub() // of this bubble
		at := pipes{make(chan net.Conn)}
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- s.Serve(ctx, at) }()
		ours, theirs := net.Pipe()
		at.conns <- theirs
		fmt.Fprint(ours, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		synctest.Wait()
		time.Sleep(readAllIn + time.Second)
		synctest.Wait()
		s.hub.mu.Lock()
		if s.hub.viewers != 0 {
			t.Errorf("%d viewers are still there", s.hub.viewers)
		}
		s.hub.mu.Unlock()
		_ = ours.Close()
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

// idle is a daemon without crawls.
type idle struct{ Daemon }

func (idle) Status() []daemon.Status { return nil }
