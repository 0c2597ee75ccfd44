package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Every way in which a server fails its client, and the class it ends in.
func TestHostileServers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	tests := []struct {
		name      string
		talk      func(net.Conn)
		change    func(*Options)
		class     crawler.Class
		temporary bool
	}{
		{"closes without a word", func(net.Conn) {}, nil, crawler.ClassReset, true},
		{"resets", reset, nil, crawler.ClassReset, true},
		{"resets within the body", func(c net.Conn) {
			saying(ok + "Content-Length: 100\r\n\r\nhalf")(c)
			reset(c)
		}, nil, crawler.ClassReset, true},
		{"garbage", saying("\x00\x01\x02 what is this?\r\n\r\n"), nil, crawler.ClassProtocol, false},
		{"another protocol", saying("220 mail.example ESMTP\r\n"), nil, crawler.ClassProtocol, false},
		{"a header line without a colon", saying("HTTP/1.1 200 OK\r\nnothing\r\n\r\n"), nil, crawler.ClassProtocol, false},
		{"two lengths", saying(ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), nil, crawler.ClassProtocol, false},
		{"a length that is no number", saying(ok + "Content-Length: many\r\n\r\nabcd"), nil, crawler.ClassProtocol, false},
		{"unknown framing", saying(ok + "Transfer-Encoding: rot13\r\n\r\nabcd"), nil, crawler.ClassProtocol, false},
		{"a broken chunk", saying(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabcd\r\n"), nil, crawler.ClassProtocol, false},
		{"less than announced", saying(ok + "Content-Length: 100\r\n\r\nhalf"), nil, crawler.ClassTruncated, true},
		{"a chunk cut short", saying(ok + "Transfer-Encoding: chunked\r\n\r\n64\r\nhalf"), nil, crawler.ClassTruncated, true},
		{"no last chunk", saying(ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), nil, crawler.ClassTruncated, true},
		{"silence", hang, func(o *Options) { o.ResponseHeader = 50 * time.Millisecond }, crawler.ClassTimeout, true},
		{"half a header", func(c net.Conn) {
			saying(ok)(c)
			hang(c)
		}, func(o *Options) { o.ResponseHeader = 50 * time.Millisecond }, crawler.ClassTimeout, true},
		{"half a body", func(c net.Conn) {
			saying(ok + "Content-Length: 100\r\n\r\nhalf")(c)
			hang(c)
		}, func(o *Options) { o.IdleBody = 50 * time.Millisecond }, crawler.ClassTimeout, true},
		{"a trickle", func(c net.Conn) {
			saying(ok + "Content-Length: 100000\r\n\r\n")(c)
			for err := error(nil); err == nil; time.Sleep(5 * time.Millisecond) {
				_, err = c.Write([]byte("x"))
			}
		}, func(o *Options) { o.Timeout, o.IdleBody = 200*time.Millisecond, patient }, crawler.ClassTimeout, true},
		{"an endless header", func(c net.Conn) {
			saying(ok)(c)
			for i, err := 0, error(nil); err == nil; i++ {
				_, err = fmt.Fprintf(c, "X-%d: %s\r\n", i, strings.Repeat("y", 1000))
			}
		}, nil, crawler.ClassProtocol, false},
		{"an endless status line", endless("HTTP/1.1 200 "), nil, crawler.ClassProtocol, false},
		{"endless interim answers", endless("HTTP/1.1 103 Early Hints\r\n\r\n"), func(o *Options) { o.MaxHeader = 16 << 10 }, crawler.ClassProtocol, false},
		{"an endless body", func(c net.Conn) {
			saying(ok + "\r\n")(c)
			endless("more and ")(c)
		}, func(o *Options) { o.MaxBody = 1 << 20 }, crawler.ClassTooLarge, false},
		{"endless chunks", func(c net.Conn) {
			saying(ok + "Transfer-Encoding: chunked\r\n\r\n")(c)
			endless("5\r\nagain\r\n")(c)
		}, func(o *Options) { o.MaxBody = 64 << 10 }, crawler.ClassTooLarge, false},
		{"too long by its own account", func(c net.Conn) {
			saying(ok + "Content-Length: 10485761\r\n\r\n")(c)
			hang(c) // not a byte is needed to know
		}, nil, crawler.ClassTooLarge, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := hostile(t, tt.talk)
			c := newClient(t, func(o *Options) {
				if tt.change != nil {
					tt.change(o)
				}
			})
			_, err := get(t, c, base, crawler.FetchOptions{})
			fe := wantClass(t, err, tt.class, tt.temporary)
			if strings.Contains(fe.Error(), base) {
				t.Errorf("the error repeats the URL: %v", fe)
			}
		})
	}
}

