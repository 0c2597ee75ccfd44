package cmd

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/amblecrawl/amble/fixtures"
)

// scriptProxy serves an http proxy at $NAME, which writes what it is asked for into
// a file. It knows the hosts of the fixture web, which is served by then, by their names.
func scriptProxy(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 2, "proxy NAME FILE")
	p := &scriptedProxy{path: ts.MkAbs(args[1])}
	if web := *ts.Value(webKey{}).(**fixtures.Web); web != nil {
		p.resolve = web.Resolve()
	}
	s := httptest.NewServer(p)
	ts.Defer(s.Close)
	ts.Defer(s.CloseClientConnections)
	ts.Setenv(args[0], strings.TrimPrefix(s.URL, "http://"))
}

type scriptedProxy struct {
	mu      sync.Mutex
	path    string
	resolve map[string]string
}

func (p *scriptedProxy) note(r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := os.OpenFile(p.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	user, password, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
	fmt.Fprintf(f, "%s %s %s:%s %s\n", r.Method, r.RequestURI, user, password, r.Header.Get("X-Key"))
}

// ServeHTTP implements http.Handler.
func (p *scriptedProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.note(r)
	to := p.resolve[r.URL.Hostname()]
	if to == "" || r.Method == http.MethodConnect {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	out := r.Clone(r.Context())
	out.RequestURI, out.URL.Host = "", to
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
}
