package metadata

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

func init() {
	crawler.Extractors.Register("article-meta", func() crawler.Extractor { return &ArticleMeta{} })
}

// ArticleMeta makes one record of what a page with an article says about it:
// title, authors, dates and the like, from whichever format has them. It does not
// read the text. It is safe for concurrent use.
type ArticleMeta struct {
	Any        bool `yaml:"any,omitempty" default:"false" doc:"make a record of every page that has a title, not only of those that say they are an article"`
	Precedence `yaml:",inline"`
}

var (
	_ crawler.Extractor   = (*ArticleMeta)(nil)
	_ crawler.Validator   = (*ArticleMeta)(nil)
	_ crawler.FieldLister = (*ArticleMeta)(nil)
)

var articleFields = []string{
	"title", "description", "authors", "publisher", "published", "modified", "section", "tags",
	"language", "image", "url", "type", "free", "words",
}

// FieldNames lists the fields of every record.
func (*ArticleMeta) FieldNames() []string { return append(slices.Clone(articleFields), "origin") }

// Extract emits the record.
func (x *ArticleMeta) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	s, err := x.listen(ctx, p, e)
	if err != nil {
		return err
	}
	all := &subject{keys: map[string]bool{}}
	for _, th := range s.articles() {
		r := &reading{e, th.origin}
		if th.origin == "microformats2" {
			all.take(r.entry(th.Item))
		} else {
			all.take(r.article(th.Item))
		}
	}
	isArticle := len(all.claims) > 0
	if s.og != nil {
		c, is := (&reading{e, "opengraph"}).sharedArticle(s.og)
		all.take(c)
		isArticle = isArticle || is
	}
	if s.html != nil {
		c, is := (&reading{e, "html"}).pageArticle(s.html)
		all.take(c)
		isArticle = isArticle || is
	}
	if isArticle || x.Any && slices.ContainsFunc(all.claims, func(c *claim) bool { return c.values["title"] != nil }) {
		e.Record(all.fields(articleFields, x.order())...)
	}
	return nil
}

func isArticle(it *item.Item) bool {
	for _, t := range it.Types {
		switch t {
		case "h-entry", "BlogPosting", "SocialMediaPosting", "DiscussionForumPosting", "LiveBlogPosting", "Report", "APIReference":
			return true
		}
		if strings.HasSuffix(t, "Article") {
			return true
		}
	}
	return false
}

// articles are the things that are the page's article: of each format the one
// that says that it is this page, or else its only one. A page with several that
// are not it is a list of articles.
func (s *said) articles() []thing {
	per := map[string][]thing{}
	var origins []string
	for _, th := range s.outermost(isArticle) {
		if per[th.origin] == nil {
			origins = append(origins, th.origin)
		}
		per[th.origin] = append(per[th.origin], th)
	}
	here := map[string]bool{bare(s.page.URL.Redacted()): true}
	if s.html != nil && s.html.canonical != "" {
		here[bare(s.html.canonical)] = true
	}
	var found []thing
	for _, origin := range origins {
		own := slices.IndexFunc(per[origin], func(th thing) bool { return th.isAt(here) })
		switch {
		case own >= 0:
			found = append(found, per[origin][own])
		case len(per[origin]) == 1:
			found = append(found, per[origin][0])
		}
	}
	return found
}

// bare is an address without its fragment.
func bare(address string) string {
	address, _, _ = strings.Cut(address, "#")
	return address
}

// isAt tells whether the thing says that it is at one of these addresses.
func (th thing) isAt(here map[string]bool) bool {
	if th.ID != "" && here[bare(th.ID)] {
		return true
	}
	for _, name := range []string{"mainEntityOfPage", "url"} {
		for _, v := range th.Get(name) {
			if it, ok := v.(*item.Item); ok && here[bare(it.ID)] {
				return true
			}
		}
		for _, a := range addresses(th.Get(name)) {
			if here[bare(a)] {
				return true
			}
		}
	}
	return false
}

