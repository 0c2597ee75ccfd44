package survey

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var plainMember = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// Feed is a feed that a page names.
type Feed struct{ Ref, Type, Title string }

// Feeds are the feeds that a page names as its alternates.
func Feeds(root *html.Node) []Feed {
	var out []Feed
	for n := root; n != nil && len(out) < 20; n = nextNode(n, root) {
		if n.DataAtom != atom.Link || !slices.Contains(strings.Fields(strings.ToLower(attr(n, "rel"))), "alternate") || attr(n, "href") == "" {
			continue
		}
		switch t := strings.ToLower(attr(n, "type")); t {
		case "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml":
			out = append(out, Feed{attr(n, "href"), t, attr(n, "title")})
		}
	}
	return out
}

// nextWords are what links to the next page say.
var nextWords = []string{
	"next", "next page", "older", "older posts", "older entries", "more", "load more", "show more", "weiter", "nächste", "nächste seite", "ältere beiträge",
	"suivant", "page suivante", "siguiente", "próximo", "avanti", "volgende", "nästa", "næste", "dalej", "следующая", "次へ", "下一页",
	"›", "»", "→", ">", ">>",
}

// Next is the CSS selector of the link to the next page, and where it leads;
// "" when there is none.
func Next(root *html.Node) (css, ref string) {
	w := &work{left: maxSteps}
	for _, tag := range []atom.Atom{atom.A, atom.Link} {
		if n := first(root, func(n *html.Node) bool {
			return n.DataAtom == tag && attr(n, "href") != "" && slices.Contains(strings.Fields(strings.ToLower(attr(n, "rel"))), "next")
		}); n != nil {
			if attr(n, "rel") == "next" {
				return n.Data + "[rel=next]", attr(n, "href")
			}
			return n.Data + "[rel~=next]", attr(n, "href")
		}
	}
	w.below(root, func(n *html.Node) bool {
		if css != "" || n.DataAtom != atom.A || attr(n, "href") == "" || strings.HasPrefix(attr(n, "href"), "#") {
			return css == ""
		}
		if c := nextClass(n); c != "" {
			css, ref = c, attr(n, "href")
		} else if text := strings.ToLower(strings.Trim(w.text(n), " ›»→>")); slices.Contains(nextWords, text) && text != "" {
			if css = turning(n); css != "" {
				ref = attr(n, "href")
			}
		}
		return css == ""
	})
	return css, ref
}

// nextClass is a selector by a class that says next, on the link or around it.
func nextClass(a *html.Node) string {
	for n, i := a, 0; n != nil && i < 2; n, i = n.Parent, i+1 {
		for _, c := range classes(n) {
			if slices.Contains(words(c), "next") {
				if n == a {
					return "a." + c
				}
				return "." + c + " a"
			}
		}
	}
	return ""
}

// turning is a selector for a link that turns pages and says so by its text only.
func turning(a *html.Node) string {
	if c := classes(a); len(c) > 0 {
		return "a." + c[0]
	}
	for n, i := a.Parent, 0; n != nil && i < 3; n, i = n.Parent, i+1 {
		for _, c := range classes(n) {
			return "." + c + " a"
		}
	}
	return ""
}
