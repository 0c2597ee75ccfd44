package draft

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/survey"
)

// propose fills a draft by what the page offers, and leaves out of it what gives
// no record on the pages that were looked at.
func (l *look) propose(ctx context.Context, d *draft) error {
	page := l.pages[0]
	d.url = page.URL.WithoutFragment()
	d.seeds = []draftSeed{{url: d.url.Redacted()}}
	if root := crawl.Root(page); root != nil {
		l.proposeHTML(ctx, d, root)
	} else {
		l.proposeOther(ctx, d)
	}
	l.remarks(d)
	if len(d.rules) > 0 {
		if err := l.trial(ctx, d); err != nil {
			return err
		}
		d.rules = slices.DeleteFunc(d.rules, func(r draftRule) bool { return r.found == 0 && !r.unseen })
	}
	if ctx.Err() != nil {
		return exit.Silent(exit.Interrupted)
	}
	if slices.ContainsFunc(d.rules, func(r draftRule) bool { return r.found > 0 || r.unseen && r.plugin == "page" }) {
		return nil
	}
	if crawl.Root(page) == nil {
		return exit.With(exit.Nothing, fmt.Errorf("%s is %s: there is nothing in it that amble could make records of",
			page.URL.Redacted(), cmp.Or(page.Response.MediaType, "of no known type")))
	}
	d.rules = append(d.rules, draftRule{kind: "page", plugin: "page", note: "Nothing that repeats was found: this gives each page's title, text and links."})
	d.links, d.linksOff = nil, false
	return l.trial(ctx, d)
}

// remarks are what a person should know of the site beforehand.
func (l *look) remarks(d *draft) {
	x := l.crawl.Gate.Explain(l.pages[0].URL.Origin(), l.pages[0].URL.Fetch())
	if l.single != nil && x.Owed > l.crawl.Config.Politeness.Delay {
		d.told = append(d.told, fmt.Sprintf("The host asks for %s between requests, and gets it.", x.Owed))
	}
	if said := l.crawl.Stated(l.pages[0].URL); l.single != nil && !strings.HasPrefix(said, "none") && !strings.HasPrefix(said, "robots.txt is not") {
		d.told = append(d.told, "The host says of the use of its pages: "+said+".")
	}
}

// proposeOther is for what is no HTML: JSON, feeds, sitemaps, and what a plugin
// is there for.
func (l *look) proposeOther(ctx context.Context, d *draft) {
	page := l.pages[0]
	d.linksOff = true
	if list, ok := survey.JSON(page.Response.Body); ok {
		rule := jsonRule(list, "")
		rule.kind = cmp.Or(rule.kind, survey.Match{Glob: page.URL.Path() + "/"}.PathType(), "item")
		d.rules = append(d.rules, rule)
		return
	}
	if l.proposeSitemap(ctx, d) {
		return
	}
	for _, r := range []draftRule{
		{kind: "entry", plugin: "feed", options: []draftOption{{"follow", "false                # true fetches the entries' pages, too"}}},
		{kind: "document", plugin: "json"},
		{kind: "text", plugin: "pdf"},
	} {
		if isPDF := page.Response.MediaType == "application/pdf"; compiledIn(r.plugin) && isPDF == (r.plugin == "pdf") {
			d.rules = append(d.rules, r)
		}
	}
}

// proposeSitemap reads the pages that a sitemap lists; false when the page is none.
func (l *look) proposeSitemap(ctx context.Context, d *draft) bool {
	pages, inner := listed(ctx, l.pages[0])
	if len(pages)+len(inner) == 0 {
		return false
	}
	d.seeds = []draftSeed{{url: d.url.Redacted(), sitemap: true, note: "the pages that it lists"}}
	if len(pages) == 0 {
		if p := l.probe(ctx, inner[0]); p != nil {
			pages, _ = listed(ctx, p)
		}
	}
	paths := make([]string, len(pages))
	for i, u := range pages {
		paths[i] = u.Path()
	}
	match, alike := survey.MatchOf(paths)
	var likely []urls.URL
	for _, i := range alike {
		likely = append(likely, pages[i])
	}
	if details := l.details(ctx, spread(likely)); len(details) > 0 {
		l.proposeDetail(d, details, match, "", "The pages like "+details[0].URL.Path())
	}
	if len(d.rules) == 0 {
		d.add(draftRule{kind: "page", plugin: "page", unseen: true, note: "The title, text and links of each page."})
	}
	return true
}

