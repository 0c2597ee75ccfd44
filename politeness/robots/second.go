package robots

import (
	"strings"

	"github.com/temoto/robotstxt"
)

const (
	// maxStars, maxPattern and maxSteps (octets of pattern times octets of
	// path) bound what temoto's matcher is asked: its time grows with both.
	// Beyond them pattern.matches stands alone.
	maxStars   = 16
	maxPattern = 2 << 10
	maxSteps   = 256 << 10
	// maxCompiled bounds the matchers kept per Rules; more are built for one
	// use and dropped.
	maxCompiled = 256
)

// second is the second opinion on one rule: temoto's matcher over a file of
// that rule alone.
type second struct{ group *robotstxt.Group }

// confirm reports whether temoto's matcher agrees that the rule matches.
func (r *Rules) confirm(rule *rule, path string) bool {
	p := &rule.pattern
	if len(p.glob) > maxPattern || len(p.glob)*len(path) > maxSteps ||
		strings.Count(p.glob, "*") > maxStars {
		return true
	}
	s := rule.second.Load()
	if s == nil {
		s = compile(p)
		if r.compiled.Add(1) <= maxCompiled {
			rule.second.Store(s)
		} else {
			r.compiled.Add(-1)
		}
	}
	return s.matches(path)
}

// The sentinel stands before rule and path, and nowhere else, so that temoto's
// expressions, which it does not anchor, can match only at the beginning.
const sentinel = "/\ue100"

func compile(p *pattern) *second {
	var b strings.Builder
	b.WriteString("User-agent: *\nDisallow: ")
	b.WriteString(sentinel)
	writePlain(&b, p.glob, true)
	if p.anchored {
		b.WriteByte('$')
	}
	b.WriteByte('\n')
	data, err := robotstxt.FromString(b.String())
	if err != nil {
		return &second{}
	}
	return &second{group: data.FindGroup("*")}
}

func (s *second) matches(path string) bool {
	if s.group == nil {
		return false
	}
	var b strings.Builder
	b.Grow(len(sentinel) + len(path) + 16)
	b.WriteString(sentinel)
	writePlain(&b, path, false)
	return !s.group.Test(b.String())
}

// writePlain writes what means itself to temoto's lexer and to regular
// expressions; any other octet becomes a rune of its own, which no octet of a
// path can be mistaken for.
func writePlain(b *strings.Builder, s string, stars bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plainOctet[c] || stars && c == '*' {
			b.WriteByte(c)
		} else {
			b.WriteRune(0xe000 + rune(c))
		}
	}
}

var plainOctet = func() (t [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		t[c] = strings.IndexByte("*$#", c) < 0
	}
	return t
}()
