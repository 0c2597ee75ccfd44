package survey

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Rule is a proposed rule of extraction by selectors.
type Rule struct {
	Type   string
	Each   string // CSS; "" for one record a page
	Fields []Field
	Blocks int // how many of them the page has

	// Link is the CSS selector, from the page's root, of the links that lead from
	// the blocks to pages of their own; Links are where they lead, as written.
	Link  string
	Links []string
}

// The bounds of the search for blocks.
const (
	maxGroups  = 3000
	maxMembers = 400
	maxRead    = 60 // blocks that are read for fields
	maxTried   = 16 // groups
)

// group are elements that look alike.
type group struct {
	css     string
	name    string // what their class or type calls them
	members []*html.Node
	fields  []Field
	score   float64
}

// Blocks are the rules for blocks that repeat on a page, the most telling first.
// Of several ways to see the same blocks only the best is given.
func Blocks(root *html.Node) []Rule {
	w := &work{left: maxSteps}
	groups := w.groups(root)
	total := max(1, len(w.text(root)))
	for _, g := range groups {
		w.rate(g, root, total)
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(b.score, a.score) })
	var rules []Rule
	var used []*group
	for _, g := range groups {
		if g.score <= 0 || slices.ContainsFunc(used, g.overlaps) || len(rules) == 3 {
			continue
		}
		used = append(used, g)
		rules = append(rules, w.rule(g, root))
	}
	return rules
}

