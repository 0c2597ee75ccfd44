package fetch

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/amblecrawl/amble/crawler"
)

// A server that breaks a reused connection instead of answering sees the
// request once. Sending it again is the frontier's to decide.
func TestABrokenConnectionIsNotARetry(t *testing.T) {
	var requests atomic.Int32
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/break" {
			requests.Add(1)
			c, _, _ := w.(http.Hijacker).Hijack()
			c.Close()
		}
	})
	f := newClient(t).Fetcher()
	for _, path := range []string{"/", "/break", "/", "/break"} {
		_, err := f.Fetch(context.Background(), parse(t, base+path), crawler.FetchOptions{})
		if path == "/break" {
			wantClass(t, err, crawler.ClassReset, true)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if requests.Load() != 2 {
		t.Errorf("the server saw %d requests, want 2", requests.Load())
	}
}

// The same without a race against the server: once a request is written, the
// next connection it is given cannot be written to any more.
func TestSingleClosesTheSecondConnection(t *testing.T) {
	writable := func(c net.Conn) bool { return c.SetDeadline(time.Time{}) == nil }
	for _, written := range []bool{false, true} {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		x := &exchange{stop: stop}
		second, peer := net.Pipe()
		defer second.Close()
		defer peer.Close()
		link := single{roundTrip(func(r *http.Request) (*http.Response, error) {
			trace := httptrace.ContextClientTrace(r.Context())
			trace.GotConn(httptrace.GotConnInfo{Conn: peer})
			if written {
				trace.WroteHeaders()
			}
			trace.GotConn(httptrace.GotConnInfo{Conn: second})
			return nil, errors.New("broken")
		})}
		req := httptest.NewRequest(http.MethodGet, "http://books.example/", nil)
		link.RoundTrip(req.WithContext(context.WithValue(ctx, exchangeKey{}, x)))
		if x.replayed.Load() != written || (ctx.Err() != nil) != written || writable(second) == written {
			t.Errorf("written %v: replayed %v, %v, writable %v", written, x.replayed.Load(), ctx.Err(), writable(second))
		}
	}
}

// net/http would send a request whose stream an HTTP/2 server resets up to
// six times more.
func TestAResetStreamIsNotARetry(t *testing.T) {
	for _, code := range []http2.ErrCode{http2.ErrCodeProtocol, http2.ErrCodeRefusedStream, http2.ErrCodeInternal} {
		var requests atomic.Int32
		base, trust := framed(t, func(f *http2.Framer, stream uint32) {
			requests.Add(1)
			f.WriteRSTStream(stream, code)
		})
		_, err := get(t, newClient(t, func(o *Options) { o.TLSConfig = trust }), base, crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassReset, true)
		if requests.Load() != 1 {
			t.Errorf("%v: the server saw %d requests", code, requests.Load())
		}
	}
}

// framed is an HTTP/2 server that does with each request what it is told to.
func framed(t *testing.T, answer func(f *http2.Framer, stream uint32)) (string, *tls.Config) {
	t.Helper()
	lender := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(lender.Close)
	conf := lender.TLS.Clone()
	conf.NextProtos = []string{"h2"}
	l, err := tls.Listen("tcp", "127.0.0.1:0", conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
					return
				}
				f := http2.NewFramer(c, bufio.NewReader(c))
				f.WriteSettings()
				for {
					frame, err := f.ReadFrame()
					if err != nil {
						return
					}
					if h, ok := frame.(*http2.HeadersFrame); ok {
						answer(f, h.StreamID)
					}
				}
			}()
		}
	}()
	return fmt.Sprintf("https://%s/", l.Addr()), lender.Client().Transport.(*http.Transport).TLSClientConfig
}

// Reading on to the end of the message keeps the connection, even when the
// end comes after a decoder has seen enough.
func TestConnectionOutlivesAnEncodedBody(t *testing.T) {
	body := encoders["deflate"]([]byte("hello"))
	var connections atomic.Int32
	base := hostile(t, func(c net.Conn) {
		connections.Add(1)
		r := bufio.NewReader(c)
		for {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body), body)
			// A reader that is not waiting for the rest has closed by now, or
			// loses the race and is found out by the next round.
			for range 20 {
				c.Write(nil)
			}
			saying("0\r\n\r\n")(c)
			if _, err := readRequest(r); err != nil {
				return
			}
		}
	})
	f := newClient(t).Fetcher()
	for range 20 {
		if _, err := f.Fetch(context.Background(), parse(t, base), crawler.FetchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if connections.Load() != 1 {
		t.Errorf("%d connections, want 1", connections.Load())
	}
}
