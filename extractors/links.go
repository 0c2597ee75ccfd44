package extractors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// LinkRule says which elements hold references to follow, and what is known of
// where they lead.
type LinkRule struct {
	CSS  string
	Attr string // the attribute that holds the URL, "href" when empty
	// Finder finds the references instead, where CSS is empty.
	Finder crawler.LinkFinder
	// Takes tells which URLs the rule is for; nil: all.
	Takes func(urls.URL) bool
	// MaxDepth is the most links between a seed and what the rule leads to; 0: no
	// bound.
	MaxDepth int
	Priority uint8
	Types    []string // the record types that it leads to
	// Kind is that of the requests that it makes.
	Kind crawler.Kind
}

// DefaultLinks are what a reader can click.
var DefaultLinks = []LinkRule{{CSS: "a[href]"}, {CSS: "area[href]"}}

// linkRules are compiled rules.
type linkRules struct {
	rules []compiledLink
	// scan holds the elements to look for when the rules need no tree.
	scan     scanTargets
	scanable bool
	// byA and byArea are the rules that look for these elements alone, of which a
	// page's tokens tell.
	byA, byArea []int
}

type compiledLink struct {
	LinkRule
	match cascadia.SelectorGroup // nil where a finder finds
	attr  string
	self  []int // its own number
}

// takes reports whether the rule is for a URL found on a page.
func (c *compiledLink) takes(p *crawler.Page, u urls.URL) bool {
	return (c.MaxDepth == 0 || int(p.Request.Depth) < c.MaxDepth) && (c.Takes == nil || c.Takes(u))
}

func compileLinks(rules []LinkRule) (*linkRules, error) {
	if len(rules) == 0 {
		rules = DefaultLinks
	}
	l := &linkRules{scanable: true}
	for i, r := range rules {
		if r.CSS == "" && r.Finder != nil {
			l.rules = append(l.rules, compiledLink{LinkRule: r, self: []int{i}})
			continue
		}
		match, err := cascadia.ParseGroup(r.CSS)
		if err != nil {
			return nil, &crawler.ConfigError{
				Path: []string{"links", strconv.Itoa(i), "css"},
				Msg:  fmt.Sprintf("the CSS selector %q does not compile: %v", r.CSS, err),
			}
		}
		attr := strings.ToLower(r.Attr)
		if attr == "" {
			attr = "href"
		}
		r.Finder = nil
		l.rules = append(l.rules, compiledLink{LinkRule: r, match: match, attr: attr, self: []int{i}})
		var own scanTargets
		l.scanable = attr == "href" && own.add(r.CSS) && l.scanable
		if own.a {
			l.byA = append(l.byA, i)
		}
		if own.area {
			l.byArea = append(l.byArea, i)
		}
	}
	l.scan = scanTargets{a: l.byA != nil, area: l.byArea != nil}
	return l, nil
}

// linksType stands for the record type in what is said about a page's links.
const linksType = "links"

// reference is a link as the page writes it.
type reference struct {
	raw      string
	noFollow bool
	area     bool               // read off the tokens of an area, not of an a
	rules    []int              // that found it; nil: read off the tokens
	found    *crawler.Reference // what a finder says of it, nil without one
}

// references are a page's links before they are resolved.
type references struct {
	base    string // the first <base href>
	hasBase bool
	refs    []reference
}

// gather adds a page's links to r: from its tree when tree is set (it is parsed
// anyway) or the rules need it, else from its tokens.
func (pl *Pipeline) gather(ctx context.Context, p *crawler.Page, r *crawler.Result, tree bool) error {
	if pl.links == nil || !p.URL.IsHTTP() {
		return nil
	}
	e := crawler.NewEmitter(linksType, p, r)
	panicked, err := pl.call(linksType, p, func() error {
		var refs references
		var err error
		if p.IsHTML() {
			refs, err = pl.links.read(ctx, p, tree || pl.links.needsTree())
		}
		err = errors.Join(err, pl.links.ask(ctx, p, e, &refs, pl.maxLinks))
		if bound := pl.resolve(p, refs, r); bound != "" {
			e.FieldError("", "", false, fmt.Errorf("more than %s on one page: the rest was left out", bound))
		}
		return err
	})
	switch {
	case panicked:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		e.FieldError("", "", false, err)
	}
	return nil
}

