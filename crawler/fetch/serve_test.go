package fetch

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient bounds are never reached by a test that expects an answer.
const patient = 20 * time.Second

// newClient makes a client that is closed with the test.
func newClient(t testing.TB, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{UserAgent: "testbot/1.0 (+https://me.example/bot)", Timeout: patient, Workers: 4}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func parse(t testing.TB, raw string) urls.URL {
	t.Helper()
	u, err := urls.Parse(raw)
	if err != nil {
		t.Fatalf("parsing %q: %v", raw, err)
	}
	return u
}

func get(t testing.TB, c *Client, raw string, opt crawler.FetchOptions) (*crawler.Response, error) {
	t.Helper()
	return c.Fetcher().Fetch(context.Background(), parse(t, raw), opt)
}

func mustGet(t testing.TB, c *Client, raw string, opt crawler.FetchOptions) *crawler.Response {
	t.Helper()
	resp, err := get(t, c, raw, opt)
	if err != nil {
		t.Fatalf("fetching %s: %v", raw, err)
	}
	return resp
}

// serve answers with handler; the server ends with the test.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

// hostile accepts connections and lets each talk after one request was read
// from it, unparsed. The connection is closed when talk returns or the test
// ends.
func hostile(t testing.TB, talk func(c net.Conn)) string {
	t.Helper()
	return eavesdrop(t, func(c net.Conn, _ string) { talk(c) })
}

// eavesdrop is hostile for talks that want to see the request.
func eavesdrop(t testing.TB, talk func(c net.Conn, request string)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu     sync.Mutex
		open   = map[net.Conn]bool{}
		closed bool
		wg     sync.WaitGroup
	)
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		closed = true
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if closed {
				c.Close()
			}
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				if request, err := readRequest(bufio.NewReader(c)); err == nil {
					talk(c, request)
				}
			})
		}
	})
	return "http://" + l.Addr().String()
}

// readRequest reads to the empty line after a request's header.
func readRequest(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			return b.String(), err
		}
		b.WriteString(line)
	}
}

// saying writes and closes.
func saying(s string) func(net.Conn) {
	return func(c net.Conn) { c.Write([]byte(s)) }
}

// hang keeps a connection open and silent until the other side gives up.
func hang(c net.Conn) {
	var b [1]byte
	for {
		if _, err := c.Read(b[:]); err != nil {
			return
		}
	}
}

// wantClass checks the error that a fetch ended in.
func wantClass(t *testing.T, err error, class crawler.Class, temporary bool) *crawler.FetchError {
	t.Helper()
	var fe *crawler.FetchError
	if !errors.As(err, &fe) {
		t.Fatalf("got error %v, want a FetchError of class %s", err, class)
	}
	if fe.Class != class || fe.Temporary != temporary {
		t.Fatalf("got class %s, temporary %v (%v), want %s, %v", fe.Class, fe.Temporary, fe.Err, class, temporary)
	}
	return fe
}
