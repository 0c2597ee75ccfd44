package microdata

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// Read gives the items of a tree that are no property of another, in tree order.
// Its errors are the budget's.
func Read(root *html.Node, base urls.URL, budget *item.Budget) ([]*item.Item, error) {
	r := &reader{base: base, budget: budget, order: map[*html.Node]int{}, ids: map[string]*html.Node{}, items: map[*html.Node]*item.Item{}}
	if err := r.survey(root); err != nil {
		return nil, err
	}
	for _, scope := range r.scopes {
		if err := r.read(scope); err != nil {
			return nil, err
		}
	}
	all := make([]*item.Item, len(r.scopes))
	for i, scope := range r.scopes {
		all[i] = r.items[scope]
	}
	return item.Top(all), nil
}

type reader struct {
	base   urls.URL
	budget *item.Budget
	order  map[*html.Node]int // of elements with itemprop, in the tree
	ids    map[string]*html.Node
	scopes []*html.Node
	items  map[*html.Node]*item.Item
}

// survey finds the elements that matter.
func (r *reader) survey(root *html.Node) error {
	for n := root; n != nil; n = values.Following(n, root, n.DataAtom != atom.Template) {
		if err := r.budget.Step(1); err != nil {
			return err
		}
		for i := range n.Attr {
			switch a := &n.Attr[i]; a.Key {
			case "itemprop":
				r.order[n] = len(r.order)
			case "itemscope":
				r.scopes = append(r.scopes, n)
				r.items[n] = &item.Item{}
			case "id":
				if _, taken := r.ids[a.Val]; !taken {
					r.ids[a.Val] = n
				}
			}
		}
	}
	return nil
}

// read fills in the item of an element.
func (r *reader) read(scope *html.Node) error {
	it := r.items[scope]
	for typ := range strings.FieldsSeq(attribute(scope, "itemtype")) {
		it.AddType(item.Plain(typ))
	}
	if id := strings.TrimSpace(attribute(scope, "itemid")); id != "" {
		it.ID = item.Absolute(r.base, id)
	}
	props, err := r.properties(scope)
	if err != nil {
		return err
	}
	for _, n := range props {
		value, err := r.value(n)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for name := range strings.FieldsSeq(attribute(n, "itemprop")) {
			if name = item.Plain(name); !seen[name] {
				seen[name] = true
				it.Add(name, value)
			}
		}
	}
	return nil
}

// properties are the elements with the properties of an item, in tree order
// (section 5.2.5 of the standard: the properties of an item).
func (r *reader) properties(root *html.Node) ([]*html.Node, error) {
	var results []*html.Node
	memory := map[*html.Node]bool{root: true}
	pending := children(root, nil)
	for id := range strings.FieldsSeq(attribute(root, "itemref")) {
		if n := r.ids[id]; n != nil {
			pending = append(pending, n)
		}
	}
	for len(pending) > 0 {
		n := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if err := r.budget.Step(1); err != nil {
			return nil, err
		}
		if memory[n] {
			continue // said twice, or the item itself
		}
		memory[n] = true
		if r.items[n] == nil && n.DataAtom != atom.Template {
			pending = children(n, pending)
		}
		if _, is := r.order[n]; is {
			results = append(results, n)
		}
	}
	slices.SortFunc(results, func(a, b *html.Node) int { return r.order[a] - r.order[b] })
	return results, nil
}

func children(n *html.Node, to []*html.Node) []*html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			to = append(to, c)
		}
	}
	return to
}

// value is what an element with itemprop says (section 5.2.4: values), and
// content where the element has no value of its own.
func (r *reader) value(n *html.Node) (any, error) {
	if it := r.items[n]; it != nil {
		return it, nil
	}
	key, isURL := "content", false
	switch n.DataAtom {
	case atom.Meta:
		return attribute(n, "content"), nil
	case atom.Audio, atom.Embed, atom.Iframe, atom.Img, atom.Source, atom.Track, atom.Video:
		key, isURL = "src", true
	case atom.A, atom.Area, atom.Link:
		key, isURL = "href", true
	case atom.Object:
		key, isURL = "data", true
	case atom.Data, atom.Meter:
		key = "value"
	case atom.Time:
		key = "datetime"
	}
	text, ok := values.Attribute(n, key)
	if !ok {
		text, ok = values.Attribute(n, "content")
	}
	switch {
	case ok && isURL:
		return item.Absolute(r.base, text), nil
	case ok:
		return strings.TrimSpace(text), nil
	case isURL:
		return nil, nil
	}
	return r.budget.Keep(values.Text(n, r.budget.Step))
}

func attribute(n *html.Node, key string) string {
	v, _ := values.Attribute(n, key)
	return v
}