// needsTree reports whether a finder will ask for the page's tree.
func (l *linkRules) needsTree() bool {
	return slices.ContainsFunc(l.rules, func(c compiledLink) bool { return c.Finder != nil && asksForTree(c.Finder) })
}

func asksForTree(f crawler.LinkFinder) bool {
	t, ok := f.(crawler.TreeReader)
	return !ok || t.NeedsTree()
}

// ask adds what the finders find, at most max references each.
func (l *linkRules) ask(ctx context.Context, p *crawler.Page, e *crawler.Emitter, out *references, max int) error {
	var errs []error
	for i := range l.rules {
		rule := &l.rules[i]
		if rule.Finder == nil || !p.IsHTML() && asksForTree(rule.Finder) || rule.MaxDepth > 0 && int(p.Request.Depth) >= rule.MaxDepth {
			continue
		}
		n := 0
		err := rule.Finder.Find(ctx, p, e, func(ref crawler.Reference) bool {
			out.refs = append(out.refs, reference{raw: ref.Ref, noFollow: ref.NoFollow, rules: rule.self, found: &ref})
			n++
			return n <= max
		})
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// read finds the references. A page whose tree is refused gives what its tokens
// give, with the refusal as the error when the rules asked for more than that.
func (l *linkRules) read(ctx context.Context, p *crawler.Page, tree bool) (references, error) {
	if l.scanable && !tree {
		if refs, exact := l.scan.scan(p.Response.Body); exact {
			return refs, nil
		}
	}
	doc, err := p.Document()
	if err != nil {
		if l.scanable {
			err = nil
		}
		return l.scan.scanLoosely(p.Response.Body), err
	}
	return l.walk(ctx, doc.Nodes[0]), nil
}

// walk finds the references in a tree, in document order.
func (l *linkRules) walk(ctx context.Context, root *html.Node) references {
	var out references
	visited := 0
	for n := root; n != nil; {
		if visited++; visited%256 == 0 && ctx.Err() != nil {
			return out
		}
		inert := false
		if n.Type == html.ElementNode {
			inert = l.visit(n, &out)
		}
		n = following(n, root, !inert)
	}
	return out
}

// visit adds what one element refers to, and reports whether its content is
// inert: a browser shows nothing of it.
func (l *linkRules) visit(n *html.Node, out *references) (inert bool) {
	switch n.Data {
	case "template":
		if n.Namespace == "" {
			return true
		}
	case "base":
		if href, ok := attribute(n, "href"); ok && !out.hasBase && n.Namespace == "" {
			out.base, out.hasBase = href, true
		}
	}
	for i := range l.rules {
		r := &l.rules[i]
		if r.match == nil {
			continue
		}
		if v, ok := attribute(n, r.attr); ok && r.match.Match(n) {
			rel, _ := attribute(n, "rel")
			out.refs = append(out.refs, reference{raw: v, noFollow: isNoFollow(rel), rules: r.self})
		}
	}
	return false
}

// following is the next node of the tree below root in document order.
func following(n, root *html.Node, descend bool) *html.Node {
	if descend && n.FirstChild != nil {
		return n.FirstChild
	}
	for n != root {
		if n.NextSibling != nil {
			return n.NextSibling
		}
		n = n.Parent
	}
	return nil
}

func attribute(n *html.Node, key string) (string, bool) {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			return n.Attr[i].Val, true
		}
	}
	return "", false
}

