package feeds

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/values"
)

func init() {
	crawler.Extractors.Register("sitemap", func() crawler.Extractor { return &SitemapRecords{} })
}

// SitemapRecords is an extractor that makes a record of every entry of a sitemap
// or sitemap index, with what its image, video and news extensions say. A page
// that is no sitemap gives nothing, without an error. It needs no tree and is
// safe for concurrent use.
type SitemapRecords struct {
	Follow bool `yaml:"follow,omitempty" default:"false" doc:"follow the addresses, and read the sitemaps that an index names"`
}

var (
	_ crawler.Extractor   = (*SitemapRecords)(nil)
	_ crawler.TreeReader  = (*SitemapRecords)(nil)
	_ crawler.FieldLister = (*SitemapRecords)(nil)
)

// NeedsTree is false: the body is read as a stream.
func (*SitemapRecords) NeedsTree() bool { return false }

// FieldNames lists the fields of every record.
func (*SitemapRecords) FieldNames() []string {
	return []string{"url", "kind", "lastmod", "changefreq", "priority", "images", "videos", "news", "alternates"}
}

// Extract emits a record for each entry up to the first fault, which it reports.
func (x *SitemapRecords) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	if p.IsHTML() {
		return nil
	}
	var links []crawler.Link
	keep := func(l crawler.Link) { links = append(links, l) }
	r := &reader{ctx: ctx, base: p.URL, found: keep, maxURLs: MaxURLs, maxBytes: MaxBytes}
	told := 0
	r.detail = func(u urls.URL, kind crawler.Kind, entry *element) {
		told++
		x.emit(u, kind, entry, e)
	}
	err := r.read(p)
	if told == 0 { // a list of plain addresses
		for _, l := range links {
			x.emit(l.URL, l.Kind, &element{}, e)
		}
	}
	if r.links == 0 && err != nil {
		return nil // something else
	}
	if r.bad > 0 {
		e.FieldError("url", r.firstBad, true, fmt.Errorf("%d entries are no http(s) address, the first of them", r.bad))
	}
	if err != nil {
		e.FieldError("", "", true, fmt.Errorf("reading the sitemap: %w", err))
	}
	return nil
}

func (x *SitemapRecords) emit(u urls.URL, kind crawler.Kind, entry *element, e *crawler.Emitter) {
	word := "page"
	if kind == crawler.KindSitemap {
		word = "sitemap"
	}
	e.Record(
		crawler.Field{Name: "url", Value: u.Redacted()},
		crawler.Field{Name: "kind", Value: word},
		crawler.Field{Name: "lastmod", Value: lastmod(entry, e)},
		crawler.Field{Name: "changefreq", Value: orNil(entry.value("changefreq"))},
		crawler.Field{Name: "priority", Value: number(entry.value("priority"))},
		crawler.Field{Name: "images", Value: extensions(entry, "image", u)},
		crawler.Field{Name: "videos", Value: extensions(entry, "video", u)},
		crawler.Field{Name: "news", Value: news(entry)},
		crawler.Field{Name: "alternates", Value: alternates(entry, u)},
	)
	if x.Follow {
		e.Link(crawler.Link{URL: u, Kind: kind})
	}
}

func lastmod(entry *element, e *crawler.Emitter) any {
	written := entry.value("lastmod")
	if written == "" {
		return nil
	}
	date, err := values.ParseDate(written)
	if err != nil {
		e.FieldError("lastmod", written, false, err)
		return nil
	}
	return date
}

func number(s string) any {
	if v, err := strconv.ParseFloat(s, 64); err == nil && v >= 0 && v <= 1 {
		return v
	}
	return nil
}

// extensions are an entry's images or videos: an object each, with the texts of
// its elements by name, the addresses among them absolute.
func extensions(entry *element, name string, base urls.URL) any {
	var out []any
	for _, c := range entry.children {
		if c.name != name {
			continue
		}
		var object []crawler.Field
		for _, part := range c.children {
			if value := strings.TrimSpace(part.text.String()); value != "" && len(part.children) == 0 {
				object = with(object, part.name, located(part.name, value, base))
			}
		}
		if object != nil {
			out = append(out, object)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// with adds a value to an object; a name that comes again makes a list.
func with(object []crawler.Field, name string, value any) []crawler.Field {
	for i := range object {
		if object[i].Name != name {
			continue
		}
		all, ok := object[i].Value.([]any)
		if !ok {
			all = []any{object[i].Value}
		}
		object[i].Value = append(all, value)
		return object
	}
	return append(object, crawler.Field{Name: name, Value: value})
}

// located makes the value of an element that holds an address absolute.
func located(name, value string, base urls.URL) any {
	switch name {
	case "loc", "thumbnail_loc", "content_loc", "player_loc", "license":
		return cmp.Or(absolute(base, value), any(value))
	}
	return value
}

// news is what the news extension says of an article.
func news(entry *element) any {
	n := entry.child("news")
	if n == nil {
		return nil
	}
	object := []crawler.Field{{Name: "title", Value: orNil(n.value("title"))}, {Name: "date", Value: orNil(n.value("publication_date"))}}
	if date, err := values.ParseDate(n.value("publication_date")); err == nil {
		object[1].Value = date
	}
	publication := n.child("publication")
	if publication == nil {
		publication = &element{}
	}
	return append(object,
		crawler.Field{Name: "publication", Value: orNil(publication.value("name"))},
		crawler.Field{Name: "language", Value: orNil(publication.value("language"))},
	)
}

// alternates are the same page in other languages.
func alternates(entry *element, base urls.URL) any {
	var out []any
	for _, c := range entry.children {
		target := absolute(base, c.attr("href"))
		if c.name != "link" || c.attr("rel") != "alternate" || target == nil {
			continue
		}
		out = append(out, []crawler.Field{{Name: "language", Value: orNil(c.attr("hreflang"))}, {Name: "url", Value: target}})
	}
	if out == nil {
		return nil
	}
	return out
}
