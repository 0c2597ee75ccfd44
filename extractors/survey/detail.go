package survey

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

// Detail is the rule for pages that are about one thing each, made from one or
// more pages of the kind. ok is false when they have no more than a heading.
func Detail(roots ...*html.Node) (rule Rule, ok bool) {
	w := &work{left: maxSteps}
	var mains []*html.Node
	lists := map[*html.Node]bool{}
	for _, root := range roots {
		mains = append(mains, mainOf(root))
		for _, g := range w.groups(root) {
			if len(g.members) < 3 || g.name == "" && !w.linksOut(g) {
				continue
			}
			for _, m := range g.members {
				lists[m] = true
			}
		}
	}
	skip := func(n *html.Node) bool {
		return furniture(n) || n.DataAtom == atom.Table || n.DataAtom == atom.Dl || lists[n] && !named(n)
	}
	got := newGathering(w, mains, aboutWords(mains[0]), true, skip)
	seen := map[string]bool{}
	for _, f := range got.fields() {
		if !got.telling(f) || len(rule.Fields) == maxDetailFields {
			continue
		}
		f.CSS = w.fromRoot(roots[0], mains[0], f.CSS)
		seen[f.Name] = true
		rule.Fields = append(rule.Fields, f)
	}
	rule.Fields = append(rule.Fields, w.labelled(mains[0], seen)...)
	rule.Fields = append(rule.Fields, w.body(roots[0], mains[0], seen)...)
	rule.Fields = append(rule.Fields, described(roots[0], rule.Fields)...)
	rule.Type = detailType(roots[0])
	return rule, len(rule.Fields) > 1
}

// named reports whether an element says by its own markup what it is.
func named(n *html.Node) bool { return attr(n, "itemprop") != "" || attr(n, "rel") != "" }

// maxDetailFields bounds the fields of a detail page that are found by their
// classes.
const maxDetailFields = 14

// listNames are lists that a page about one thing has of its own.
var listNames = []string{"tags", "categories", "keywords", "genres", "topics", "authors", "breadcrumbs", "features", "ingredients", "subjects"}

// numbered are names that another field had first.
var numbered = regexp.MustCompile(`_[2-9]$`)

// telling leaves out texts, links and lists of which nobody says what they are.
func (g *gathering) telling(f Field) bool {
	switch {
	case f.CSS == "", numbered.MatchString(f.Name), strings.HasPrefix(f.CSS, "a[href"), plainTag(f.CSS) && f.Name == "text":
		return false
	case f.All:
		return slices.Contains(listNames, f.Name) || strings.HasPrefix(f.CSS, "[")
	case f.As == "url":
		return f.Attr != "" || strings.Contains(f.CSS, "img") || g.isImage(f)
	}
	return true
}

// plainTag reports whether a selector ends in a tag without a name.
func plainTag(css string) bool {
	last := css[strings.LastIndexByte(css, ' ')+1:]
	return !strings.ContainsAny(last, ".#[") || strings.HasSuffix(last, ":not([class])")
}

// isImage reports whether a field was found on an image.
func (g *gathering) isImage(f Field) bool {
	c := g.known[f.CSS+"\x00src"]
	return c != nil && f.Sample == c.first()
}

// linksOut reports whether the members are little more than links.
func (w *work) linksOut(g *group) bool {
	return first(g.members[0], byAtom(atom.A)) != nil
}

// mainOf is the element that holds what a page is about.
func mainOf(root *html.Node) *html.Node {
	for _, fits := range []func(*html.Node) bool{
		byAtom(atom.Main),
		func(n *html.Node) bool { return attr(n, "role") == "main" },
		byAtom(atom.Article),
		func(n *html.Node) bool { id := attr(n, "id"); return id == "content" || id == "main" },
		byAtom(atom.Body),
	} {
		if n := first(root, fits); n != nil {
			return n
		}
	}
	return root
}

// aboutWords are the words of the classes around the main heading, which the
// fields need not repeat.
func aboutWords(main *html.Node) []string {
	var out []string
	n := first(main, byAtom(atom.H1))
	if n == nil {
		n = main
	}
	for up := n; up != nil && up.DataAtom != atom.Body; up = up.Parent {
		for _, c := range classes(up) {
			if up != n {
				out = append(out, words(c)...)
			}
		}
	}
	return out
}

