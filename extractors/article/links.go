//go:build full

package article

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

// Trafilatura finds more of some articles, and less around others, when it is not
// asked to keep links; but then it takes their elements off. So each link is marked
// by one character of a private plane before its text, which no reader of words
// minds, and becomes an element again when the article has been found.
const (
	firstMark = '\U000F0000'
	lastMark  = '\U000FFFFD'
)

// marked is a link that was given a mark.
type marked struct{ ref, text string }

// markLinks marks the links of a tree.
func markLinks(root *html.Node) []marked {
	var links []marked
	for n := root; n != nil; n = values.Following(n, root, true) {
		switch {
		case n.Type == html.TextNode:
			if strings.ContainsFunc(n.Data, isMark) {
				n.Data = strings.Map(func(r rune) rune {
					if isMark(r) {
						return -1
					}
					return r
				}, n.Data)
			}
		}
	}
	for n := root; n != nil; n = values.Following(n, root, true) {
		if n.DataAtom != atom.A || n.Type != html.ElementNode || firstMark+rune(len(links)) > lastMark {
			continue
		}
		ref := attribute(n, "href")
		t := firstText(n)
		if ref == "" || t == nil {
			continue
		}
		text := strings.TrimSpace(t.Data)
		at := strings.Index(t.Data, text)
		t.Data = t.Data[:at] + string(firstMark+rune(len(links))) + t.Data[at:]
		links = append(links, marked{ref: ref, text: text})
	}
	return links
}

func isMark(r rune) bool { return firstMark <= r && r <= lastMark }

// firstText is the first text below n that is more than white space.
func firstText(n *html.Node) *html.Node {
	for c := n; c != nil; c = values.Following(c, n, true) {
		if c.Type == html.TextNode && strings.TrimSpace(c.Data) != "" {
			return c
		}
	}
	return nil
}

// unmarkLinks makes elements of the marked links in a tree.
func unmarkLinks(root *html.Node, links []marked) {
	for n := root; n != nil; {
		next := values.Following(n, root, true)
		if n.Type == html.TextNode {
			unmark(n, links)
		}
		n = next
	}
}

// unmark takes the marks out of a text, and the links' texts into elements.
func unmark(n *html.Node, links []marked) {
	rest := n.Data
	at := strings.IndexFunc(rest, isMark)
	if at < 0 || n.Parent == nil {
		return
	}
	before := func(c *html.Node) { n.Parent.InsertBefore(c, n) }
	for ; at >= 0; at = strings.IndexFunc(rest, isMark) {
		if at > 0 {
			before(&html.Node{Type: html.TextNode, Data: rest[:at]})
		}
		r, size := utf8.DecodeRuneInString(rest[at:])
		rest = rest[at+size:]
		i := int(r - firstMark)
		if i >= len(links) || !strings.HasPrefix(rest, links[i].text) {
			continue
		}
		a := &html.Node{
			Type: html.ElementNode, Data: "a", DataAtom: atom.A,
			Attr: []html.Attribute{{Key: "href", Val: links[i].ref}},
		}
		a.AppendChild(&html.Node{Type: html.TextNode, Data: links[i].text})
		before(a)
		rest = rest[len(links[i].text):]
	}
	n.Data = rest
}
