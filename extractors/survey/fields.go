package survey

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Field is a proposed field of a record.
type Field struct {
	Name       string
	CSS, XPath string // neither: the record's own element
	Attr       string
	Regex      string
	As         string // "" for text
	All        bool
	Required   bool
	Sample     string // what it gives on the page that was looked at
}

// maxFields bounds the fields of one rule.
const maxFields = 24

// fields are the candidates that held, in the order of the page.
func (g *gathering) fields() []Field {
	var out []Field
	taken := map[string]bool{}
	kept := slices.DeleteFunc(slices.Clone(g.all), func(c *candidate) bool { return !g.holds(c) })
	settleLinks(kept)
	best := map[string]*candidate{} // of those that find the same
	for _, c := range kept {
		if b := best[c.found()]; b == nil || c.named && !b.named {
			best[c.found()] = c
		}
	}
	for _, c := range kept {
		if f, ok := c.field(); ok && best[c.found()] == c && len(out) < maxFields {
			f.Name = unique(f.Name, taken)
			out = append(out, f)
		}
	}
	if i := slices.IndexFunc(out, func(f Field) bool { return (f.Name == "title" || f.Name == "name") && f.As == "" }); i >= 0 {
		out[i].Required = true
	}
	// What a record is about comes first.
	rank := func(f Field) int {
		switch {
		case f.Required:
			return 0
		case f.Name == "url":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b Field) int { return rank(a) - rank(b) })
	return out
}

// holds reports whether a candidate finds something in most blocks, and there
// what it is meant to find; it narrows its selector where that helps.
func (g *gathering) holds(c *candidate) bool {
	if c.filled()*2 < len(g.blocks) || c.weak && c.several() || !c.named && c.constant() {
		return false
	}
	if c.css == "" || g.finds(c.css, c) {
		return true
	}
	if c.instead != "" && g.finds(c.instead, c) {
		c.css, c.name = c.instead, c.insteadName
		return true
	}
	return false
}

// finds reports whether a selector finds first what the candidate was made from,
// in the first blocks.
func (g *gathering) finds(css string, c *candidate) bool {
	right, wrong := 0, 0
	for i, b := range g.blocks[:min(len(g.blocks), 10)] {
		if c.nodes[i] == nil {
			continue
		}
		found := g.matching(b, css, 1)
		// A selector may mean an element around the value or within it.
		if len(found) == 1 && (found[0] == c.nodes[i] || isWithin(found[0], c.nodes[i])) {
			right++
		} else {
			wrong++
		}
	}
	return right > wrong
}

func isWithin(n, around *html.Node) bool {
	for ; n != nil; n = n.Parent {
		if n == around {
			return true
		}
	}
	return false
}

// settleLinks calls a link url where it leads to what the block is about.
func settleLinks(all []*candidate) {
	for _, c := range all {
		if c.link && c.name == "url" {
			return
		}
	}
	for _, c := range all {
		if c.link && !c.several() && (c.css == "a" || c.name == "title_url" || c.name == "name_url") {
			c.name, c.named = "url", true
			return
		}
	}
}

// field is the candidate as a field; false for a list of links, which are rarely
// wanted.
func (c *candidate) field() (Field, bool) {
	f := Field{Name: c.name, CSS: c.css, Attr: c.attr, As: c.as, Sample: c.first(), All: c.several()}
	if f.As == "url" && (f.CSS != "" && f.Attr == "href" || f.Attr == "src" && strings.Contains(f.CSS, "img")) {
		f.Attr = "" // an element's own
	}
	if f.All {
		if c.link {
			return Field{}, false
		}
		f.Name = plural(f.Name)
	}
	if f.As == "" {
		samples := c.flat()
		if f.As = guess(f.Name, samples); f.As == "" && !f.All {
			if f.Regex = counted(samples); f.Regex != "" {
				f.As = "integer"
			}
		}
	}
	return f, true
}

func unique(name string, taken map[string]bool) string {
	out := name
	for i := 2; taken[out]; i++ {
		out = name + "_" + string(rune('0'+min(i, 9)))
		if i > 9 {
			break
		}
	}
	taken[out] = true
	return out
}

func (c *candidate) filled() int {
	n := 0
	for _, v := range c.values {
		if len(v) > 0 {
			n++
		}
	}
	return n
}

// several reports whether blocks hold more than one as a rule.
func (c *candidate) several() bool {
	n := 0
	for _, v := range c.values {
		if len(v) > 1 {
			n++
		}
	}
	return n > 0 && n*4 >= c.filled()
}

// constant reports whether all blocks say the same, as buttons and labels do.
func (c *candidate) constant() bool {
	for _, v := range c.values[1:] {
		if !slices.Equal(v, c.values[0]) {
			return false
		}
	}
	return len(c.values) > 1
}

func (c *candidate) flat() []string { return slices.Concat(c.values...) }

func (c *candidate) found() string { return c.as + "\x00" + strings.Join(c.flat(), "\x00") }

func (c *candidate) first() string {
	for _, v := range c.values {
		if len(v) > 0 {
			return v[0]
		}
	}
	return ""
}
