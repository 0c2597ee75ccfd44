package survey

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

// maxSteps bounds the work on one page, in nodes visited.
const maxSteps = 4_000_000

var errTooMuch = errors.New("too much work")

// work is what a survey may still cost.
type work struct{ left int }

func (w *work) step(n int) error {
	if w.left -= n; w.left < 0 {
		return errTooMuch
	}
	return nil
}

// text is the text a reader sees below n, "" when the work is used up.
func (w *work) text(n *html.Node) string {
	s, err := values.Text(n, w.step)
	if err != nil {
		return ""
	}
	return s
}

// below walks the elements below root that are content, in document order. visit
// says whether to go into the element.
func (w *work) below(root *html.Node, visit func(*html.Node) bool) {
	for n := values.Following(root, root, true); n != nil; {
		if w.step(1) != nil {
			return
		}
		into := false
		if n.Type == html.ElementNode && !silent(n) {
			into = visit(n)
		}
		n = values.Following(n, root, into)
	}
}

// silent are elements that hold no content.
func silent(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Head, atom.Select, atom.Button, atom.Iframe, atom.Form:
		return n.DataAtom != atom.Form || !holdsContent(n)
	}
	return n.Namespace != ""
}

// holdsContent tells a form around a whole page, as some servers make it, from
// one that is filled in.
func holdsContent(form *html.Node) bool {
	for c := form.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Main || c.DataAtom == atom.Table || c.DataAtom == atom.Article {
			return true
		}
	}
	return false
}

// furnitureWords are the words by which sites call what stands around the content.
var furnitureWords = []string{
	"nav", "navbar", "navigation", "menu", "breadcrumb", "breadcrumbs", "footer", "sidebar", "pagination", "pager", "paging",
	"cookie", "cookies", "consent", "social", "share", "sharing", "related", "comments", "login", "toolbar", "banner",
}

// furniture reports whether an element stands around the content rather than
// being part of it.
func furniture(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Nav, atom.Footer, atom.Aside:
		return true
	case atom.Header: // of an article it is content
		return within(n, atom.Article) == nil && within(n, atom.Main) == nil
	case atom.Main, atom.Body, atom.Html:
		return false
	}
	switch attr(n, "role") {
	case "navigation", "banner", "contentinfo", "complementary", "search", "menu":
		return true
	}
	for _, name := range append(strings.Fields(attr(n, "class")), attr(n, "id")) {
		if slices.Contains(furnitureWords, strings.ToLower(name)) {
			return true
		}
	}
	return false
}

// within is the nearest element of a kind around n, or nil.
func within(n *html.Node, a atom.Atom) *html.Node {
	for up := n.Parent; up != nil; up = up.Parent {
		if up.DataAtom == a {
			return up
		}
	}
	return nil
}

func attr(n *html.Node, key string) string {
	v, _ := values.Attribute(n, key)
	return strings.TrimSpace(v)
}

func hasAttr(n *html.Node, key string) bool {
	_, ok := values.Attribute(n, key)
	return ok
}

func isHeading(n *html.Node) bool {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// first is the first element below root that fits, or nil.
func first(root *html.Node, fits func(*html.Node) bool) *html.Node {
	for n := values.Following(root, root, true); n != nil; n = values.Following(n, root, true) {
		if n.Type == html.ElementNode && fits(n) {
			return n
		}
	}
	return nil
}

func byAtom(a atom.Atom) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.DataAtom == a }
}
