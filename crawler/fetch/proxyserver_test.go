package fetch

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// relay is a proxy over sockets. It reaches every name at one address, as it has
// names of its own.
type relay struct {
	url string
	to  string // where all names lead

	user, password string // that it wants, if any
	status         int    // that it answers instead of connecting, if any
	reply          byte   // of SOCKS, likewise
	mute           bool   // it never answers
	bare           bool   // SOCKS connects to the address that is asked for

	mu     sync.Mutex
	asked  []string // what was asked for: CONNECT host:port, GET URL, SOCKS host:port
	header http.Header
	open   sync.WaitGroup
	ended  context.Context
}

func (p *relay) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, what)
}

func (p *relay) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

// httpRelay serves as an http proxy, or with TLS as an https one.
func httpRelay(t testing.TB, p *relay, secure bool) *relay {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	p.ended = ctx
	s := httptest.NewUnstartedServer(p)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	p.url = s.URL
	t.Cleanup(func() { end(); s.CloseClientConnections(); s.Close(); p.open.Wait() })
	return p
}

func (p *relay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.note(r.Method + " " + r.RequestURI)
	p.mu.Lock()
	p.header = r.Header.Clone()
	p.mu.Unlock()
	if p.mute {
		<-p.ended.Done()
		return
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password))
	if p.user != "" && r.Header.Get("Proxy-Authorization") != want {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if p.status != 0 {
		w.WriteHeader(p.status)
		return
	}
	if r.Method != http.MethodConnect {
		out := r.Clone(r.Context())
		out.RequestURI, out.URL.Host = "", p.to
		out.Header.Del("Proxy-Authorization")
		resp, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
		return
	}
	there, err := net.Dial("tcp", p.to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	// What the client sends after the 200 must not fall to the server that answered.
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	p.join(here, there)
}

// join copies both ways until either ends, or the test.
func (p *relay) join(here, there net.Conn) {
	p.open.Add(2)
	stop := context.AfterFunc(p.ended, func() { here.Close(); there.Close() })
	copyTo := func(to, from net.Conn) {
		defer p.open.Done()
		_, _ = io.Copy(to, from)
		stop()
		to.Close()
		from.Close()
	}
	go copyTo(here, there)
	go copyTo(there, here)
}

// socksRelay serves as a SOCKS5 proxy (RFC 1928, RFC 1929).
func socksRelay(t testing.TB, p *relay) *relay {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	p.ended = ctx
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.url = "socks5://" + l.Addr().String()
	p.open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.open.Go(func() { p.serveSOCKS(conn) })
		}
	})
	t.Cleanup(func() { end(); l.Close(); p.open.Wait() })
	return p
}

func (p *relay) serveSOCKS(conn net.Conn) {
	stop := context.AfterFunc(p.ended, func() { conn.Close() })
	defer stop()
	read := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(conn, b); err != nil {
			return make([]byte, n)
		}
		return b
	}
	methods := string(read(int(read(2)[1])))
	switch {
	case p.user == "":
		_, _ = conn.Write([]byte{5, 0})
	case strings.Contains(methods, "\x02"):
		_, _ = conn.Write([]byte{5, 2})
		user := string(read(int(read(2)[1])))
		password := string(read(int(read(1)[0])))
		ok := user == p.user && password == p.password
		_, _ = conn.Write([]byte{1, map[bool]byte{true: 0, false: 1}[ok]})
		if !ok {
			conn.Close()
			return
		}
	default:
		_, _ = conn.Write([]byte{5, 0xff})
		conn.Close()
		return
	}
	host := ""
	switch head := read(4); head[3] {
	case 1:
		host = net.IP(read(4)).String()
	case 4:
		host = net.IP(read(16)).String()
	case 3:
		host = string(read(int(read(1)[0])))
	}
	port := binary.BigEndian.Uint16(read(2))
	addr := net.JoinHostPort(host, strconv.Itoa(int(port)))
	p.note("SOCKS " + addr)
	if p.mute {
		<-p.ended.Done()
		conn.Close()
		return
	}
	to := p.to
	if p.bare {
		to = addr
	}
	there, err := net.Dial("tcp", to)
	if p.reply != 0 || err != nil {
		_, _ = conn.Write([]byte{5, max(p.reply, 1), 0, 1, 0, 0, 0, 0, 0, 0})
		conn.Close()
		if there != nil {
			there.Close()
		}
		return
	}
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	p.join(conn, there)
}
