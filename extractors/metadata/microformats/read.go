package microformats

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// Read gives the items of a tree that stand in no other, in tree order. The items
// within one that are no property of it are its property "children". Its errors
// are the budget's.
func Read(root *html.Node, base urls.URL, budget *item.Budget) ([]*item.Item, error) {
	r := &reader{base: base, budget: budget}
	var top []*item.Item
	err := r.walk(root, nil, func(n *html.Node, types []string, old *oldFormat) error {
		it, err := r.item(n, types, old)
		top = append(top, it.Item)
		return err
	}, nil)
	return top, err
}

type reader struct {
	base   urls.URL
	budget *item.Budget
}

// found is an item while it is read.
type found struct {
	*item.Item
	hasText, hasURL, hasItems bool   // it has p- or e-, u-, and items within it
	date                      string // the last one, for a time without one
}

var (
	rootClass     = regexp.MustCompile(`^h(-[a-z0-9]+)?(-[a-z]+)+$`)
	propertyClass = regexp.MustCompile(`^(p|u|dt|e)((?:-[a-z0-9]+)?(?:-[a-z]+)+)$`)
)

// sizes are what classes of style sheets have behind h- and p-.
var sizes = map[string]bool{"auto": true, "full": true, "screen": true, "min": true, "max": true, "fit": true, "px": true, "svh": true, "lvh": true, "dvh": true, "lh": true}

// rootTypes are the types of an element, and the older format that it is in.
func rootTypes(n *html.Node) (types []string, old *oldFormat) {
	classes := classesOf(n)
	for _, c := range classes {
		if rootClass.MatchString(c) && !sizes[c[2:]] && len(types) < item.MaxTypes && !slices.Contains(types, c) {
			types = append(types, c)
		}
	}
	if types != nil {
		slices.Sort(types)
		return types, nil
	}
	for _, c := range classes {
		if f := oldFormats[c]; f != nil {
			if len(types) < item.MaxTypes && !slices.Contains(types, f.root) {
				types = append(types, f.root)
			}
			if old == nil {
				old = f
			}
		}
	}
	return types, old
}

// maxProperties bounds what one element says.
const maxProperties = 64

type property struct{ kind, name string }

// propertiesOf are an element's, within an item of that format.
func propertiesOf(n *html.Node, old *oldFormat) []property {
	var out []property
	add := func(p property) {
		if len(out) < maxProperties && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	for _, c := range classesOf(n) {
		if old != nil {
			if p, ok := old.properties[c]; ok {
				add(p)
			}
			continue
		}
		if m := propertyClass.FindStringSubmatch(c); m != nil && !(m[1] == "p" && sizes[m[2][1:]]) {
			add(property{m[1], m[2][1:]})
		}
	}
	if old != nil {
		for rel := range strings.FieldsSeq(attribute(n, "rel")) {
			if p, ok := old.rels[strings.ToLower(rel)]; ok {
				add(p)
			}
		}
	}
	return out
}

func classesOf(n *html.Node) []string { return strings.Fields(attribute(n, "class")) }

type onItem func(n *html.Node, types []string, old *oldFormat) error

// walk goes through the elements below n, and n itself, up to those that are
// items, which each is called with, and through those with properties.
func (r *reader) walk(n *html.Node, within *oldFormat, item onItem, properties func(*html.Node, []property) error) error {
	if err := r.budget.Step(1); err != nil {
		return err
	}
	if n.Type == html.ElementNode {
		if n.DataAtom == atom.Template {
			return nil
		}
		if types, old := rootTypes(n); types != nil {
			return item(n, types, old)
		}
		if within.holdsItem(n) {
			return item(n, []string{"h-item"}, oldItem)
		}
		if properties != nil {
			if found := propertiesOf(n, within); found != nil {
				if err := properties(n, found); err != nil {
					return err
				}
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := r.walk(c, within, item, properties); err != nil {
			return err
		}
	}
	return nil
}

// item reads the item of an element.
func (r *reader) item(n *html.Node, types []string, old *oldFormat) (*found, error) {
	f := &found{Item: &item.Item{Types: types}}
	if id := attribute(n, "id"); id != "" && old == nil {
		f.ID = item.Absolute(r.base, "#"+id)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		err := r.walk(c, old, func(n *html.Node, types []string, inner *oldFormat) error {
			return r.nested(f, n, types, old, inner)
		}, func(n *html.Node, properties []property) error {
			return r.properties(f, n, properties)
		})
		if err != nil {
			return f, err
		}
	}
	if old != nil {
		return f, nil
	}
	return f, r.implied(f, n)
}

// properties gives the item what an element says.
func (r *reader) properties(f *found, n *html.Node, properties []property) error {
	for _, p := range properties {
		value, err := r.value(p.kind, n, f)
		if err != nil {
			return err
		}
		f.note(p.kind)
		if value != nil {
			f.Add(p.name, value)
		}
	}
	return nil
}

func (f *found) note(kind string) {
	f.hasText = f.hasText || kind == "p" || kind == "e"
	f.hasURL = f.hasURL || kind == "u"
}

// nested reads an item within another: as its property, or as a child. within is
// the format of the outer one.
func (r *reader) nested(f *found, n *html.Node, types []string, within, old *oldFormat) error {
	f.hasItems = true
	inner, err := r.item(n, types, old)
	if err != nil {
		return err
	}
	properties := propertiesOf(n, within)
	if len(properties) == 0 {
		f.Add("children", inner.Item)
		return nil
	}
	for _, p := range properties {
		f.note(p.kind)
		if err := r.represent(p.kind, n, inner); err != nil {
			return err
		}
		f.Add(p.name, inner.Item)
	}
	return nil
}

// represent gives an item that is a property the value of it, where its name or
// url does not say the same.
func (r *reader) represent(kind string, n *html.Node, inner *found) error {
	switch {
	case kind == "p" && inner.Get("name") != nil, kind == "u" && inner.Get("url") != nil, inner.Get("value") != nil:
		return nil
	}
	value, err := r.value(kind, n, inner)
	if err != nil || value == nil {
		return err
	}
	if it, ok := value.(*item.Item); ok { // HTML, or a picture
		for _, p := range it.Props {
			inner.Add(p.Name, p.Values...)
		}
		return nil
	}
	inner.Add("value", value)
	return nil
}

func attribute(n *html.Node, key string) string {
	v, _ := values.Attribute(n, key)
	return v
}
