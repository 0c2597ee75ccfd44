package extractors

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
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
	s := scanner{targets: t, z: html.NewTokenizer(bytes.NewReader(body)), exact: true}
	s.run()
	return s.out, s.exact
}

// scanLoosely is scan for pages that have no tree: it reads on where the tokens
// do not tell all.
func (t scanTargets) scanLoosely(body []byte) references {
	s := scanner{targets: t, z: html.NewTokenizer(bytes.NewReader(body)), exact: true, loose: true}
	s.run()
	return s.out
}

type scanner struct {
	targets scanTargets
	z       *html.Tokenizer
	out     references
	exact   bool
	loose   bool // read on when not exact

	templates int      // depth of open <template>s
	inertLink bool     // a link stood in a <template>
	foreign   []string // open elements from the outermost <svg> down
	name      [24]byte // room for tagName
}

func (s *scanner) run() {
	for s.exact || s.loose {
		s.z.AllowCDATA(len(s.foreign) > 0)
		switch s.z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken:
			s.start(false)
		case html.SelfClosingTagToken:
			s.start(true)
		case html.EndTagToken:
			s.end()
		}
	}
}

func (s *scanner) start(selfClosing bool) {
	name := s.tagName(1)
	if len(s.foreign) > 0 {
		s.startForeign(name, selfClosing)
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
		if !selfClosing && len(s.foreign) == 0 {
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
			s.reference()
		}
	}
}

// drawing holds the SVG elements in which the tokens say all: no links, no raw
// text, no way back into HTML.
var drawing = map[string]bool{
	"circle": true, "clippath": true, "defs": true, "desc": true, "ellipse": true,
	"filter": true, "g": true, "image": true, "line": true, "lineargradient": true,
	"mask": true, "path": true, "pattern": true, "polygon": true, "polyline": true,
	"radialgradient": true, "rect": true, "stop": true, "style": true, "symbol": true,
	"text": true, "title": true, "tspan": true, "use": true,
}

// startForeign follows a start tag inside SVG.
func (s *scanner) startForeign(name []byte, selfClosing bool) {
	top := s.foreign[len(s.foreign)-1]
	// The content of title and desc is HTML again: text is fine, elements are not.
	if !drawing[string(name)] || top == "title" || top == "desc" {
		s.exact = false
		return
	}
	s.z.NextIsNotRawText() // style and title hold no raw text here
	if !selfClosing {
		s.foreign = append(s.foreign, string(name))
	}
}

// tagName is the lower-cased name of the current tag, which starts at the given
// place of the raw tag, as Tokenizer.TagName gives it but without a copy. It is
// valid until the next call. Longer names than any of interest are cut.
func (s *scanner) tagName(from int) []byte {
	name := s.name[:0]
	for _, c := range s.z.Raw()[from:] {
		switch {
		case c == ' ', c == '\n', c == '\r', c == '\t', c == '\f', c == '/', c == '>', len(name) == cap(name):
			return name
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		name = append(name, c)
	}
	return name
}

func (s *scanner) end() {
	name := s.tagName(2)
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
	href, _, ok := s.attributes()
	if !ok {
		return
	}
	if s.out.hasBase { // which comes first in the tree is the parser's to say
		s.exact = false
		return
	}
	s.out.base, s.out.hasBase = href, true
}

func (s *scanner) reference() {
	if href, rel, ok := s.attributes(); ok {
		s.out.refs = append(s.out.refs, reference{raw: href, noFollow: isNoFollow(rel)})
	}
}

// attributes reads href and rel of the current tag; the first of each counts.
func (s *scanner) attributes() (href, rel string, hasHref bool) {
	hasRel := false
	for more := true; more; {
		var key, val []byte
		key, val, more = s.z.TagAttr()
		switch {
		case !hasHref && string(key) == "href":
			href, hasHref = string(val), true
		case !hasRel && string(key) == "rel":
			rel, hasRel = string(val), true
		}
	}
	return href, rel, hasHref
}
