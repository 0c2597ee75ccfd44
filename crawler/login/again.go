package login

import (
	"fmt"
	"time"
)

// A page may show the sign because the session has ended, or whoever asks: it is the
// login page itself, or for others than us. Two things tell. A login that is needed
// helps: a page that showed the sign shows it no more. And a page that is asked for first
// of all after a login, and shows it again, does not do so because the session has ended.
const (
	// aside is for how long such a page lets others come, who may be no better.
	aside = 2 * time.Second
	// free are the logins in a row that may help no page, before the next one waits.
	free = 2
	// firstDoubt is that wait, since the login before, twice as long each time.
	firstDoubt = 10 * time.Second
	mostDoubt  = 10 * time.Minute
	// convincing is in how many sessions a page must do that.
	convincing = 2
)

// never is the wait for a page that is not to be asked for again.
const never time.Duration = -1

// maxShowing bounds the pages that are remembered to have shown the sign.
const maxShowing = 4096

// doubt is what is known of whether logins help.
type doubt struct {
	showing map[string]int // the pages that showed the sign when last asked for: how often as the first of a session
	spent   int            // requests of this session
	alone   bool           // the first of them is under way
	since   time.Time      // when it began
	helped  bool           // it helped a page
	useless int            // logins in a row that helped none
	own     int            // pages that showed the sign whoever asked
}

// begin is told of a login.
func (d *doubt) begin(now time.Time) { d.since, d.spent, d.alone, d.helped = now, 0, false, false }

// turn is a request's place in a session.
type turn struct {
	round int
	first bool
}

// take gives a request its turn. After a login anew it is the only one until it is over,
// so that nothing else has to do with what its answer shows.
func (s *Session) take() turn {
	s.spent++
	s.alone = s.spent == 1 && s.round > 1
	return turn{s.round, s.alone}
}

// over ends a request's turn.
func (s *Session) over(t turn) {
	if !t.first {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.round == s.round {
		s.alone = false
	}
}

// shows notes that a page showed the sign, and reports in how many sessions it did so
// first of all, after a login that it had asked for.
func (d *doubt) shows(page string, first bool) int {
	if d.showing == nil || len(d.showing) >= maxShowing {
		d.showing = map[string]int{}
	}
	n, before := d.showing[page]
	if before && first {
		n++
	}
	d.showing[page] = n
	return n
}

// met tells of an answer that did not show the sign.
func (s *Session) met(page string, t turn, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.round != s.round {
		return
	}
	if _, ok := s.showing[page]; ok {
		delete(s.showing, page)
		s.helped, s.useless = true, 0
	}
	if status/100 == 2 {
		s.good, s.known, s.vain = true, true, 0
	}
}

// ended tells that an answer showed the sign. It returns how long the page is to be left
// alone until it is asked for again, or never.
func (s *Session) ended(page string, t turn) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	sessions := s.shows(page, t.first)
	// Where there are such pages one session is enough to tell; where no page was
	// ever good none is.
	convinced := s.known && (sessions >= convincing || sessions > 0 && s.own > 0)
	switch {
	case convinced && (s.good || !t.first):
		delete(s.showing, page)
		s.own++
		return never
	case s.failed != nil || !s.live || t.round != s.round:
		return 0 // others have seen it before
	case convinced:
		return aside // others are to be asked for first
	}
	useless := s.useless
	if !s.helped && s.round > 1 {
		useless++
	}
	switch {
	case !s.good && s.known && sessions > 0: // it may be the page
	case !s.good:
		s.vain++
	case useless > free:
		pause := min(firstDoubt<<min(useless-free-1, 10), mostDoubt)
		if left := s.since.Add(pause).Sub(s.opt.Clock.Now()); left > 0 {
			s.opt.Log.Info("a page shows that nobody is logged in, and the last logins helped no such page", "page", page, "again_in", left)
			return left
		}
	}
	switch {
	case s.vain >= s.opt.Attempts:
		s.failed = fmt.Errorf("%w: after %d logins in a row the next answer shows that nobody is logged in, the last from %s", ErrRefused, s.vain, page)
		return 0
	case s.round >= s.opt.Most:
		s.failed = fmt.Errorf("%w: %d logins in one run are what login.most allows", ErrRefused, s.round)
		return 0
	}
	s.useless, s.live = useless, false
	s.opt.Log.Info("the session has ended; logging in again", "page", page)
	s.work.Go(s.enter)
	return 0
}
