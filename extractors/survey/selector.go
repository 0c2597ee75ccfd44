package survey

import (
	"regexp"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var (
	plainName = regexp.MustCompile(`^-?[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	// Names that build tools make up: sc-1a2b3c, css-x9y8z7, Card_title__3xYzQ.
	madeUp = regexp.MustCompile(`^(?:css|sc|jsx|jss|emotion|svelte|ng|ember|chakra|makeStyles)-|__[A-Za-z0-9]*\d[A-Za-z0-9]*$|^_|[0-9]{3,}|^[a-z]{1,2}[0-9]+$`)
	// Names that say how a thing looks or where it stands.
	looks = regexp.MustCompile(`^(?:col|row|grid|flex|d|m|p|g|w|h|mt|mb|ml|mr|mx|my|pt|pb|pl|pr|px|py|ms|me|ps|pe|gap|text|font|bg|border|rounded|shadow|float|align|justify|items|order|offset|display|position|overflow|z|btn|is|has|js|u|wp|fa|fas|far|icon|lazy|img|sm|md|lg|xl|xs|no)(?:-|$)`)
	// Names of states and of the most general boxes.
	states = []string{
		"active", "current", "selected", "open", "closed", "hidden", "visible", "show", "first", "last", "odd", "even", "clearfix", "disabled",
		"container", "container-fluid", "wrapper", "wrap", "inner", "outer", "clear", "left", "right", "center", "pull-left", "pull-right",
		"table-responsive", "loaded", "lazyload", "lazyloaded", "sr-only", "visually-hidden", "notranslate", "bold", "small", "large", "hover", "sticky",
	}
)

// stable reports whether a class or id is one that a site's authors gave a meaning.
func stable(name string) bool {
	return plainName.MatchString(name) && !madeUp.MatchString(name) && !looks.MatchString(name) && !slices.Contains(states, name)
}

// stableID is stable for ids, which are names however a thing looks.
func stableID(name string) bool {
	return plainName.MatchString(name) && !madeUp.MatchString(name)
}

// classes are the stable classes of an element, at most six.
func classes(n *html.Node) []string {
	var out []string
	for _, c := range strings.Fields(attr(n, "class")) {
		if stable(c) && !slices.Contains(out, c) {
			if out = append(out, c); len(out) == 6 {
				break
			}
		}
	}
	return out
}

// handle is a selector for an element by itself: its id, its first stable class
// or the tag where that is one of a kind. "" when it has none.
func handle(n *html.Node) string {
	if id := attr(n, "id"); stableID(id) {
		return "#" + id
	}
	if c := classes(n); len(c) > 0 {
		return "." + c[0]
	}
	switch n.DataAtom {
	case atom.Main, atom.Article, atom.Body:
		return n.Data
	}
	return ""
}

// path is a selector for an element without a handle: the handle of the nearest
// element around it that has one, and the tags from there. "" when that is too far.
func path(n *html.Node) string {
	tags := []string{n.Data}
	for up := n.Parent; up != nil && len(tags) < 5; up = up.Parent {
		if h := handle(up); h != "" {
			return h + " > " + strings.Join(tags, " > ")
		}
		if !plainName.MatchString(up.Data) {
			break
		}
		tags = slices.Insert(tags, 0, up.Data)
	}
	return ""
}

// Selector is a CSS selector by which a person would address an element, "" when
// there is none that may last.
func Selector(n *html.Node) string {
	if h := handle(n); h != "" {
		return h
	}
	for _, key := range []string{"itemprop", "rel"} {
		if v := attr(n, key); plainName.MatchString(v) {
			return "[" + key + "=" + v + "]"
		}
	}
	return path(n)
}

// matching are the elements below root that a selector finds, at most limit.
func (w *work) matching(root *html.Node, css string, limit int) []*html.Node {
	group, err := cascadia.ParseGroup(css)
	if err != nil {
		return nil
	}
	var out []*html.Node
	w.below(root, func(n *html.Node) bool {
		if len(out) < limit && group.Match(n) {
			out = append(out, n)
		}
		return len(out) < limit
	})
	return out
}
