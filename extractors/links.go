package extractors

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// LinkRule says which elements hold references to follow.
type LinkRule struct {
	CSS  string
	Attr string // the attribute that holds the URL, "href" when empty
}

// DefaultLinks are what a reader can click.
var DefaultLinks = []LinkRule{{CSS: "a[href]"}, {CSS: "area[href]"}}

// linkRules are compiled rules.
type linkRules struct {
	rules []compiledLink
	// scan holds the elements to look for when the rules need no tree.
	scan     scanTargets
	scanable bool
}

type compiledLink struct {
	match cascadia.SelectorGroup
	attr  string
}

func compileLinks(rules []LinkRule) (*linkRules, error) {
	if len(rules) == 0 {
		rules = DefaultLinks
	}
	l := &linkRules{scanable: true}
	for i, r := range rules {
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
		l.rules = append(l.rules, compiledLink{match: match, attr: attr})
		l.scanable = attr == "href" && l.scan.add(r.CSS) && l.scanable
	}
	return l, nil
}

// linksType stands for the record type in what is said about a page's links.
const linksType = "links"

// reference is a link as the page writes it.
type reference struct {
	raw      string
	noFollow bool
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
	if pl.links == nil || !p.IsHTML() {
		return nil
	}
	e := crawler.NewEmitter(linksType, p, r)
	panicked, err := pl.call(linksType, p, func() error {
		refs, err := pl.links.read(ctx, p, tree)
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
	for _, r := range l.rules {
		if v, ok := attribute(n, r.attr); ok && r.match.Match(n) {
			rel, _ := attribute(n, "rel")
			out.refs = append(out.refs, reference{raw: v, noFollow: isNoFollow(rel)})
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

// resolve adds the references as links, each URL once. A URL that is linked
// both ways may be followed. It names the bound that cut some off, if one did.
func (pl *Pipeline) resolve(p *crawler.Page, refs references, r *crawler.Result) (bound string) {
	if len(refs.refs) == 0 {
		return ""
	}
	base := p.URL
	if refs.hasBase {
		base = urls.BaseOf(p.URL, refs.base)
	}
	first := len(r.Links)
	// A long base makes much of short references: no page is to grow far beyond
	// its own size in memory by its links.
	room := max(leastLinkRoom, 4*len(p.Response.Body))
	seen := make(map[string]int, min(len(refs.refs), pl.maxLinks))
	for _, ref := range refs.refs {
		if leadsNowhere(ref.raw) {
			continue
		}
		u, err := base.Resolve(ref.raw)
		if err != nil || !u.IsHTTP() {
			continue
		}
		u = u.WithoutFragment()
		if at, ok := seen[u.String()]; ok {
			r.Links[at].NoFollow = r.Links[at].NoFollow && ref.noFollow
			continue
		}
		if len(r.Links)-first == pl.maxLinks {
			return fmt.Sprintf("%d links", pl.maxLinks)
		}
		if room -= len(u.String()); room < 0 {
			return "four times the page's size in links"
		}
		seen[u.String()] = len(r.Links)
		r.Links = append(r.Links, crawler.Link{URL: u, NoFollow: ref.noFollow})
	}
	return ""
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
