package survey

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// candidate is a selector that may become a field, with what it finds in each
// block.
type candidate struct {
	css, attr, as, name string
	// instead is a narrower selector, and the name it gives, for when css finds
	// something else first.
	instead, insteadName string

	values [][]string
	nodes  []*html.Node // the first of each block
	named  bool         // by something that authors wrote for machines, such as itemprop
	weak   bool         // only a tag
	link   bool
}

// gathering collects candidates from blocks of the same kind.
type gathering struct {
	*work
	around []string // words of the blocks' own name
	blocks []*html.Node
	ids    bool // they may go by ids, as things do that are there once
	skip   func(*html.Node) bool

	at    int // the block that is read
	block *html.Node
	title bool // it has had its title
	h1    bool // it has a heading of the first rank
	known map[string]*candidate
	all   []*candidate
}

func newGathering(w *work, blocks []*html.Node, around []string, ids bool, skip func(*html.Node) bool) *gathering {
	g := &gathering{work: w, around: around, blocks: blocks, ids: ids, skip: skip, known: map[string]*candidate{}}
	for i, b := range blocks {
		g.at, g.block, g.title = i, b, false
		g.h1 = ids && first(b, byAtom(atom.H1)) != nil
		g.element(b, true)
		g.below(b, func(n *html.Node) bool { return g.element(n, false) })
	}
	return g
}

// add takes what a candidate finds in the block that is read.
func (g *gathering) add(n *html.Node, c candidate, value string) {
	value = strings.TrimSpace(value)
	if value == "" || len(g.all) >= 200 || !c.named && idle(c.css) {
		return
	}
	key := c.css + "\x00" + c.attr
	have := g.known[key]
	if have == nil {
		have = &c
		have.values, have.nodes = make([][]string, len(g.blocks)), make([]*html.Node, len(g.blocks))
		g.known[key] = have
		g.all = append(g.all, have)
	}
	if have.nodes[g.at] == nil {
		have.nodes[g.at] = n
	}
	if v := &have.values[g.at]; len(*v) < 20 {
		*v = append(*v, value)
	}
}

// idleWords are words of classes of what is for doing something, or for show.
var idleWords = []string{
	"comment", "comments", "share", "sharing", "social", "facebook", "twitter", "footer", "header", "nav", "menu", "login", "subscribe", "newsletter",
	"ad", "ads", "advert", "advertisement", "sponsor", "sponsored", "promo", "related", "recommended", "cookie", "button", "btn", "skip", "toolbar", "legend",
	"icon", "spinner", "tooltip", "overlay", "modal", "popup", "print", "sr", "hd", "bd", "ft", "more",
}

// idle reports whether a selector's class says that there is no value.
func idle(css string) bool {
	return slices.ContainsFunc(words(css), func(w string) bool { return slices.Contains(idleWords, w) })
}

// element looks at one element of the block; own tells that it is the block
// itself. It says whether to look below.
func (g *gathering) element(n *html.Node, own bool) bool {
	switch {
	case !own && g.skip != nil && g.skip(n):
		return false
	case n.DataAtom == atom.A && hasAttr(n, "href"):
		return g.anchor(n, own)
	case own:
		return true
	case n.DataAtom == atom.Img:
		g.image(n)
	case n.DataAtom == atom.Time:
		css, name := g.naming(n, "time", "date")
		g.add(n, candidate{css: css, as: "date", name: name, named: true}, g.moment(n))
	case isHeading(n):
		g.heading(n)
	case attr(n, "itemprop") != "" && !hasAttr(n, "itemscope"):
		return g.property(n)
	case g.isLeaf(n):
		g.leaf(n)
	default:
		return true
	}
	return false
}

// naming is the selector and the name of an element by its itemprop, rel, class
// or id, or by what it has without these.
func (g *gathering) naming(n *html.Node, css, name string) (string, string) {
	if p := attr(n, "itemprop"); plainName.MatchString(p) {
		return "[itemprop=" + p + "]", fieldName(p, g.around)
	}
	if c := classes(n); len(c) > 0 {
		return "." + c[0], fieldName(c[0], g.around)
	}
	if id := attr(n, "id"); stableID(id) && g.ids {
		return "#" + id, fieldName(id, g.around)
	}
	if up := g.holder(n); up != "" && css == n.Data {
		return up + " " + css, name
	}
	return css, name
}

