package robots

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// MaxSize is the number of octets of a robots.txt that are read, the least
// that RFC 9309 section 2.5 asks for. What follows is ignored.
const MaxSize = 500 << 10

// maxDelay bounds a Crawl-delay, so that no figure overflows a Duration.
const maxDelay = 30 * 24 * time.Hour

// Mode says whose reading of a file is wanted.
type Mode uint8

const (
	// RFC is RFC 9309, the default.
	RFC Mode = iota
	// Google is the reading of Google's published parser, quirks included.
	Google
)

// String names the mode as the command line does.
func (m Mode) String() string {
	if m == Google {
		return "google"
	}
	return "rfc"
}

// ParseMode reads the name of a mode.
func ParseMode(name string) (Mode, error) {
	switch name {
	case "rfc":
		return RFC, nil
	case "google":
		return Google, nil
	}
	return RFC, fmt.Errorf("%q is not rfc or google", name)
}

// File is one robots.txt. It is immutable and safe for concurrent use.
type File struct {
	mode       Mode
	hash       [16]byte
	directives []directive
	last       atomic.Pointer[Rules] // of the agent asked for last
}

// Parse reads a robots.txt. It never fails: what is no rule is skipped. The
// body is not kept.
func Parse(body []byte, mode Mode) *File {
	short := len(body) > MaxSize
	if short {
		body = body[:MaxSize]
	}
	f := &File{mode: mode}
	sum := sha256.Sum256(body)
	copy(f.hash[:], sum[:])
	f.directives = lex(string(body), mode, short)
	return f
}

// Hash identifies the version of the file: the first half of the SHA-256 of
// what was read of its body.
func (f *File) Hash() [16]byte { return f.hash }

// Sitemaps returns the values of the Sitemap lines in file order, as they
// stand (RFC 9309 section 2.2.4 leaves them to the reader).
func (f *File) Sitemaps() []string {
	var out []string
	for _, d := range f.directives {
		if d.kind == kindSitemap && d.value != "" && !d.cut {
			out = append(out, strings.Clone(d.value))
		}
	}
	return out
}

// Check is Agent(agent).Check(url). It remembers the rules of the last agent.
func (f *File) Check(agent, url string) Verdict { return f.Agent(agent).Check(url) }

// Agent returns the rules for one product token: those of every group that
// names it, or those of the groups for "*" when none does (RFC 9309 section
// 2.2.1). In RFC mode a token is cut where it stops being one, so that
// "bookbot/2.1 (+https://me.example)" means "bookbot"; Google compares the
// name as given. The rules do not keep the File alive.
func (f *File) Agent(agent string) *Rules {
	if r := f.last.Load(); r != nil && r.agent == agent {
		return r
	}
	r := f.rules(agent)
	f.last.Store(r)
	return r
}

// own collects what is stated for one audience.
type own struct {
	rules []directive
	delay time.Duration
	line  int // of the delay, 0 without one
}

func (o *own) slower(d directive) {
	if delay, ok := readDelay(d.value); ok && (o.line == 0 || delay > o.delay) {
		o.delay, o.line = delay, d.line
	}
}

// rules walks the lines as Google's matcher does: agent lines add up until a
// rule follows, and only then the next agent line begins another group. Other
// lines end no group (RFC 9309 section 2.2.4).
func (f *File) rules(agent string) *Rules {
	name := agent
	if f.mode == RFC {
		name = token(agent)
	}
	var specific, global own
	var inSpecific, inGlobal, named, ruled bool
	for _, d := range f.directives {
		switch d.kind {
		case kindAgent:
			if ruled {
				inSpecific, inGlobal, ruled = false, false, false
			}
			if everyone(d.value) {
				inGlobal = true
			} else if f.names(d.value, name) {
				inSpecific, named = true, true
			}
		case kindAllow, kindDisallow:
			ruled = ruled || inSpecific || inGlobal
			if inSpecific {
				specific.rules = append(specific.rules, d)
			} else if inGlobal {
				global.rules = append(global.rules, d)
			}
		case kindDelay:
			if inSpecific {
				specific.slower(d)
			} else if inGlobal {
				global.slower(d)
			}
		}
	}
	if named {
		return newRules(agent, f.mode, &specific)
	}
	return newRules(agent, f.mode, &global)
}

// names reports whether the value of an agent line names the agent. An empty
// token names nobody, except to Google, where it names the empty agent.
func (f *File) names(value, agent string) bool {
	t := token(value)
	return equalFold(t, agent) && (t != "" || f.mode == Google)
}

// readDelay reads a number of seconds, with a point or a comma; what follows
// the number is ignored. Negative and unreadable values say nothing.
func readDelay(s string) (time.Duration, bool) {
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || s[end] == ',') {
		end++
	}
	number := strings.Replace(s[:end], ",", ".", 1)
	// A range error comes with an infinite value, which is bounded below.
	seconds, err := strconv.ParseFloat(number, 64)
	if err != nil && !math.IsInf(seconds, 1) {
		return 0, false
	}
	if seconds >= maxDelay.Seconds() {
		return maxDelay, true
	}
	return time.Duration(math.Ceil(seconds * float64(time.Second))), true
}