// groups finds the elements that look alike, the most promising ones.
func (w *work) groups(root *html.Node) []*group {
	known := map[string]*group{}
	var all []*group
	put := func(css, name string, n *html.Node) {
		g := known[css]
		if g == nil {
			if len(all) == maxGroups {
				return
			}
			g = &group{css: css, name: name}
			known[css] = g
			all = append(all, g)
		}
		if len(g.members) < maxMembers {
			g.members = append(g.members, n)
		}
	}
	w.below(root, func(n *html.Node) bool {
		if furniture(n) {
			return false
		}
		if mayBeBlock(n) {
			for _, c := range classes(n) {
				put(n.Data+"."+c, c, n)
			}
			if t := attr(n, "itemtype"); t != "" && len(t) < 100 && !strings.ContainsAny(t, `"\`) && len(classes(n)) == 0 {
				put(`[itemtype="`+t+`"]`, t[strings.LastIndexByte(t, '/')+1:], n)
			} else if len(classes(n)) == 0 && plainBlock(n) {
				if css := path(n); css != "" {
					put(css, "", n)
				}
			}
		}
		return true
	})
	all = slices.DeleteFunc(all, func(g *group) bool { return len(g.members) < 2 || g.nested() })
	for _, g := range all {
		g.score = w.weight(g)
	}
	slices.SortStableFunc(all, func(a, b *group) int { return cmp.Compare(b.score, a.score) })
	return all[:min(len(all), maxTried)]
}

// mayBeBlock leaves out elements that hold a value or a part of a table.
func mayBeBlock(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Html, atom.Body, atom.Main, atom.Span, atom.B, atom.I, atom.Em, atom.Strong, atom.Small, atom.Label, atom.Img, atom.Input, atom.Td, atom.Th,
		atom.Thead, atom.Tbody, atom.Tfoot, atom.Table, atom.Ul, atom.Ol, atom.Dl, atom.Br, atom.Hr, atom.Picture, atom.Source, atom.Figcaption,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Time, atom.Code, atom.Pre:
		return false
	}
	return plainName.MatchString(n.Data)
}

// plainBlock reports whether elements without any name may be blocks.
func plainBlock(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Li, atom.Article, atom.Section, atom.Div, atom.Figure, atom.A:
		return true
	}
	return false
}

// nested reports whether one member stands within another.
func (g *group) nested() bool {
	set := make(map[*html.Node]bool, len(g.members))
	for _, m := range g.members {
		set[m] = true
	}
	for _, m := range g.members {
		for up := m.Parent; up != nil; up = up.Parent {
			if set[up] {
				return true
			}
		}
	}
	return false
}

// weight is how much text a group's members hold, each counted up to a bound.
func (w *work) weight(g *group) float64 {
	sum := 0
	for _, m := range g.members[:min(len(g.members), maxRead)] {
		sum += min(len(w.text(m)), 400)
	}
	return float64(sum)
}

// rate reads a group's fields and scores it.
func (w *work) rate(g *group, root *html.Node, total int) {
	read := g.members[:min(len(g.members), maxRead)]
	got := newGathering(w, read, words(g.name), false, nil)
	g.fields = got.fields()
	weight := g.score
	g.score = 0
	values, links, lists := 0, 0, 0
	for _, f := range g.fields {
		switch {
		case f.All:
			lists++
		case f.As == "url":
			links++
		default:
			values++
		}
	}
	if values == 0 || values+links < 2 || len(g.members) < 3 && g.name == "" {
		return
	}
	if !w.exact(g, root) {
		return
	}
	covered := math.Min(1, weight/float64(total))
	g.score = covered * float64(values+min(links, 2)+min(lists, 2)) * math.Log2(float64(len(g.members)+1))
	if lists > values { // a box of blocks rather than a block
		g.score /= 4
	}
	switch {
	case g.name == "":
		g.score *= 0.7
	case strings.HasPrefix(g.css, "["), strings.HasPrefix(g.css, "article"):
		g.score *= 1.2
	}
}

// exact reports whether the group's selector finds the group and not much else.
func (w *work) exact(g *group, root *html.Node) bool {
	selector, err := cascadia.ParseGroup(g.css)
	if err != nil {
		return false
	}
	found := 0
	w.below(root, func(n *html.Node) bool {
		if selector.Match(n) {
			found++
		}
		return true
	})
	return found <= len(g.members)+len(g.members)/2 || len(g.members) == maxMembers
}

// overlaps reports whether blocks of g and other lie within each other.
func (g *group) overlaps(other *group) bool {
	set := make(map[*html.Node]bool, len(other.members))
	for _, m := range other.members {
		set[m] = true
	}
	inside := func(ms []*html.Node) bool {
		for _, m := range ms {
			for up := m; up != nil; up = up.Parent {
				if set[up] {
					return true
				}
			}
		}
		return false
	}
	if inside(g.members) {
		return true
	}
	clear(set)
	for _, m := range g.members {
		set[m] = true
	}
	return inside(other.members)
}

func (w *work) rule(g *group, root *html.Node) Rule {
	r := Rule{Type: typeName(g.name), Each: g.css, Fields: g.fields, Blocks: len(g.members)}
	if r.Type == "" {
		r.Type = w.nameAround(g.members[0])
	}
	if tag, class, ok := strings.Cut(g.css, "."); ok && tag != "" && !strings.ContainsAny(g.css, " [") {
		short := *g
		if short.css = "." + class; w.exact(&short, root) {
			r.Each = short.css // the tag adds nothing
		}
	}
	if link := linkField(g.fields); link != nil {
		r.Link = strings.TrimSpace(r.Each + " " + link.CSS)
		for _, n := range w.matching(root, r.Link, 100) {
			if href := attr(n, "href"); href != "" {
				r.Links = append(r.Links, href)
			}
		}
	}
	return r
}

// linkField is the field that leads to a page about the block, or about part of it.
func linkField(fields []Field) *Field {
	var any *Field
	for i, f := range fields {
		switch {
		case f.Name == "url":
			return &fields[i]
		case any == nil && strings.HasSuffix(f.Name, "_url"):
			any = &fields[i]
		}
	}
	return any
}

// nameAround names blocks by the class or id of what holds them.
func (w *work) nameAround(n *html.Node) string {
	for up, i := n.Parent, 0; up != nil && i < 4; up, i = up.Parent, i+1 {
		for _, name := range append(classes(up), attr(up, "id")) {
			if t := typeName(name); stable(name) && t != "" {
				return t
			}
		}
	}
	return "item"
}
