package selectors

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/markup"
	"github.com/amblecrawl/amble/extractors/values"
)

// Most fields are found by a name, a class or an id. Then the page's tree is not
// needed: the few elements that may match are read off its tokens, with what is
// below them. That is a fifth of the time of parsing, which is most of what a
// page costs.

// wants are the elements that the fields of an extractor may match. There are
// none where a field goes by what stands around an element, by XPath, or by
// something that is not thought of here: then it takes the tree.
func (x *Extractor) wants() []markup.Want {
	var all []markup.Want
	base := false
	if x.When != nil {
		return nil
	}
	for _, f := range x.Fields {
		w := wantsOf(f.CSS)
		if !isPlain(f) || w == nil && (f.CSS != "" || x.Each == nil) {
			return nil
		}
		all = append(all, w...)
		as := values.Type(f.As)
		base = base || as == values.AsURL || as == values.AsMarkdown
	}
	if x.Each != nil {
		if *x.Each != (Selector{CSS: x.Each.CSS}) {
			return nil
		}
		all = wantsOf(x.Each.CSS) // the fields are below these
	}
	if base && all != nil {
		all = append(all, markup.Want{Tag: "base", Attr: "href", Match: func(*html.Node) bool { return true }})
	}
	return all
}

// isPlain reports whether a field sets no keys but those that are thought of here.
func isPlain(f Field) bool {
	f.Name, f.CSS, f.Attr, f.Regex, f.Group, f.As, f.Locale, f.Default, f.All, f.Required = "", "", "", "", "", "", "", nil, false, false
	return reflect.ValueOf(f).IsZero()
}

// simple is one alternative of a selector, up to its comma: a name, then classes,
// ids and attributes.
var (
	simple = regexp.MustCompile(`^\s*([a-zA-Z][\w-]*)?((?:` + itself + `)*)\s*(?:,|$)`)
	single = regexp.MustCompile(itself)
)

// itself is a class, an id or an attribute.
const itself = `([.#])([a-zA-Z_][\w-]*)|\[\s*([a-zA-Z][\w-]*)\s*(?:[~|^$*]?=\s*(?:[a-zA-Z_][\w-]*|"[^"\\\n]*"|'[^'\\\n]*')\s*)?\]`

// unwritten are elements that are there when a page does not write them.
var unwritten = []string{"html", "head", "body", "tbody", "colgroup"}

// wantsOf are the alternatives of a CSS selector, or none where one of them asks
// for more than what an element is itself.
func wantsOf(css string) []markup.Want {
	group, err := cascadia.ParseGroup(css)
	if err != nil {
		return nil
	}
	var all []markup.Want
	for rest := css; rest != ""; {
		found := simple.FindStringSubmatch(rest)
		if found == nil || found[1] == "" && found[2] == "" || slices.Contains(unwritten, strings.ToLower(found[1])) {
			return nil
		}
		rest = rest[len(found[0]):]
		w := markup.Want{Tag: strings.ToLower(found[1]), Match: func(n *html.Node) bool { return matches(group, n) }}
		for _, part := range single.FindAllStringSubmatch(found[2], -1) {
			switch part[1] {
			case ".":
				w.Class = part[2]
			case "#":
				w.ID = part[2]
			default:
				w.Attr = strings.ToLower(part[3])
			}
		}
		all = append(all, w)
	}
	return all
}

// NeedsTree is false where the fields are found without. Pages that are not HTML
// then come, too, and give nothing, unless all selectors look into JSON: such a rule
// reads pages that are JSON, and leaves HTML pages alone.
func (x *Extractor) NeedsTree() bool {
	return x.Validate() != nil || x.plan.tree && x.plan.wants == nil
}

// tree is what the fields are looked for in: the page's tree, or as much of it as
// they need where nobody has asked for it.
func (x *Extractor) tree(p *crawler.Page) (*html.Node, error) {
	if x.plan.wants != nil && !p.Parsed() {
		if root, ok := markup.Sparse(p.Response.Body, x.plan.wants); ok {
			return root, nil
		}
	}
	doc, err := p.Document()
	if err != nil {
		return nil, err
	}
	return doc.Nodes[0], nil
}
