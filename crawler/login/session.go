package login

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Options shape a Session.
type Options struct {
	Steps []crawler.LinkFinder
	// Take reads values from the last answer; nil takes none.
	Take crawler.Extractor
	// Fields are sent to the hosts that the login is for.
	Fields []Field
	// Expect is what the last answer must show. Empty: it must not be an error, nor
	// show Again.
	Expect Sign
	// Again is what an answer shows when the session has ended.
	Again Sign
	// Covers tells which hosts the login is for, by host and port.
	Covers func(u urls.URL) bool
	// Attempts bounds logins in a row that fail for a while, and those that no good
	// answer follows.
	Attempts int
	// Most bounds the logins of a process.
	Most int
	// Send performs one exchange, politely, and waits for its turn. Its errors are
	// final unless they are a temporary *crawler.FetchError.
	Send  func(ctx context.Context, r *crawler.Request) (*crawler.Response, error)
	Clock crawler.Clock
	Log   *slog.Logger
}

// firstPause is the wait after a login that failed for a while, each twice the one
// before.
const firstPause = 5 * time.Second

// parked is how long a host is left alone until it is asked again whether a login has
// ended.
const parked = 250 * time.Millisecond

// Session is a crawl's being logged in. It is safe for concurrent use.
type Session struct {
	opt  Options
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex
	round  int         // the logins so far
	live   bool        // the last one holds
	header http.Header // to be sent
	good   bool        // an answer of this round was that of somebody logged in
	known  bool        // one of any round was
	vain   int         // logins in a row that no good answer followed
	failed error
	doubt
}

// New makes a session; nothing is sent. Close it.
func New(ctx context.Context, o Options) *Session {
	s := &Session{opt: o}
	s.ctx, s.stop = context.WithCancel(ctx)
	return s
}

// Close ends a login that is under way.
func (s *Session) Close() {
	s.stop()
	s.work.Wait()
}

// Begin logs in.
func (s *Session) Begin() error {
	s.enter()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// enter logs in, trying again what fails for a while.
func (s *Session) enter() {
	var (
		header http.Header
		err    error
	)
	for attempt := range s.opt.Attempts {
		if header, err = s.run(s.ctx); err == nil || !temporary(err) || attempt == s.opt.Attempts-1 {
			break
		}
		pause := firstPause << min(attempt, 6)
		s.opt.Log.Warn("a login failed for now", "error", err, "again_in", pause)
		select {
		case <-s.opt.Clock.After(pause):
		case <-s.ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round++
	switch {
	case err == nil:
		s.live, s.header, s.good = true, header, false
		s.begin(s.opt.Clock.Now())
		s.opt.Log.Info("logged in", "logins", s.round)
	case s.ctx.Err() != nil:
		s.failed = s.ctx.Err()
	default:
		s.failed = err
	}
}

func temporary(err error) bool {
	var fe *crawler.FetchError
	return errors.As(err, &fe) && fe.Temporary
}

// Waits is until when a host is to be left alone, as a login is under way, or
// the first request after one.
func (s *Session) Waits(u urls.URL) (until time.Time, why string) {
	if !u.IsHTTP() || !s.opt.Covers(u) {
		return time.Time{}, ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live && !s.alone || s.failed != nil {
		return time.Time{}, ""
	}
	return s.opt.Clock.Now().Add(parked), "a login is under way"
}

// state is what a request is to be sent with.
func (s *Session) state() (header http.Header, t turn, live bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	live = s.live && !s.alone
	if live && s.failed == nil {
		t = s.take()
	}
	return s.header, t, live, s.failed
}
