package rdfa

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// Read gives what a tree says of its subjects: the items that are not the value
// of another, in the order in which they come up. The page itself may be one of
// them, without a type. Its errors are the budget's.
func Read(root *html.Node, base urls.URL, budget *item.Budget) ([]*item.Item, error) {
	g := &graph{base: base, budget: budget, items: map[string]*item.Item{}}
	page := base.WithoutFragment().Redacted()
	c := &context{subject: page, object: page, lists: &lists{}}
	for n := root.FirstChild; n != nil; n = n.NextSibling {
		if err := g.element(n, c, true); err != nil {
			return nil, err
		}
	}
	if root.Type == html.ElementNode {
		if err := g.element(root, c, true); err != nil {
			return nil, err
		}
	}
	return item.Top(g.resolved()), nil
}

// graph gathers statements by their subject.
type graph struct {
	base   urls.URL
	budget *item.Budget
	items  map[string]*item.Item
	order  []*item.Item
	blanks int
}

// context is the evaluation context of RDFa Core, section 7.3.
type context struct {
	names
	subject, object string // of the parent
	incomplete      []arc
	lists           *lists
}

// arc is a statement whose other end is still to come.
type arc struct {
	name    string
	forward bool
	list    *[]any
}

// lists are the values that inlist gathers for a subject.
type lists struct {
	names  []string
	values map[string]*[]any
}

func (l *lists) of(name string) *[]any {
	if l.values[name] == nil {
		if l.values == nil {
			l.values = map[string]*[]any{}
		}
		l.values[name] = new([]any)
		l.names = append(l.names, name)
	}
	return l.values[name]
}

func (g *graph) blank() string {
	g.blanks++
	return "_:" + strconv.Itoa(g.blanks)
}

func (g *graph) item(subject string) *item.Item {
	it := g.items[subject]
	if it == nil {
		it = &item.Item{ID: subject}
		g.items[subject] = it
		g.order = append(g.order, it)
	}
	return it
}

func (g *graph) say(subject, name string, value any) { g.item(subject).Add(name, value) }

// resolved are the subjects, with each other as values where they were referred
// to. Names within the page that the page did not give are taken off.
func (g *graph) resolved() []*item.Item {
	for _, it := range g.order {
		for i := range it.Props {
			it.Props[i].Values = g.linked(it.Props[i].Values)
		}
	}
	for _, it := range g.order {
		if strings.HasPrefix(it.ID, "_:") {
			it.ID = ""
		}
	}
	return g.order
}

func (g *graph) linked(all []any) []any {
	out := all[:0]
	for _, v := range all {
		switch v := v.(type) {
		case item.Ref:
			if it := g.items[string(v)]; it != nil {
				out = append(out, it)
			} else if !strings.HasPrefix(string(v), "_:") {
				out = append(out, v)
			}
		case []any:
			out = append(out, g.linked(v))
		default:
			out = append(out, v)
		}
	}
	return out
}

// element reads an element and what is below it: the sequence of RDFa Core,
// section 7.5. root is true for the element at the top of the tree.
func (g *graph) element(n *html.Node, c *context, root bool) error {
	if n.Type != html.ElementNode || n.DataAtom == atom.Template {
		return g.budget.Step(1)
	}
	if err := g.budget.Step(1); err != nil {
		return err
	}
	if !relevant(n) {
		return g.below(n, c)
	}
	if err := g.budget.Step(len(c.prefixes)); err != nil {
		return err
	}
	e := g.attributes(n, c)
	skip := e.subjects(g, c, root)
	if e.typed != "" {
		it := g.item(e.typed)
		for _, t := range e.terms(e.typeof) {
			it.AddType(t)
		}
	}
	inner := &context{names: e.names, lists: c.lists}
	if e.subject != "" && e.subject != c.object {
		inner.lists = &lists{}
	}
	e.arcs(g, inner)
	if err := e.property(g, n, inner.lists); err != nil {
		return err
	}
	if !skip && e.subject != "" {
		g.complete(c, e.subject)
	}
	if skip {
		inner.subject, inner.object, inner.incomplete = c.subject, c.object, c.incomplete
	} else {
		inner.subject = or(e.subject, c.subject)
		inner.object = or(e.object, inner.subject)
	}
	if err := g.below(n, inner); err != nil {
		return err
	}
	if inner.lists != c.lists || root {
		for _, name := range inner.lists.names {
			g.say(or(e.subject, c.subject), name, *inner.lists.values[name])
		}
	}
	return nil
}

func (g *graph) below(n *html.Node, c *context) error {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if err := g.element(child, c, false); err != nil {
			return err
		}
	}
	return nil
}

// stepsPerArc is what an arc costs in nodes: it becomes a value.
const stepsPerArc = 20

// complete joins the arcs that wait for a subject to it.
func (g *graph) complete(c *context, subject string) {
	for _, a := range c.incomplete {
		if g.budget.Step(stepsPerArc) != nil {
			return // the next step says so
		}
		switch {
		case a.list != nil:
			*a.list = append(*a.list, item.Ref(subject))
		case a.forward:
			g.say(c.subject, a.name, item.Ref(subject))
		default:
			g.say(subject, a.name, item.Ref(c.subject))
		}
	}
}

// relevant tells whether an element says anything.
func relevant(n *html.Node) bool {
	for i := range n.Attr {
		switch n.Attr[i].Key {
		case "vocab", "prefix", "typeof", "property", "resource", "about", "rel", "rev", "href", "src":
			return true
		}
	}
	return false
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// text is what a reader sees of an element.
func text(n *html.Node, budget *item.Budget) (string, error) {
	return budget.Keep(values.Text(n, budget.Step))
}
