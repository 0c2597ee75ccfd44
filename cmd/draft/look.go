package draft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/feeds"
	"github.com/amblecrawl/amble/extractors/values"
	"github.com/amblecrawl/amble/politeness/robots"
)

// look is what amble init has seen, and how it sees more.
type look struct {
	crawl   *crawl.Crawl
	single  *crawl.Single // nil when nothing is to be fetched
	flags   *initFlags
	started time.Time

	left   int // pages that may still be looked at
	pages  []*crawler.Page
	robots *robots.File // of the page's host, nil when it has none
}

// newLook puts together what fetches pages, by the settings that the draft will
// have.
func newLook(cmd *cobra.Command, d *draft, flags *initFlags) (*look, error) {
	first := *d
	first.seeds = []draftSeed{{url: d.url.String()}}
	first.rules = []draftRule{{kind: "page", plugin: "page"}}
	cfg, err := parseDraft("init.yaml", first.String(), flags.set)
	if err != nil {
		return nil, err
	}
	c, err := crawl.New(cfg, cli.Logger(cmd, cmd.ErrOrStderr(), false), crawl.Past{})
	if err != nil {
		return nil, err
	}
	l := &look{crawl: c, flags: flags, left: max(0, flags.more), started: time.Now()}
	if flags.html != "" {
		l.left = 0
		return l, nil
	}
	l.single = c.Single(cli.Teller(cmd.ErrOrStderr()))
	l.single.Heard = func(_ string, file crawl.HeardFile, resp *crawler.Response, err error) {
		if err == nil && file.Robots && resp.Status/100 == 2 {
			l.robots = robots.Parse(resp.Body, robots.RFC)
		}
	}
	return l, nil
}

// at fetches the page that the user named.
func (l *look) at(cmd *cobra.Command, u urls.URL, file string) error {
	var page *crawler.Page
	var err error
	if file != "" {
		page, err = l.crawl.Page(cmd.Context(), u, file, cli.Teller(cmd.ErrOrStderr()))
	} else {
		page, err = l.single.Page(cmd.Context(), u)
	}
	switch {
	case cmd.Context().Err() != nil:
		return exit.Silent(exit.Interrupted)
	case err != nil:
		return err
	case page.Response.Status/100 != 2:
		return fmt.Errorf("%w: %s: status %d", crawl.ErrWithheld, page.URL.Redacted(), page.Response.Status)
	}
	l.pages = append(l.pages, page)
	return nil
}

// another looks at one more page, where that is allowed and pages are left. What
// keeps it from that is no failure of the command.
func (l *look) another(ctx context.Context, u urls.URL) *crawler.Page {
	if l.left == 0 || l.single == nil || !l.crawl.Scope.Check(u, 0).In {
		return nil
	}
	l.left--
	page, err := l.single.Page(ctx, u)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			l.single.Said("%v", err)
		}
		return nil
	}
	return page
}

// probe looks whether a page is there.
func (l *look) probe(ctx context.Context, u urls.URL) *crawler.Page {
	if p := l.another(ctx, u); p != nil && p.Response.Status/100 == 2 {
		return p
	}
	return nil
}

// resolved are references of a page as URLs on its own host, each once, without
// the page itself.
func resolved(p *crawler.Page, refs []string) []urls.URL {
	base := values.BaseURL(crawl.Root(p), p.URL)
	seen := map[string]bool{p.URL.Fetch(): true}
	var out []urls.URL
	for _, ref := range refs {
		u, err := base.Resolve(ref)
		if err != nil || !u.IsHTTP() || u.Origin() != p.URL.Origin() || seen[u.Fetch()] {
			continue
		}
		seen[u.Fetch()] = true
		out = append(out, u.WithoutFragment())
	}
	return out
}

// maxTriedDetails bounds the links that are tried for a detail page.
const maxTriedDetails = 3

