package politeness

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

// SiteFile is a file that a host may have beside its robots.txt, in which it
// states what may be done with its pages, such as /.well-known/tdmrep.json. It
// is fetched as robots.txt is: once, after robots.txt and before the first page
// that robots.txt allows, within the host's delay, and kept as long as its answer
// says, from 5 minutes to 24 hours. Other than robots.txt it is subject to
// robots.txt, and is not followed to another host.
type SiteFile struct {
	// Path of the file, from "/" on.
	Path string
	// Read makes of an answer what Decision.File returns, and says how many octets
	// of memory that takes. It must not keep the answer's body.
	Read func(a SiteAnswer) (digest any, size int)
}

// SiteAnswer is what came of asking for a SiteFile: the status, 2xx or 4xx, and
// the body of a 2xx; or why there is none.
type SiteAnswer struct {
	Status      int
	ContentType string
	// Body has at most robots.MaxSize octets, and Cut says that there were more.
	Body []byte
	Cut  bool
	// Problem says, for people, why the file could not be had: it was asked for
	// without success Policy.RobotsTries times, robots.txt disallows it, or
	// redirects lead nowhere. Elsewhere says that they lead to another host.
	Problem   string
	Elsewhere bool
}

// siteState is where an origin stands with its SiteFile.
type siteState struct {
	copy     *siteCopy
	fetching bool
	hops     uint8
	failures int
	retryAt  time.Time
	cause    string
	target   string // of the next fetch after a redirect, else ""
}

// siteCopy is what is known of one, until it is to be asked for again.
type siteCopy struct {
	digest any
	size   int
	until  time.Time
}

func (s *siteState) fresh(now time.Time) bool {
	return s != nil && s.copy != nil && now.Before(s.copy.until)
}

func (s *siteState) busy(now time.Time) bool {
	return s != nil && (s.fetching || now.Before(s.retryAt))
}

func (s *siteState) size() int {
	if s == nil || s.copy == nil {
		return 0
	}
	return s.copy.size
}

// digest is what Read made of the latest answer, nil before.
func (s *siteState) digest() any {
	if s == nil || s.copy == nil {
		return nil
	}
	return s.copy.digest
}

// consultFile brings the host's file to where it can be asked. ok is true when
// it is known; otherwise the decision says what to do, or the question what has
// to be found out first.
func (g *Gate) consultFile(h *host, known answer, now time.Time) (d Decision, ask question, ok bool) {
	if h.file == nil {
		h.file = &siteState{}
	}
	s := h.file
	switch {
	case s.fresh(now):
		return d, ask, true
	case s.fetching:
		return g.later(now.Add(busyPoll), ByFile), ask, false
	case now.Before(s.retryAt):
		return g.later(s.retryAt, g.policy.File.Path+" unreachable: "+s.cause), ask, false
	}
	if c, free := h.wait(&g.policy, &g.clock, now); !free {
		return g.later(c.until, h.name(c)), ask, false
	}
	target := s.target
	if target == "" {
		target = h.origin + g.policy.File.Path
	}
	if c := h.robots.copy; c != nil {
		if rules := c.text.rules; known.fileRules != rules || known.fileURL != target {
			return d, question{rules: rules, file: target}, false
		}
		if v := known.file; !v.Allowed {
			g.giveUpFile(h, SiteAnswer{Problem: fmt.Sprintf("robots.txt line %d disallows it", v.Line)}, now)
			return d, ask, true
		}
		d = h.judged(known.file)
	}
	if taken, free := g.claim(h, now); !free {
		return taken, ask, false
	}
	s.fetching = true
	d.Action, d.Robots, d.Grant = FetchFile, target, g.grant(h, target)
	d.Grant.file = true
	return d, ask, false
}

// fetchedFile is an answer that settles the matter, read and packed without the
// gate's lock.
type fetchedFile struct {
	copy   siteCopy
	answer SiteAnswer
	packed []byte
}

func (g *Gate) readFile(r *Result) *fetchedFile {
	good := r.Status >= 200 && r.Status < 300
	none := r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests
	if r.Err != nil || !good && !none {
		return nil
	}
	a := SiteAnswer{Status: r.Status, ContentType: cut(r.Header.Get("Content-Type"), maxContentType)}
	if good {
		a.Body, a.Cut = r.Body[:min(len(r.Body), robots.MaxSize)], len(r.Body) > robots.MaxSize
	}
	return g.madeOf(a, pack(a.Body))
}