// maxListed bounds the addresses that are taken from a sitemap.
const maxListed = 2000

func compiledIn(plugin string) bool { return slices.Contains(crawler.Extractors.IDs(), plugin) }

// jsonRule reads a list of objects, from a script when css is given.
func jsonRule(list survey.List, css string) draftRule {
	r := draftRule{kind: survey.TypeName(list.Name), plugin: "json", note: fmt.Sprintf("%d objects in the JSON at %s", list.Count, list.Path)}
	if css != "" {
		r.options = append(r.options, draftOption{"script", scalar(css)})
	}
	r.options = append(r.options, draftOption{"each", scalar(list.Path)})
	if list.Next != "" {
		r.options = append(r.options, draftOption{"next", scalar(list.Next)})
	}
	var b strings.Builder
	for _, name := range list.Fields {
		if strings.HasPrefix(name, "_") {
			continue // reserved
		}
		fmt.Fprintf(&b, "\n      %s: %s", scalar(name), scalar("$."+name))
	}
	if b.Len() > 0 {
		r.options = append(r.options, draftOption{"fields", b.String()})
	}
	return r
}

// proposeHTML reads a page of HTML: either it is about one thing, or it lists
// things that may have pages of their own.
func (l *look) proposeHTML(ctx context.Context, d *draft, root *html.Node) {
	page := l.pages[0]
	blocks := survey.Blocks(root)
	data := survey.Structured(root)
	css, next := survey.Next(root)
	alone := aboutOne(data) || len(blocks) == 0
	if alone {
		match, _ := survey.MatchOf([]string{pathAndQuery(page)})
		l.proposeDetail(d, []*crawler.Page{page}, match, "", "What the page is about. match is for the pages like it.")
		d.linksOff = true
	} else {
		l.proposeList(ctx, d, blocks[0])
	}
	if css != "" && !aboutOne(data) && len(resolved(page, []string{next})) > 0 {
		link := draftLink{css: css, note: "the next page: " + next}
		d.links, d.linksOff = append(d.links, link), false
	}
	if len(d.links) == 0 {
		d.linksOff = true
	}
	l.proposeTables(d, root)
	for _, island := range survey.Islands(root) {
		r := jsonRule(island.List, island.CSS)
		r.kind = cmp.Or(r.kind, "item")
		d.add(r)
	}
	l.proposeFeed(d, root)
	whole := page.URL.Path() == "/"
	for _, s := range l.sitemaps(ctx) {
		s.off = !whole
		d.seeds = append(d.seeds, s)
	}
}

func pathAndQuery(p *crawler.Page) string {
	if q := p.URL.Query(); q != "" {
		return p.URL.Path() + "?" + q
	}
	return p.URL.Path()
}

// aboutOne reports whether a page's structured data says that it is about one
// thing.
func aboutOne(data []survey.Data) bool {
	for _, d := range data {
		if (d.Syntax == "jsonld" || d.Syntax == "opengraph") && len(d.Types) > 0 {
			for _, t := range d.Types {
				switch strings.ToLower(t) {
				case "product", "article", "newsarticle", "blogposting", "event", "recipe", "book", "movie", "jobposting", "videoobject", "book.book", "video.movie":
					return true
				}
			}
		}
	}
	return false
}

// add takes a rule under a name that is not taken.
func (d *draft) add(r draftRule) {
	name := r.kind
	for i := 2; slices.ContainsFunc(d.rules, func(o draftRule) bool { return o.kind == r.kind }); i++ {
		r.kind = fmt.Sprintf("%s_%d", name, i)
	}
	d.rules = append(d.rules, r)
}