// fromRoot makes a selector that works within main work from the root: what it
// finds first must be what it found in main.
func (w *work) fromRoot(root, main *html.Node, css string) string {
	inside, all := w.matching(main, css, 1), w.matching(root, css, 1)
	if len(inside) == 0 || len(all) == 0 || inside[0] == all[0] {
		return css
	}
	if h := handle(main); h != "" {
		return h + " " + css
	}
	return css
}

// labelled are the fields that stand beside their names, in tables of two
// columns and in description lists.
func (w *work) labelled(main *html.Node, seen map[string]bool) []Field {
	var out []Field
	w.below(main, func(n *html.Node) bool {
		if furniture(n) {
			return false
		}
		if len(out) == maxFields || n.DataAtom != atom.Th && n.DataAtom != atom.Dt {
			return true
		}
		value, tag := nextElement(n), "dd"
		if n.DataAtom == atom.Th {
			tag = "td"
		}
		if value == nil || value.Data != tag || tag == "td" && nextElement(value) != nil {
			return false
		}
		label, text := w.text(n), w.text(value)
		name := fieldName(label, nil)
		if label == "" || text == "" || len(label) > 40 || strings.ContainsAny(label, `'"`) || seen[name] {
			return false
		}
		own, nth := "normalize-space()", ""
		if raw, err := values.RawText(n, w.step); err == nil && raw == label {
			own = "."
		}
		if tag == "dd" {
			nth = "[1]" // the other terms' follow
		}
		seen[name] = true
		out = append(out, Field{
			Name: name, XPath: "//" + n.Data + "[" + own + "='" + label + "']/following-sibling::" + tag + nth,
			As: guess(name, []string{text}), Sample: text,
		})
		return false
	})
	return out
}

func nextElement(n *html.Node) *html.Node {
	for n = n.NextSibling; n != nil && n.Type != html.ElementNode; n = n.NextSibling {
	}
	return n
}

// minBody is how much running text makes a field of its own.
const minBody = 300

// body is the field of the running text, where there is some.
func (w *work) body(root, main *html.Node, seen map[string]bool) []Field {
	if seen["text"] || seen["body"] || seen["content"] {
		return nil
	}
	// The element that holds the most text in paragraphs of its own.
	var best *html.Node
	most := minBody
	sums := map[*html.Node]int{}
	w.below(main, func(n *html.Node) bool {
		if furniture(n) {
			return false
		}
		if n.DataAtom == atom.P && n.Parent != nil {
			if sums[n.Parent] += len(w.text(n)); sums[n.Parent] > most {
				most, best = sums[n.Parent], n.Parent
			}
		}
		return true
	})
	if best == nil {
		return nil
	}
	css := Selector(best)
	if css == "" || css == "body" || len(w.matching(root, css, 2)) != 1 {
		return nil
	}
	return []Field{{Name: "text", CSS: css, As: "markdown", Sample: w.text(best)}}
}

// described is the page's own description, where no field has it yet.
func described(root *html.Node, have []Field) []Field {
	meta := first(root, func(n *html.Node) bool { return n.DataAtom == atom.Meta && attr(n, "name") == "description" })
	if meta == nil || attr(meta, "content") == "" {
		return nil
	}
	for _, f := range have {
		if f.Name == "description" || f.Name == "summary" || f.Sample == attr(meta, "content") {
			return nil
		}
	}
	return []Field{{Name: "description", CSS: "meta[name=description]", Attr: "content", Sample: attr(meta, "content")}}
}

// detailType names what a page is about by what it says of itself.
func detailType(root *html.Node) string {
	for _, d := range Structured(root) {
		for _, t := range d.Types {
			if name := typeName(t); name != "" && !generic[name] {
				return name
			}
		}
	}
	return ""
}

// generic are types that pages have beside what they are about.
var generic = map[string]bool{
	"website": true, "web_site": true, "web_page": true, "organization": true, "breadcrumb": true, "breadcrumb_list": true, "person": true, "offer": true,
	"item_list": true, "search_action": true, "image_object": true, "aggregate_rating": true, "rating": true, "imageobject": true,
}
