package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/time/rate"

	"github.com/amblecrawl/amble/crawler/monitor"
)

// Bounds of the server.
const (
	maxConns    = 512
	maxViewers  = 256 // who watch live
	maxBody     = 64 << 10
	maxHeader   = 16 << 10
	sendBuffer  = 64 << 10 // of a connection, in the kernel
	readIn      = 15 * time.Second
	writeIn     = 30 * time.Second
	idleFor     = 2 * time.Minute
	shutdownIn  = 5 * time.Second
	queryIn     = 5 * time.Second
	loginsAtOne = 10 // wrong tokens in a row; then one a second
)

// Server is a dashboard. Its methods are safe for concurrent use.
type Server struct {
	opt     Options
	handler http.Handler
	hub     *hub
	digests digests
	logins  *rate.Limiter
	looks   chan struct{} // a place for each query of the history
	reads   chan struct{} // a place for each look at a ledger
	trying  sync.Mutex    // held by a test of alerts
}

// New makes a dashboard.
func New(opt Options) *Server {
	opt.defaults()
	s := &Server{
		opt: opt, hub: newHub(), logins: rate.NewLimiter(1, loginsAtOne), looks: make(chan struct{}, 4), reads: make(chan struct{}, 1),
		digests: digests{known: map[string]digest{}},
	}
	s.handler = s.guarded(s.routes())
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers at a listener until ctx ends, and closes it. Who watches live is
// sent away then; other answers have five seconds to end.
func (s *Server) Serve(ctx context.Context, at net.Listener) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: readIn, ReadTimeout: readIn, WriteTimeout: writeIn, IdleTimeout: idleFor, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return serving },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if b, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
				_ = b.SetWriteBuffer(sendBuffer) // what a viewer who does not read can hold
			}
			return ctx
		},
		ErrorLog: slog.NewLogLogger(s.opt.Log.Handler(), slog.LevelInfo),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(netutil.LimitListener(at, maxConns)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownIn)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		_ = server.Close() // whoever is left has had his time
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// routes are all addresses. Those below /api are described in openapi.json.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range s.api() {
		mux.HandleFunc(pattern, handle)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", monitor.Metrics(s.opt.Board, s.standings))
	mux.HandleFunc("GET /assets/{name}", asset)

	mux.HandleFunc("GET /{$}", s.overviewPage)
	mux.HandleFunc("GET /crawls/{name}", s.crawlPage)
	mux.HandleFunc("GET /crawls/{name}/config", s.configPage)
	mux.HandleFunc("GET /crawls/{name}/host", s.hostPage)
	mux.HandleFunc("GET /runs/{number}", s.runPage)
	mux.HandleFunc("GET /login", s.loginPage)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.logout)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		s.nowhere(w, r, mux)
	})
}

// nowhere answers what no address takes: by which methods it would (RFC 9110 section
// 15.5.6), or that there is none.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		other := *r
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		s.fail(w, r, http.StatusNotFound, "there is no such page")
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.fail(w, r, http.StatusMethodNotAllowed, "this address is for "+strings.Join(allowed, " and "))
}

// ready tells whether the daemon can do its work: whether the history can be read, and
// takes what becomes of the crawls.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if _, err := s.list(r.Context(), oneRun); err != nil {
		s.opt.Log.Error("the history cannot be read", "error", err)
		say(w, http.StatusServiceUnavailable, "the history cannot be read\n")
		return
	}
	for _, c := range s.opt.Daemon.Status() {
		if c.Unkept == "" {
			continue
		}
		why := "the log says why" // anybody may ask
		if s.opt.Token == "" || s.holds(r) {
			why = clip(c.Unkept, 300)
		}
		say(w, http.StatusServiceUnavailable, "the history cannot be written to: "+why+"\n")
		return
	}
	say(w, http.StatusOK, "ok\n")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // who is gone needs no answer
}