// proposeList makes the rules for blocks that repeat and for the pages that they
// lead to.
func (l *look) proposeList(ctx context.Context, d *draft, block survey.Rule) {
	links := resolved(l.pages[0], block.Links)
	paths := make([]string, len(links))
	for i, u := range links {
		paths[i] = u.Path()
		if q := u.Query(); q != "" && !strings.HasPrefix(q, "utm_") {
			paths[i] += "?" + q
		}
	}
	match, alike := survey.MatchOf(paths)
	var likely []urls.URL
	for _, i := range alike {
		likely = append(likely, links[i])
	}
	details := l.details(ctx, spread(likely))
	d.add(draftRule{kind: block.Type, each: block.Each, fields: block.Fields,
		note: fmt.Sprintf("The %d blocks that repeat on the page, a record for each.", block.Blocks)})
	list := len(d.rules) - 1
	if len(details) > 0 {
		l.proposeDetail(d, details, match, block.Type, "A page of its own for each, such as "+details[0].URL.Path())
	}
	if len(d.rules) == list+1 {
		return
	}
	detail := &d.rules[list+1]
	if detail.kind == block.Type+"_2" { // the page of a thing has its name, the list another
		detail.kind, d.rules[list].kind = block.Type, block.Type+"_listing"
	}
	d.links = append(d.links, draftLink{css: block.Link, note: "to the pages of " + detail.kind})
}

// spread takes links from the beginning and the middle, so that what two pages
// have in common says more.
func spread[T any](list []T) []T {
	if len(list) < 3 {
		return list
	}
	return []T{list[0], list[len(list)/2], list[len(list)-1]}
}

// plugins by what a page is about, the one that knows most of it first.
var pluginsFor = map[string][]string{
	"product": {"product"}, "article": {"article-meta"}, "newsarticle": {"article-meta"}, "blogposting": {"article-meta"},
	"event": {"event"}, "musicevent": {"event"},
}

// proposeDetail makes the rules for pages about one thing each: by structured data
// where an extractor for it is compiled in, and by selectors.
func (l *look) proposeDetail(d *draft, pages []*crawler.Page, match survey.Match, kind, note string) {
	var roots []*html.Node
	for _, p := range pages {
		roots = append(roots, crawl.Root(p))
	}
	rule, ok := survey.Detail(roots...)
	name := cmp.Or(rule.Type, match.PathType(), kind, "item")
	if ok {
		d.add(draftRule{kind: name, match: match, fields: rule.Fields, note: note})
	}
	data := survey.Structured(roots[0])
	for _, s := range data {
		for _, t := range s.Types {
			for _, plugin := range pluginsFor[strings.ToLower(t)] {
				if compiledIn(plugin) {
					d.add(draftRule{kind: name + "_data", match: match, plugin: plugin,
						note: fmt.Sprintf("The same pages by their own %s (%s), which outlasts a new design.", s.Syntax, t)})
					return
				}
			}
		}
	}
	for _, s := range data {
		if compiledIn(s.Syntax) && len(s.Types) > 0 {
			d.add(draftRule{kind: name + "_data", match: match, plugin: s.Syntax,
				note: fmt.Sprintf("The same pages by their own %s (%s), which outlasts a new design.", s.Syntax, strings.Join(s.Types, ", "))})
			return
		}
	}
}

// proposeTables reads the tables of data, unless they are the blocks already.
func (l *look) proposeTables(d *draft, root *html.Node) {
	for i, t := range survey.Tables(root) {
		if i == 3 {
			return
		}
		if slices.ContainsFunc(d.rules, func(r draftRule) bool { return len(r.options) > 0 && r.options[0].value == scalar(t.CSS) }) {
			continue // it reads this one, too
		}
		r := draftRule{kind: cmp.Or(survey.TypeName(t.Caption), "row"), plugin: "table",
			note: fmt.Sprintf("A table of %d rows: %s", t.Rows, strings.Join(t.Columns, ", "))}
		r.options = []draftOption{{"css", scalar(t.CSS)}, {"numbers", "true"}}
		d.add(r)
	}
}

// proposeFeed reads the first of the feeds that a page names; the others say the
// same as a rule.
func (l *look) proposeFeed(d *draft, root *html.Node) {
	for _, f := range survey.Feeds(root) {
		found := resolved(l.pages[0], []string{f.Ref})
		if len(found) == 0 {
			continue
		}
		u := found[0]
		d.seeds = append(d.seeds, draftSeed{url: u.Redacted(), note: "the page's feed"})
		d.add(draftRule{kind: "entry", match: survey.Match{Glob: globOf(u.Path())}, plugin: "feed", unseen: true,
			options: []draftOption{{"follow", "false                # true fetches the entries' pages, too"}},
			note:    "The newest entries, as the site publishes them for machines."})
		return
	}
}

// globOf is a glob that matches one path.
func globOf(path string) string {
	return strings.NewReplacer("*", `\*`, "{", `\{`, "}", `\}`, `\`, `\\`, "?", `\?`).Replace(path)
}