func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

func endless(s string) func(net.Conn) {
	s = strings.Repeat(s, 200)
	return func(c net.Conn) {
		for err := error(nil); err == nil; {
			_, err = c.Write([]byte(s))
		}
	}
}

func TestRefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = get(t, newClient(t), "http://"+l.Addr().String(), crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassRefused, true)
}

func TestTLSFailures(t *testing.T) {
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, err := get(t, newClient(t), strings.Replace(plain, "http:", "https:", 1), crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassTLS, false)

	silent := hostile(t, hang)
	c := newClient(t, func(o *Options) { o.TLS = 50 * time.Millisecond })
	_, err = get(t, c, strings.Replace(silent, "http:", "https:", 1), crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassTimeout, true)
}

// Connections are kept: between fetchers, and after an encoded body.
func TestConnectionsAreReused(t *testing.T) {
	var remotes = map[string]bool{}
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		remotes[r.RemoteAddr] = true
		w.Header().Set("Content-Type", "text/plain")
		if enc := strings.TrimPrefix(r.URL.Path, "/"); enc != "" {
			w.Header().Set("Content-Encoding", enc)
			w.(http.Flusher).Flush() // chunked: the end is a message of its own
			w.Write(encoders[enc]([]byte("hello")))
			w.(http.Flusher).Flush()
		}
	})
	c := newClient(t)
	for _, path := range []string{"/", "/gzip", "/br", "/zstd", "/deflate", "/"} {
		mustGet(t, c, base+path, crawler.FetchOptions{})
	}
	if len(remotes) != 1 {
		t.Errorf("%d connections, want 1", len(remotes))
	}
}

var errPrivate = errors.New("a private address")

func TestDialControl(t *testing.T) {
	base := serve(t, func(http.ResponseWriter, *http.Request) {})
	port := base[strings.LastIndexByte(base, ':')+1:]
	deny := func(_, address string, _ syscall.RawConn) error {
		if strings.HasPrefix(address, "127.") {
			return fmt.Errorf("%s: %w", address, errPrivate)
		}
		return nil
	}
	lookup := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}, nil
	}
	c := newClient(t, func(o *Options) {
		o.DialControl, o.ErrPrivate, o.Lookup = deny, errPrivate, lookup
		o.Resolve = map[string]string{"books.example": "127.0.0.1:" + port}
	})
	for _, raw := range []string{base, "http://rebound.example:" + port + "/", "http://books.example/"} {
		_, err := get(t, c, raw, crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassPrivate, false)
	}
}

type marked struct{ error }

func (marked) PrivateAddress() bool { return true }

func TestPrivateAddressByMethod(t *testing.T) {
	c := newClient(t, func(o *Options) {
		o.DialControl = func(string, string, syscall.RawConn) error { return marked{errors.New("no")} }
	})
	_, err := get(t, c, "http://127.0.0.1:1/", crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassPrivate, false)
}

func TestRetryAfterOfAFailure(t *testing.T) {
	base := hostile(t, saying("HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 100\r\n\r\nhalf"))
	_, err := get(t, newClient(t), base, crawler.FetchOptions{})
	if fe := wantClass(t, err, crawler.ClassTruncated, true); fe.RetryAfter != 2*time.Minute {
		t.Errorf("RetryAfter = %v", fe.RetryAfter)
	}
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": 0, " 7 ": 7 * time.Second, "-1": 0, "soon": 0, "": 0, "99999999999999999999": 0,
		"Mon, 04 May 2026 03:03:01 GMT": time.Minute, "Mon, 04 May 2026 03:01:01 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}