// maxHolder is how far around an element a class still says what it is.
const maxHolder = 6

// holder is the class of the nearest element around n, within the block, that
// has one.
func (g *gathering) holder(n *html.Node) string {
	up := n.Parent
	for i := 0; up != nil && up != g.block && i < maxHolder && g.step(8) == nil; i++ {
		if c := classes(up); len(c) > 0 {
			return "." + c[0]
		}
		up = up.Parent
	}
	return ""
}

func (g *gathering) moment(n *html.Node) string {
	if v := attr(n, "datetime"); v != "" {
		return v
	}
	return g.text(n)
}

func (g *gathering) image(n *html.Node) {
	for _, key := range []string{"src", "data-src", "data-original"} {
		if v := attr(n, key); v != "" && !strings.HasPrefix(v, "data:") {
			css, name := g.naming(n, "img", "image")
			g.add(n, candidate{css: css, attr: key, as: "url", name: name}, v)
			return
		}
	}
}

func (g *gathering) heading(n *html.Node) {
	css, name := n.Data, "title"
	if c := classes(n); len(c) > 0 {
		css = "." + c[0]
	} else if p := attr(n, "itemprop"); plainName.MatchString(p) {
		css = "[itemprop=" + p + "]"
	}
	if g.ids && !g.title && n.DataAtom != atom.H1 && g.h1 {
		return // that one says what the page is about
	}
	if g.title {
		if css == n.Data {
			return // a heading of a part, which names nothing
		}
		name = fieldName(css, g.around)
	}
	g.title = true
	g.add(n, candidate{css: css, name: name, named: true}, g.text(n))
	if a := first(n, func(c *html.Node) bool { return c.DataAtom == atom.A && hasAttr(c, "href") }); a != nil {
		g.add(a, candidate{css: css + " a", as: "url", name: "url", link: true, named: true}, attr(a, "href"))
	}
}

// property takes an element that has an itemprop.
func (g *gathering) property(n *html.Node) bool {
	css, name := g.naming(n, n.Data, n.Data)
	c := candidate{css: css, name: name, named: true}
	switch n.DataAtom {
	case atom.Meta:
		c.attr = "content"
		g.add(n, c, attr(n, "content"))
	case atom.Link:
		c.as = "url"
		g.add(n, c, attr(n, "href"))
	default:
		g.add(n, c, g.text(n))
	}
	return false
}

// anchor takes a link: its text and where it leads.
func (g *gathering) anchor(n *html.Node, own bool) bool {
	href := attr(n, "href")
	if strings.HasPrefix(href, "#") || strings.HasPrefix(strings.ToLower(href), "javascript:") {
		return true
	}
	if own {
		g.add(n, candidate{attr: "href", as: "url", name: "url", link: true, named: true}, href)
		return true
	}
	if heading := first(n, isHeading); heading != nil {
		css, _ := g.naming(n, "a", "url")
		g.add(n, candidate{css: css, as: "url", name: "url", link: true, named: true}, href)
		return true
	}
	text := g.text(n)
	c := g.anchorName(n, href, text)
	if text != "" {
		t := c
		t.named = attr(n, "rel") != ""
		t.weak = c.css == "a"
		g.add(n, t, text)
	}
	// With as: url an element gives its own href, and the key tells the two apart.
	c.attr, c.as, c.link = "href", "url", true
	if c.name = c.name + "_url"; c.insteadName != "" {
		c.insteadName += "_url"
	}
	g.add(n, c, href)
	return first(n, byAtom(atom.Img)) != nil
}

