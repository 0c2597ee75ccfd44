package item

import (
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
)

// An Item is a thing that a page describes. Items may hold each other, in circles
// too.
type Item struct {
	Types []string // those of schema.org by their plain names
	ID    string   // absolute, or "_:" and a name within the page; "" without one
	Props []Prop   // in the order in which their names first appear; Add adds to them

	places map[string]int // of names in Props, once there are many
}

// Bounds of an item.
const (
	MaxTypes = 64 // more are left out
	few      = 16 // props that are faster looked through than looked up
)

// AddType gives the item one more type, unless it has it.
func (it *Item) AddType(name string) {
	if len(it.Types) < MaxTypes && !it.Is(name) {
		it.Types = append(it.Types, name)
	}
}

// A Prop is a property with its values: string, bool, int64, float64,
// json.RawMessage, *Item, a Ref, or []any of these where the format has lists.
type Prop struct {
	Name   string
	Values []any
}

// A Ref is the address of a thing that is not described on the page, as far as
// its reader knows.
type Ref string

// Add gives the item one more value of a property.
func (it *Item) Add(name string, values ...any) {
	if i := it.place(name); i >= 0 {
		it.Props[i].Values = append(it.Props[i].Values, values...)
		return
	}
	it.Props = append(it.Props, Prop{name, values})
	if it.places != nil {
		it.places[name] = len(it.Props) - 1
	}
}

// place is that of a property in Props, or -1.
func (it *Item) place(name string) int {
	if len(it.Props) > few && it.places == nil {
		it.places = make(map[string]int, 2*len(it.Props))
		for i := range it.Props {
			it.places[it.Props[i].Name] = i
		}
	}
	if it.places != nil {
		if i, ok := it.places[name]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(it.Props, func(p Prop) bool { return p.Name == name })
}

// Get gives the values of a property, nil where there are none.
func (it *Item) Get(name string) []any {
	if i := it.place(name); i >= 0 {
		return it.Props[i].Values
	}
	return nil
}

// Is tells whether the item has one of these types.
func (it *Item) Is(types ...string) bool {
	for _, has := range it.Types {
		for _, t := range types {
			if has == t {
				return true
			}
		}
	}
	return false
}

// Plain is a type or a property without its vocabulary where that is
// schema.org's, which most pages use. Other names stay as they are.
func Plain(name string) string {
	rest := name
	if i := strings.Index(name, "://"); i == 4 || i == 5 {
		rest = strings.TrimPrefix(name[i+3:], "www.")
	}
	if len(rest) == len(name) || len(rest) < 11 || !strings.EqualFold(rest[:10], "schema.org") || rest[10] != '/' && rest[10] != '#' {
		return name
	}
	if rest = strings.TrimLeft(rest[11:], "/#"); rest == "" || strings.ContainsAny(rest, "/#?") {
		return name
	}
	return rest
}

// Absolute is a reference made absolute; one that is no URL stays as it is.
func Absolute(base urls.URL, ref string) string {
	ref = strings.TrimSpace(ref)
	u, err := base.Resolve(ref)
	if err != nil {
		return ref
	}
	return u.Redacted()
}
