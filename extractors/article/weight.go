package article

import (
	"errors"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// The bounds of a page. An ordinary one has 5,000 nodes, a very long one 50,000, at
// a mean depth of 15 to 20. Neither engine can be stopped, and what they do grows
// faster than the page in four ways: each is bounded, so that no page takes more
// than seconds.
const (
	maxNodes    = 100_000
	maxText     = 4 << 20       // bytes
	maxNested   = 3_000_000     // nodes, counted once for each element they are in: an element is copied when one around it is taken off
	maxSiblings = 200_000_000   // squares of the children of each element: what stands beside an element is looked for by walking
	maxListed   = 3_000_000     // nodes, counted by the square of the lists they are in: each list goes through those in it again
	maxJoined   = 4_000_000_000 // paragraphs times bytes of text: texts are joined one by one
)

var errTooHeavy = errors.New("this page is too large or nested too deep to find an article in")

// weight is what a tree costs to work on.
type weight struct{ nodes, text, nested, siblings, listed, paragraphs int }

func (w *weight) tooHeavy() error {
	if w.nodes > maxNodes || w.text > maxText || w.nested > maxNested || w.siblings > maxSiblings ||
		w.listed > maxListed || w.paragraphs*w.text > maxJoined {
		return errTooHeavy
	}
	return nil
}

func weigh(root *html.Node) *weight {
	w := &weight{}
	w.add(root, 0, 0)
	return w
}

// add calls itself for each level of the tree; the parser has no more than 512.
func (w *weight) add(n *html.Node, depth, lists int) {
	w.nodes++
	w.nested += depth
	w.listed += lists * lists
	switch {
	case n.Type == html.TextNode:
		w.text += len(n.Data)
		return
	case n.DataAtom == atom.Ul, n.DataAtom == atom.Ol, n.DataAtom == atom.Dl:
		lists++
	case n.DataAtom == atom.P, n.DataAtom == atom.Br:
		w.paragraphs++
	case n.DataAtom == atom.Script, n.DataAtom == atom.Style:
		return
	}
	children := 0
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		children++
		w.add(c, depth+1, lists)
	}
	w.siblings += children * children
}