// anchorName is the selector and the name of a link.
func (g *gathering) anchorName(n *html.Node, href, text string) candidate {
	for rel := range strings.FieldsSeq(attr(n, "rel")) {
		if rel == "author" || rel == "tag" {
			return candidate{css: "[rel=" + rel + "]", name: rel}
		}
	}
	if css, name := g.naming(n, "", ""); css != "" {
		return candidate{css: css, name: name}
	}
	if 2*len(text) > len(g.text(g.block)) || g.onlyLink(n) { // the block is about where it leads
		return candidate{css: "a", name: "title"}
	}
	folder := candidate{css: "a", name: "title"}
	if f := folderOf(href); f != "" {
		folder = candidate{css: `a[href*="/` + f + `/"]`, name: fieldName(f, g.around)}
	}
	if up := g.holder(n); up != "" {
		return candidate{css: up + " a", name: fieldName(up, g.around), instead: up + " " + folder.css, insteadName: folder.name}
	}
	return folder
}

// onlyLink reports whether a link is the only one of its block.
func (g *gathering) onlyLink(a *html.Node) bool {
	return first(g.block, func(n *html.Node) bool { return n != a && n.DataAtom == atom.A && hasAttr(n, "href") }) == nil
}

// folderOf is the first folder of a reference's path that is a word.
func folderOf(href string) string {
	if i := strings.Index(href, "://"); i >= 0 {
		_, href, _ = strings.Cut(href[i+3:], "/")
	}
	href, _, _ = strings.Cut(href, "?")
	parts := strings.Split(href, "/")
	for _, p := range parts[:len(parts)-1] {
		if plainName.MatchString(p) && len(p) > 2 {
			return p
		}
	}
	return ""
}

// isLeaf reports whether an element holds one value: nothing in it has a name of
// its own.
func (g *gathering) isLeaf(n *html.Node) bool {
	leaf := true
	g.below(n, func(c *html.Node) bool {
		switch {
		case c.DataAtom == atom.Time, c.DataAtom == atom.Img, isHeading(c), attr(c, "itemprop") != "", attr(c, "rel") != "", len(classes(c)) > 0,
			c.DataAtom == atom.A && len(classes(n)) == 0:
			leaf = false
		case c.DataAtom == atom.P, c.DataAtom == atom.Li, c.DataAtom == atom.Table, c.DataAtom == atom.Dl:
			leaf = false
		}
		return leaf
	})
	return leaf
}

func (g *gathering) leaf(n *html.Node) {
	text := g.text(n)
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		g.spoken(n)
		return
	}
	css, name := g.naming(n, n.Data, "text")
	c := candidate{css: css, name: name, weak: css == n.Data}
	switch inner := g.afterBy(n); {
	case inner != nil && !c.weak:
		c.css += " " + inner.Data
		text = g.text(inner)
	case c.weak || strings.HasSuffix(css, " "+n.Data):
		c.instead, c.insteadName = css+":not([class])", name
	}
	g.add(n, c, text)
	anchors := 0
	g.below(n, func(c *html.Node) bool {
		if c.DataAtom == atom.A && hasAttr(c, "href") {
			anchors++
			if anchors == 1 {
				g.add(c, candidate{css: css + " a", as: "url", name: name + "_url", link: true}, attr(c, "href"))
			}
		}
		return true
	})
}

// byWords stand before a name that is in an element of its own.
var byWords = []string{"by", "by:", "von", "par", "por", "di", "av", "af", "door", "author:", "autor:"}

// afterBy is the element that alone holds the value of n, as in <p>by <b>X</b></p>.
func (g *gathering) afterBy(n *html.Node) *html.Node {
	var inner *html.Node
	own := ""
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch {
		case c.Type == html.TextNode:
			own += c.Data
		case c.Type == html.ElementNode && inner == nil:
			inner = c
		case c.Type == html.ElementNode:
			return nil
		}
	}
	if inner != nil && slices.Contains(byWords, strings.ToLower(strings.TrimSpace(own))) {
		return inner
	}
	return nil
}

// spoken takes what an element of signs, such as stars, says to those who do not
// see it.
func (g *gathering) spoken(n *html.Node) {
	css, name := g.naming(n, "", "")
	if css == "" {
		return
	}
	for _, key := range []string{"content", "data-rating", "data-value", "title", "aria-label"} {
		if v := attr(n, key); v != "" {
			g.add(n, candidate{css: css, attr: key, name: name}, v)
			return
		}
	}
}
