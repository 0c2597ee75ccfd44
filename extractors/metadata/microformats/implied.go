package microformats

import (
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// implied adds name, photo and url where an item does without them because its
// element tells them.
func (r *reader) implied(f *found, n *html.Node) error {
	if f.Get("name") == nil && !f.hasText && !f.hasItems {
		name, ok := impliedName(n)
		if !ok {
			text, err := r.text(n)
			if err != nil {
				return err
			}
			name = text
		}
		if name = values.Fold(name); name != "" {
			f.Add("name", name)
		}
	}
	if f.hasURL || f.hasItems {
		return nil
	}
	if f.Get("photo") == nil {
		if picture := sought(n, atom.Img, "src", atom.Object, "data"); picture != nil {
			photo, err := r.address(picture)
			if err != nil {
				return err
			}
			f.Add("photo", photo)
		}
	}
	if f.Get("url") == nil {
		if link := sought(n, atom.A, "href", atom.Area, "href"); link != nil {
			f.Add("url", item.Absolute(r.base, attribute(link, "href")))
		}
	}
	return nil
}

var nameKeys = map[atom.Atom]string{atom.Img: "alt", atom.Area: "alt", atom.Abbr: "title"}

// impliedName looks at the element, its only child and the only child of that.
func impliedName(n *html.Node) (string, bool) {
	if name, ok := first(n, nameKeys); ok {
		return name, true
	}
	for range 2 {
		if n = onlyChild(n); n == nil {
			return "", false
		}
		if name, ok := first(n, nameKeys); ok && name != "" {
			return name, true
		}
	}
	return "", false
}

// sought finds an element of one kind or else the other, with the attribute: n
// itself, the only one of its kind in n, or in the only child of n.
func sought(n *html.Node, one atom.Atom, key string, other atom.Atom, otherKey string) *html.Node {
	is := func(n *html.Node, kind atom.Atom, key string) bool {
		_, ok := values.Attribute(n, key)
		return n.DataAtom == kind && ok
	}
	if is(n, one, key) || is(n, other, otherKey) {
		return n
	}
	for range 2 {
		if c := onlyOf(n, one); c != nil && is(c, one, key) {
			return c
		}
		if c := onlyOf(n, other); c != nil && is(c, other, otherKey) {
			return c
		}
		if n = onlyChild(n); n == nil {
			return nil
		}
	}
	return nil
}

// onlyChild is the only element in n, unless it is an item.
func onlyChild(n *html.Node) *html.Node {
	var only *html.Node
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		if only != nil {
			return nil
		}
		only = c
	}
	return unlessItem(only)
}

// onlyOf is the only element of its kind in n, unless it is an item.
func onlyOf(n *html.Node, kind atom.Atom) *html.Node {
	var only *html.Node
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode || c.DataAtom != kind {
			continue
		}
		if only != nil {
			return nil
		}
		only = c
	}
	return unlessItem(only)
}

func unlessItem(n *html.Node) *html.Node {
	if n == nil {
		return nil
	}
	if types, _ := rootTypes(n); types != nil {
		return nil
	}
	return n
}
