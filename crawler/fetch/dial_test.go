package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

func TestResolveOverrides(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.Host)) })
	addr := strings.TrimPrefix(base, "http://")
	c := newClient(t, func(o *Options) {
		o.Resolve = map[string]string{
			"Books.example": addr, "books.example:81": "127.0.0.1:1", "news.example:8080": addr,
			"[2001:DB8:0::1]": addr, "Bücher.example": addr,
		}
		o.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("not asked") }
	})
	for raw, host := range map[string]string{
		"http://books.example/": "books.example", "http://news.example:8080/": "news.example:8080",
		"http://books.example:8443/": "books.example:8443", "http://[2001:db8::1]/": "[2001:db8::1]",
		"http://[2001:db8::1]:81/": "[2001:db8::1]:81", "http://xn--bcher-kva.example:99/": "xn--bcher-kva.example:99",
	} {
		if got := string(mustGet(t, c, raw, crawler.FetchOptions{}).Body); got != host {
			t.Errorf("%s: the server saw host %q", raw, got)
		}
	}
	_, err := get(t, c, "http://news.example/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassDNS, true)
	// The key with the port is nearer than the one without.
	_, err = get(t, c, "http://books.example:81/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassRefused, true)
}

// A name with a dead address in front of a live one still answers.
func TestDialFallsThrough(t *testing.T) {
	base := serve(t, func(http.ResponseWriter, *http.Request) {})
	port := base[strings.LastIndexByte(base, ':')+1:]
	var dials atomic.Int32
	c := newClient(t, func(o *Options) {
		o.Lookup = func(context.Context, string) ([]netip.Addr, error) {
			dials.Add(1)
			return []netip.Addr{netip.MustParseAddr("127.0.0.9"), netip.MustParseAddr("127.0.0.1")}, nil
		}
	})
	mustGet(t, c, "http://two.example:"+port, crawler.FetchOptions{})
	if dials.Load() != 1 {
		t.Errorf("asked %d times", dials.Load())
	}
	// All dead: their error, and the name is asked again next time.
	for range 2 {
		_, err := get(t, c, "http://dead.example:1/", crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassRefused, true)
	}
	if dials.Load() != 3 {
		t.Errorf("asked %d times, want 3", dials.Load())
	}
}

func TestInterleave(t *testing.T) {
	var in []netip.Addr
	for _, s := range []string{"::1", "::2", "::3", "127.0.0.1", "127.0.0.2", "::4", "::5", "::6"} {
		in = append(in, netip.MustParseAddr(s))
	}
	if got := fmt.Sprint(interleave(in)); got != "[::1 127.0.0.1 ::2 127.0.0.2 ::3 ::4]" {
		t.Errorf("got %s", got)
	}
}

// clock stands still until it is moved.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func newCache(t *testing.T, now func() time.Time, ask func(context.Context, string) ([]netip.Addr, error)) *dnsCache {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return &dnsCache{ask: ask, now: now, ctx: ctx, known: map[string]dnsAnswer{}}
}

func TestDNSAnswersExpire(t *testing.T) {
	var clk clock
	var asked int
	answers := map[string]error{
		"there.example": nil,
		"gone.example":  &net.DNSError{Err: "no such host", IsNotFound: true},
		"sick.example":  &net.DNSError{Err: "server misbehaving", IsTemporary: true},
	}
	c := newCache(t, clk.now, func(_ context.Context, host string) ([]netip.Addr, error) {
		asked++
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, answers[host]
	})
	for host, keep := range map[string]time.Duration{
		"there.example": dnsFound, "gone.example": dnsNotFound, "sick.example": dnsFailed,
	} {
		asked = 0
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {0, 1}, {keep - 1, 1}, {1, 2}, {keep - 1, 2}} {
			clk.advance(step.wait)
			_, err := c.lookup(context.Background(), host)
			if (err != nil) != (answers[host] != nil) {
				t.Fatalf("%s: %v", host, err)
			}
			if asked != step.want {
				t.Errorf("%s: asked %d times, want %d", host, asked, step.want)
			}
		}
	}
}

func TestDNSAsksOnce(t *testing.T) {
	var asked atomic.Int32
	release := make(chan struct{})
	c := newCache(t, time.Now, func(context.Context, string) ([]netip.Addr, error) {
		asked.Add(1)
		<-release
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	})
	// The first to ask gives up; the lookup goes on for the others.
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.lookup(gone, "one.example"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if ips, err := c.lookup(context.Background(), "one.example"); err != nil || len(ips) != 1 {
				t.Errorf("got %v, %v", ips, err)
			}
		})
	}
	close(release)
	wg.Wait()
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestDNSCacheIsBounded(t *testing.T) {
	c := newCache(t, time.Now, func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	})
	for i := range dnsEntries + 100 {
		c.remember(fmt.Sprintf("h%d.example", i), dnsAnswer{until: time.Now().Add(time.Hour)})
	}
	if len(c.known) != dnsEntries {
		t.Errorf("%d entries, want %d", len(c.known), dnsEntries)
	}
}

func TestDNSFailures(t *testing.T) {
	for _, tt := range []struct {
		err       error
		temporary bool
	}{
		{&net.DNSError{Err: "no such host", IsNotFound: true}, false},
		{&net.DNSError{Err: "server misbehaving", IsTemporary: true}, true},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, true},
		{context.DeadlineExceeded, true},
		{nil, false}, // a name without an address
	} {
		c := newClient(t, func(o *Options) {
			o.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, tt.err }
		})
		_, err := get(t, c, "http://nowhere.example/", crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassDNS, tt.temporary)
	}
}

// Where no file can be opened nothing is sent, and the host is not to blame;
// what a server says does not pass for that.
func TestTooManyOpenFiles(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {})
	for name, c := range map[string]*Client{
		"socket": newClient(t, func(o *Options) {
			o.DialControl = func(string, string, syscall.RawConn) error { return os.NewSyscallError("socket", syscall.EMFILE) }
		}),
		"resolver": newClient(t, func(o *Options) {
			o.Lookup = func(context.Context, string) ([]netip.Addr, error) {
				return nil, &net.DNSError{Err: "dial udp 127.0.0.1:53: socket: too many open files", Name: "books.example"}
			}
		}),
	} {
		target := base
		if name == "resolver" {
			target = "http://books.example/"
		}
		if _, err := get(t, c, target, crawler.FetchOptions{}); !errors.Is(err, crawler.ErrShort) || !errors.Is(err, crawler.ErrNotSent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rude := hostile(t, saying("HTTP/1.1 too many open files\r\n\r\n"))
	if _, err := get(t, newClient(t), rude, crawler.FetchOptions{}); err == nil || errors.Is(err, crawler.ErrShort) {
		t.Errorf("a server that speaks of open files: %v", err)
	}
}