// isNoFollow reports whether rel asks that a link be given no weight:
// nofollow, and its kin ugc and sponsored.
func isNoFollow(rel string) bool {
	for token := range strings.FieldsSeq(rel) {
		switch strings.ToLower(token) {
		case "nofollow", "ugc", "sponsored":
			return true
		}
	}
	return false
}

// resolve adds the references as links, each request once. A URL that is linked
// both ways may be followed. Of several rules that find it the first decides. It
// names the bound that cut some off, if one did.
func (pl *Pipeline) resolve(p *crawler.Page, refs references, r *crawler.Result) (bound string) {
	if len(refs.refs) == 0 {
		return ""
	}
	base := p.URL
	if refs.hasBase {
		base = urls.BaseOf(p.URL, refs.base)
	}
	first := len(r.Links)
	r.Links = slices.Grow(r.Links, min(len(refs.refs), 256))
	// A long base makes much of short references: no page is to grow far beyond
	// its own size in memory by its links.
	room := max(leastLinkRoom, 4*len(p.Response.Body))
	seen := make(map[string]int, min(len(refs.refs), pl.maxLinks))
	owners := make([]int, 0, min(len(refs.refs), pl.maxLinks))
	for i := range refs.refs {
		ref := &refs.refs[i]
		if leadsNowhere(ref.raw) {
			continue
		}
		u, err := base.Resolve(ref.raw)
		if err != nil || !u.IsHTTP() {
			continue
		}
		u = u.WithoutFragment()
		owner := pl.links.owner(p, ref, u)
		if owner < 0 {
			continue
		}
		key := ref.key(u)
		if at, ok := seen[key]; ok {
			link := &r.Links[first+at]
			noFollow := link.NoFollow && ref.noFollow
			if owner < owners[at] {
				*link, owners[at] = pl.links.link(owner, ref, u), owner
			}
			link.NoFollow = noFollow
			continue
		}
		if len(r.Links)-first == pl.maxLinks {
			return fmt.Sprintf("%d links", pl.maxLinks)
		}
		if room -= len(key); room < 0 {
			return "four times the page's size in links"
		}
		seen[key] = len(owners)
		owners = append(owners, owner)
		r.Links = append(r.Links, pl.links.link(owner, ref, u))
	}
	return ""
}

// owner is the first rule that found a reference and is for its URL, or -1.
func (l *linkRules) owner(p *crawler.Page, ref *reference, u urls.URL) int {
	rules := ref.rules
	switch {
	case rules != nil:
	case ref.area:
		rules = l.byArea
	default:
		rules = l.byA
	}
	for _, i := range rules {
		if l.rules[i].takes(p, u) {
			return i
		}
	}
	return -1
}

func (l *linkRules) link(owner int, ref *reference, u urls.URL) crawler.Link {
	rule := &l.rules[owner]
	link := crawler.Link{URL: u, Kind: rule.Kind, NoFollow: ref.noFollow, Priority: rule.Priority, Types: rule.Types}
	if ref.found != nil {
		link.Call, link.Carry = ref.found.Call, ref.found.Carry
	}
	return link
}

// key tells the requests of a page's links apart.
func (ref *reference) key(u urls.URL) string {
	if ref.found == nil || ref.found.Call.Digest() == 0 {
		return u.String()
	}
	return u.String() + " " + ref.found.Call.Method + " " + ref.found.Call.Body
}

// leastLinkRoom is how many octets of links a small page may have.
const leastLinkRoom = 256 << 10

// leadsNowhere spots the commonest references that are not http(s), to save
// resolving them.
func leadsNowhere(ref string) bool {
	if len(ref) == 0 {
		return false
	}
	switch ref[0] {
	case 'j', 'J':
		return hasPrefixFold(ref, "javascript:")
	case 'm', 'M':
		return hasPrefixFold(ref, "mailto:")
	case 't', 'T':
		return hasPrefixFold(ref, "tel:")
	case 'd', 'D':
		return hasPrefixFold(ref, "data:")
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