// article reads a thing of schema.org.
func (r *reading) article(it *item.Item) *claim {
	c := newClaim(r.origin)
	c.set("title", text(it, "headline", "name"))
	c.set("description", text(it, "description", "abstract"))
	c.set("authors", list(texts(append(slices.Clone(it.Get("author")), it.Get("creator")...))))
	c.set("publisher", text(it, "publisher", "sourceOrganization"))
	c.set("published", r.date("published", it, "datePublished", "dateCreated", "uploadDate"))
	c.set("modified", r.date("modified", it, "dateModified"))
	c.set("section", text(it, "articleSection"))
	c.set("tags", tags(texts(it.Get("keywords"))))
	c.set("language", text(it, "inLanguage"))
	c.set("image", address(it, "image", "thumbnailUrl"))
	c.set("url", cmp.Or(address(it, "url"), address(it, "mainEntityOfPage")))
	if len(it.Types) > 0 {
		c.set("type", it.Types[0])
	}
	if free, err := values.ParseBoolean(strings.ToLower(text(it, "isAccessibleForFree"))); err == nil {
		c.set("free", free)
	}
	c.set("words", r.count("words", it, "wordCount"))
	return c
}

// entry reads an h-entry.
func (r *reading) entry(it *item.Item) *claim {
	c := newClaim(r.origin)
	c.set("title", text(it, "name"))
	c.set("description", text(it, "summary"))
	c.set("authors", list(texts(it.Get("author"))))
	c.set("published", r.date("published", it, "published"))
	c.set("modified", r.date("modified", it, "updated"))
	c.set("tags", tags(texts(it.Get("category"))))
	c.set("image", address(it, "photo", "featured"))
	c.set("url", address(it, "url"))
	c.set("type", it.Types[0])
	return c
}

// tags takes lists with commas apart.
func tags(words []string) any {
	var out []string
	for _, w := range words {
		for part := range strings.SplitSeq(w, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return list(out)
}

// sharedArticle reads Open Graph; it is true where that says that the page is an
// article.
func (r *reading) sharedArticle(og *item.Item) (c *claim, is bool) {
	c = newClaim(r.origin)
	c.set("title", text(og, "title"))
	c.set("description", text(og, "description"))
	c.set("publisher", text(og, "site_name"))
	c.set("language", strings.ReplaceAll(text(og, "locale"), "_", "-"))
	c.set("image", first(addresses(og.Get("images"))))
	c.set("url", address(og, "url"))
	c.set("type", text(og, "type"))
	is = strings.HasPrefix(text(og, "type"), "article")
	for _, a := range things(og.Get("article")) {
		is = is || a.Get("published_time") != nil
		var names []string
		for _, name := range texts(a.Get("author")) {
			if !isAddress(name) { // a profile, not a name
				names = append(names, name)
			}
		}
		c.set("authors", list(names))
		c.set("published", r.date("published", a, "published_time"))
		c.set("modified", r.date("modified", a, "modified_time"))
		c.set("section", text(a, "section"))
		c.set("tags", tags(texts(a.Get("tag"))))
	}
	for _, card := range things(og.Get("twitter")) {
		c.set("title", text(card, "title"))
		c.set("description", text(card, "description"))
		c.set("image", address(card, "image", "image_src"))
	}
	return c, is
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// pageArticle reads the head of a page, with the names of Dublin Core and of
// scholarly indexes; it is true where those say that the page is an article.
func (r *reading) pageArticle(h *head) (c *claim, is bool) {
	c = newClaim(r.origin)
	m := &h.metas
	is = m.Get("citation_title") != nil
	c.set("title", cmp.Or(text(m, "citation_title", "dc.title", "dcterms.title"), h.title))
	c.set("description", text(m, "description", "dc.description", "dcterms.abstract", "dcterms.description"))
	for _, name := range []string{"citation_author", "author", "dc.creator", "dcterms.creator"} {
		c.set("authors", list(texts(m.Get(name))))
	}
	c.set("publisher", text(m, "citation_journal_title", "citation_publisher", "dc.publisher", "dcterms.publisher"))
	c.set("published", r.date("published", m, "citation_publication_date", "citation_date", "dcterms.created", "dcterms.issued", "dc.date.issued", "dc.date", "date"))
	c.set("modified", r.date("modified", m, "last-modified", "dcterms.modified"))
	c.set("section", text(m, "article.section"))
	c.set("tags", tags(texts(append(slices.Clone(m.Get("citation_keywords")), m.Get("keywords")...))))
	c.set("language", cmp.Or(h.language, text(m, "dc.language", "dcterms.language", "citation_language")))
	c.set("url", h.canonical)
	return c, is
}
