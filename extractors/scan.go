package extractors

import (
	"strings"

	"github.com/amblecrawl/amble/extractors/markup"
)

// scanTargets are the elements whose href the token pass reads.
type scanTargets struct{ a, area bool }

// add widens the targets by a CSS selector, and reports whether it is one that
// a single start tag can answer.
func (t *scanTargets) add(css string) bool {
	for part := range strings.SplitSeq(css, ",") {
		switch strings.ToLower(strings.TrimSpace(part)) {
		case "a", "a[href]":
			t.a = true
		case "area", "area[href]":
			t.area = true
		default:
			return false
		}
	}
	return true
}

func (t scanTargets) wants(tag []byte) bool {
	return t.a && string(tag) == "a" || t.area && string(tag) == "area"
}

// scan reads the references off the tokens of a page. exact is false where the
// tokens alone do not tell what the tree would hold: inside SVG beyond plain
// drawing, MathML, framesets, several bases. The caller then asks the tree.
func (t scanTargets) scan(body []byte) (refs references, exact bool) {
	s := scanner{targets: t, z: markup.Scan(body), exact: true}
	s.run()
	return s.out, s.exact
}

// scanLoosely is scan for pages that have no tree: it reads on where the tokens
// do not tell all.
func (t scanTargets) scanLoosely(body []byte) references {
	s := scanner{targets: t, z: markup.Scan(body), exact: true, loose: true}
	s.run()
	return s.out
}

type scanner struct {
	targets scanTargets
	z       *markup.Scanner
	out     references
	exact   bool
	loose   bool // read on when not exact

	templates int      // depth of open <template>s
	inertLink bool     // a link stood in a <template>
	foreign   []string // open elements from the outermost <svg> down
}

func (s *scanner) run() {
	for s.exact || s.loose {
		s.z.AllowCDATA(len(s.foreign) > 0)
		switch s.z.Next() {
		case markup.End:
			return
		case markup.StartTag:
			s.start()
		case markup.EndTag:
			s.end()
		}
	}
}

func (s *scanner) start() {
	name := s.z.Name()
	if s.z.Cut() {
		s.exact = false
	}
	if len(s.foreign) > 0 {
		s.startForeign(name)
	}
	switch string(name) {
	case "template":
		s.templates++
	case "noscript":
		s.z.NextIsNotRawText() // no scripts run here: it holds elements
	case "svg":
		if s.templates > 0 {
			s.exact = false
		}
		if len(s.foreign) == 0 && !s.z.SelfClosing() {
			s.foreign = append(s.foreign, "svg")
		}
	case "math", "frameset":
		s.exact = false
	case "base":
		if s.templates == 0 {
			s.base()
		}
	case "applet", "caption", "marquee", "object", "td", "th":
		// Left open, these carry the link before them out of its template.
		if s.templates > 0 && s.inertLink {
			s.exact = false
		}
	default:
		switch {
		case !s.targets.wants(name):
		case s.templates > 0:
			s.inertLink = true
		default:
			s.reference(len(name) != 1)
		}
	}
}

// startForeign follows a start tag inside SVG.
func (s *scanner) startForeign(name []byte) {
	top := s.foreign[len(s.foreign)-1]
	// The content of title and desc is HTML again: text is fine, elements are not.
	if !markup.PlainSVG(name) || top == "title" || top == "desc" {
		s.exact = false
		return
	}
	s.z.NextIsNotRawText() // style and title hold no raw text here
	if !s.z.SelfClosing() {
		s.foreign = append(s.foreign, string(name))
	}
}

func (s *scanner) end() {
	name := s.z.Name()
	if n := len(s.foreign); n > 0 {
		if s.foreign[n-1] != string(name) {
			s.exact = false
		}
		s.foreign = s.foreign[:n-1]
		return
	}
	if string(name) == "template" && s.templates > 0 {
		s.templates--
	}
}

func (s *scanner) base() {
	href, ok := s.z.Attr("href")
	if !ok {
		return
	}
	if s.out.hasBase { // which comes first in the tree is the parser's to say
		s.exact = false
		return
	}
	s.out.base, s.out.hasBase = href, true
}

func (s *scanner) reference(area bool) {
	if href, ok := s.z.Attr("href"); ok {
		rel, _ := s.z.Attr("rel")
		s.out.refs = append(s.out.refs, reference{raw: href, noFollow: isNoFollow(rel), area: area})
	}
}
