package microformats

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// value is that of an element as a property of a kind; nil is none.
func (r *reader) value(kind string, n *html.Node, f *found) (any, error) {
	switch kind {
	case "u":
		return r.address(n)
	case "dt":
		return r.moment(n, f)
	case "e":
		return r.markup(n)
	}
	return r.plain(n)
}

// plain is the value of a p- property.
func (r *reader) plain(n *html.Node) (any, error) {
	text, ok, err := r.pieces(n, "")
	if err != nil || ok {
		return text, err
	}
	if text, ok := first(n, map[atom.Atom]string{
		atom.Abbr: "title", atom.Link: "title", atom.Data: "value", atom.Input: "value", atom.Img: "alt", atom.Area: "alt",
	}); ok {
		return text, nil
	}
	return orNone(r.text(n))
}

// address is the value of a u- property.
func (r *reader) address(n *html.Node) (any, error) {
	for _, key := range addressKeys[n.DataAtom] {
		v, ok := values.Attribute(n, key)
		if !ok {
			continue
		}
		at := item.Absolute(r.base, v)
		if alt := values.Fold(attribute(n, "alt")); alt != "" && n.DataAtom == atom.Img {
			picture := &item.Item{}
			picture.Add("value", at)
			picture.Add("alt", alt)
			return picture, nil
		}
		return at, nil
	}
	text, ok, err := r.pieces(n, "")
	if err != nil {
		return nil, err
	}
	if !ok {
		text, ok = first(n, map[atom.Atom]string{atom.Abbr: "title", atom.Data: "value", atom.Input: "value"})
	}
	if !ok {
		if text, err = r.text(n); err != nil {
			return nil, err
		}
	}
	if text == "" {
		return nil, nil
	}
	return item.Absolute(r.base, text), nil
}

var addressKeys = map[atom.Atom][]string{
	atom.A: {"href"}, atom.Area: {"href"}, atom.Link: {"href"}, atom.Img: {"src"}, atom.Audio: {"src"},
	atom.Video: {"src", "poster"}, atom.Source: {"src"}, atom.Iframe: {"src"}, atom.Object: {"data"},
}

// markup is the value of an e- property: an item with html and value.
func (r *reader) markup(n *html.Node) (any, error) {
	inner, err := r.budget.Keep(values.AbsoluteHTML(n, r.base))
	if err != nil {
		return nil, err
	}
	text, err := r.text(n)
	if err != nil {
		return nil, err
	}
	if inner = strings.TrimSpace(inner); inner == "" && text == "" {
		return nil, nil
	}
	it := &item.Item{}
	it.Add("html", inner)
	it.Add("value", text)
	return it, nil
}

// first is the attribute that stands for the value of an element of this kind.
func first(n *html.Node, keys map[atom.Atom]string) (string, bool) {
	if key := keys[n.DataAtom]; key != "" {
		return values.Attribute(n, key)
	}
	return "", false
}

// text is an element's, with pictures as their alt or address.
func (r *reader) text(n *html.Node) (string, error) {
	return r.budget.Keep(values.TextWith(n, func(n *html.Node) string {
		if n.DataAtom != atom.Img {
			return ""
		}
		if alt, ok := values.Attribute(n, "alt"); ok {
			return " " + alt + " "
		}
		if src, ok := values.Attribute(n, "src"); ok {
			return " " + item.Absolute(r.base, src) + " "
		}
		return ""
	}, r.budget.Step))
}

func orNone(text string, err error) (any, error) {
	if err != nil || text == "" {
		return nil, err
	}
	return text, nil
}