// maxContentType bounds a Content-Type that is kept.
const maxContentType = 128

func (g *Gate) madeOf(a SiteAnswer, packed []byte) *fetchedFile {
	f := &fetchedFile{answer: a, packed: packed}
	f.copy.digest, f.copy.size = g.policy.File.Read(a)
	return f
}

// settleFile books the end of one step. It returns what is to be kept, nil when
// nothing new is known.
func (g *Gate) settleFile(gr *Grant, r *Result, f *fetchedFile, now time.Time) []byte {
	h := gr.host
	h.file.fetching = false
	switch {
	case f != nil:
		life, _ := lifetime(r.Header)
		f.copy.until = now.Add(life)
		g.keepFile(h, f.copy)
		return f.write(g.clock.outside(f.copy.until))
	case r.Err == nil && r.Status >= 300 && r.Status < 400:
		g.redirectedFile(h, gr.url, r.Header.Get("Location"), now)
	case r.Err != nil:
		g.failedFile(h, describe(r.Err), now, r.Permanent)
	default:
		g.failedFile(h, fmt.Sprintf("status %d", r.Status), now, false)
	}
	return nil
}

func (g *Gate) keepFile(h *host, c siteCopy) {
	g.shelf.size += c.size - h.file.size()
	h.file = &siteState{copy: &c}
}

// giveUpFile leaves a file that could not be had alone for an hour.
func (g *Gate) giveUpFile(h *host, a SiteAnswer, now time.Time) {
	f := g.madeOf(a, nil)
	f.copy.until = now.Add(robotsRest)
	g.keepFile(h, f.copy)
}

func (g *Gate) redirectedFile(h *host, from, location string, now time.Time) {
	s := h.file
	to, err := resolve(from, location)
	switch {
	case err != nil:
		g.giveUpFile(h, SiteAnswer{Problem: err.Error()}, now)
	case originOf(to) != h.origin:
		g.giveUpFile(h, SiteAnswer{Problem: "redirected to " + originOf(to), Elsewhere: true}, now)
	case s.hops == robotsHops:
		g.giveUpFile(h, SiteAnswer{Problem: fmt.Sprintf("more than %d redirects", robotsHops)}, now)
	default:
		s.target, s.hops = to, s.hops+1
	}
}

func (g *Gate) failedFile(h *host, cause string, now time.Time, permanent bool) {
	s := h.file
	s.target, s.hops, s.cause = "", 0, cause
	if s.failures++; permanent || s.failures >= g.policy.RobotsTries {
		g.giveUpFile(h, SiteAnswer{Problem: cause}, now)
		return
	}
	wait := g.policy.RobotsWait
	for i := 1; i < s.failures && wait < robotsRest; i++ {
		wait *= 4
	}
	s.retryAt = now.Add(min(wait, robotsRest))
}

const siteVersion = 1

// write packs the answer with the instant, by the outside clock, until which it
// serves.
func (f *fetchedFile) write(until time.Time) []byte {
	b := make([]byte, 0, 64+len(f.packed))
	cutShort := byte(0)
	if f.answer.Cut {
		cutShort = 1
	}
	b = append(b, siteVersion, cutShort)
	b = binary.AppendVarint(b, unix(until))
	b = binary.AppendVarint(b, int64(f.answer.Status))
	b = appendText(b, f.answer.ContentType)
	b = append(b, f.packed...)
	return append(b, checksum(b)...)
}

// recallFile reads it back, with until by the outside clock; nil when it is
// damaged, so that the file is fetched anew.
func (g *Gate) recallFile(data []byte) *siteCopy {
	m, ok := openMemory(data, siteVersion)
	if !ok {
		return nil
	}
	a := SiteAnswer{Cut: m.octet() != 0}
	until := instant(m.varint())
	a.Status, a.ContentType = int(m.varint()), strings.Clone(m.text(maxContentType))
	if m.short || until.IsZero() || a.Status < 200 || a.Status > 499 {
		return nil
	}
	if a.Body, ok = unpack(m.b); !ok {
		return nil
	}
	f := g.madeOf(a, nil)
	f.copy.until = until
	return &f.copy
}