// details looks at up to two of the pages that links lead to.
func (l *look) details(ctx context.Context, links []urls.URL) []*crawler.Page {
	var out []*crawler.Page
	for i := 0; i < len(links) && i < maxTriedDetails && len(out) < 2; i++ {
		p := l.another(ctx, links[i])
		switch {
		case p == nil:
		case p.Response.Status/100 != 2:
			l.single.Said("%s: status %d", p.URL.Redacted(), p.Response.Status)
		case crawl.Root(p) != nil:
			out = append(out, p)
		}
	}
	l.pages = append(l.pages, out...)
	return out
}

// sitemaps are those that robots.txt names on the page's own host, or else the
// one at the usual place if there is one.
func (l *look) sitemaps(ctx context.Context) []draftSeed {
	page := l.pages[0].URL
	var out []draftSeed
	if l.robots != nil {
		for _, ref := range l.robots.Sitemaps() {
			u, err := page.Resolve(ref)
			if err == nil && u.IsHTTP() && l.crawl.Scope.Check(u, 0).In && len(out) < 5 {
				out = append(out, draftSeed{url: u.Redacted(), sitemap: true, note: "named by robots.txt"})
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	u, err := page.Resolve("/sitemap.xml")
	if err != nil {
		return nil
	}
	if p := l.probe(ctx, u); p != nil {
		if pages, inner := listed(ctx, p); len(pages)+len(inner) > 0 {
			out = append(out, draftSeed{url: p.URL.Redacted(), sitemap: true, note: "found at the usual place"})
		}
	}
	return out
}

// trial runs a draft's rules over the pages that were looked at, and counts the
// records of each.
func (l *look) trial(ctx context.Context, d *draft) error {
	cfg, err := parseDraft("init.yaml", d.String(), l.flags.set)
	if err != nil {
		return err
	}
	pipeline, err := crawl.NewPipeline(cfg, l.crawl.Log)
	if err != nil {
		return err
	}
	if err := pipeline.Open(ctx); err != nil {
		return err
	}
	defer pipeline.Close()
	for _, p := range l.pages {
		var r crawler.Result
		if err := pipeline.Run(ctx, p, &r); err != nil && ctx.Err() != nil {
			return exit.Silent(exit.Interrupted)
		}
		for _, rec := range r.Records {
			if i := slices.IndexFunc(d.rules, func(r draftRule) bool { return r.kind == rec.Type }); i >= 0 {
				d.rules[i].found++
			}
		}
	}
	return nil
}

// tell says on w what was found and what to do now.
func (l *look) tell(w io.Writer, d *draft, file string) {
	fmt.Fprintf(w, "looked at %s in %s\n", format.Plural(int64(len(l.pages)), "page"), format.Duration(time.Since(l.started)))
	width := 0
	for _, r := range d.rules {
		width = max(width, len(r.kind))
	}
	for _, r := range d.rules {
		said := format.Plural(int64(r.found), "record") + " on them"
		if r.unseen {
			said = "not looked at"
		}
		fmt.Fprintf(w, "  %-*s  %s\n", width, r.kind, said)
	}
	if file != "" {
		fmt.Fprintf(w, "wrote %s; now: amble try %s %s\n", file, file, strings.ReplaceAll(d.url.Redacted(), "'", "%27"))
	}
}

// initFlags say how a page is looked at and where the config goes.
type initFlags struct {
	out, html      string
	force          bool
	more           int
	agent, contact string
	set            []string
}

// listed are the pages and the sitemaps that a sitemap names on its own host.
func listed(ctx context.Context, p *crawler.Page) (pages, sitemaps []urls.URL) {
	_ = feeds.Each(ctx, p, func(link crawler.Link) { // what stands before a fault is enough
		switch {
		case link.URL.Origin() != p.URL.Origin():
		case link.Kind == crawler.KindSitemap && len(sitemaps) < maxListed:
			sitemaps = append(sitemaps, link.URL)
		case link.Kind != crawler.KindSitemap && len(pages) < maxListed:
			pages = append(pages, link.URL)
		}
	})
	return pages, sitemaps
}
