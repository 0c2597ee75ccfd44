package article

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/values"
)

// maxAuthors bounds the list of authors of one page.
const maxAuthors = 50

// metadata is what a page declares about its article.
type metadata struct {
	title, published, modified, language, description, site, image string
	authors                                                        []string

	isArticle bool   // the page says that it is one
	body      string // the article's text as JSON-LD has it
	base      urls.URL
}

func (m *metadata) fields() []crawler.Field {
	var authors any
	if len(m.authors) > 0 {
		list := make([]any, len(m.authors))
		for i, name := range m.authors {
			list[i] = name
		}
		authors = list
	}
	return []crawler.Field{
		{Name: "title", Value: orNil(m.title)},
		{Name: "authors", Value: authors},
		{Name: "published", Value: orNil(m.published)},
		{Name: "modified", Value: orNil(m.modified)},
		{Name: "language", Value: orNil(m.language)},
		{Name: "description", Value: orNil(m.description)},
		{Name: "site", Value: orNil(m.site)},
		{Name: "image", Value: orNil(m.image)},
	}
}

// The names of meta elements, the first that has a value counts.
var (
	metaTitle       = []string{"og:title", "citation_title", "dc.title", "dcterms.title", "parsely-title", "headline", "twitter:title"}
	metaDescription = []string{"description", "og:description", "dc.description", "dcterms.abstract", "twitter:description"}
	metaSite        = []string{"og:site_name", "citation_journal_title", "dc.publisher", "application-name"}
	metaImage       = []string{"og:image", "og:image:secure_url", "og:image:url", "twitter:image", "twitter:image:src"}
	metaAuthor      = []string{"author", "article:author", "citation_author", "parsely-author", "dc.creator", "dcterms.creator", "sailthru.author", "byl"}
	metaPublished   = []string{
		"article:published_time", "og:article:published_time", "citation_publication_date", "citation_date", "parsely-pub-date",
		"dcterms.created", "dcterms.issued", "dc.date.issued", "dc.date", "sailthru.date", "pubdate", "publishdate", "date",
	}
	metaModified = []string{"article:modified_time", "og:article:modified_time", "og:updated_time", "dcterms.modified", "dc.date.modified", "lastmod"}
	metaLanguage = []string{"dc.language", "dcterms.language", "og:locale"}
)

// readMetadata reads each field from the first source that has it: JSON-LD, then
// meta elements, then microdata and the markup of the page, at last its address or
// header.
func readMetadata(root *html.Node, p *crawler.Page) *metadata {
	s := observe(root)
	m := &metadata{base: values.BaseURL(root, p.URL)}
	if a := s.linkedData(); a != nil {
		m.isArticle = true
		m.fromLinkedData(a)
	}
	m.isArticle = m.isArticle || strings.EqualFold(s.meta("og:type"), "article")
	first(&m.site, s.meta(metaSite...))
	first(&m.title, cutSite(s.meta(metaTitle...), m.site), s.heading, cutSite(s.title, m.site))
	first(&m.description, s.meta(metaDescription...))
	first(&m.image, address(m.base, s.meta(metaImage...)))
	first(&m.language, s.language, strings.ReplaceAll(s.meta(metaLanguage...), "_", "-"), p.Response.Header.Get("Content-Language"))
	if len(m.authors) == 0 {
		m.authors = s.authors()
	}
	first(&m.published, s.metaDate(metaPublished...), date(s.itemDates["datePublished"]), date(s.time), pathDate(p.URL))
	first(&m.modified, s.metaDate(metaModified...), date(s.itemDates["dateModified"]))
	return m
}

// first sets s, if it is empty, to the first value that is not.
func first(s *string, from ...string) {
	for _, v := range from {
		if *s != "" {
			return
		}
		*s = v
	}
}

// date is a date as values.ParseDate gives it, or "" where there is none or what is
// there can't be read for certain.
func date(s string) string {
	out, err := values.ParseDate(s)
	if err != nil {
		return ""
	}
	return out
}

// address is an absolute http(s) address, or "".
func address(base urls.URL, ref string) string {
	if ref == "" {
		return ""
	}
	u, err := base.Resolve(ref)
	if err != nil || !u.IsHTTP() {
		return ""
	}
	return u.Redacted()
}

// pathDate is the day that an address names: /2026/03/28/ or /2026-03-28-.
func pathDate(u urls.URL) string {
	m := dayInPath.FindStringSubmatch(u.String())
	if m == nil {
		return ""
	}
	return date(m[1] + "-" + m[2] + "-" + m[3])
}

// cutSite takes the name of the site off a title, as in "Oaks | The Tree Times".
// Where the page does not name its site the title stays as it is.
func cutSite(title, site string) string {
	if site == "" {
		return title
	}
	for _, mark := range []string{" | ", " - ", " – ", " — ", " · ", " :: ", ": ", " » ", " « "} {
		if rest, ok := cutSuffixFold(title, mark+site); ok && rest != "" {
			return strings.TrimSpace(rest)
		}
		if rest, ok := cutPrefixFold(title, site+mark); ok && rest != "" {
			return strings.TrimSpace(rest)
		}
	}
	return title
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if at := len(s) - len(suffix); at >= 0 && strings.EqualFold(s[at:], suffix) {
		return s[:at], true
	}
	return s, false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// names cleans up what a page gives as its authors. One entry may hold several.
func names(entries ...string) []string {
	var out []string
	seen := make(map[string]bool)
	for _, entry := range entries {
		entry = byWords.ReplaceAllString(values.Fold(entry), "")
		for _, name := range separateNames(entry) {
			name = strings.Trim(name, " ,;·|/–-")
			if name == "" || len(name) > 100 || strings.Contains(name, "://") || seen[name] || len(out) == maxAuthors {
				continue
			}
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

// separateNames cuts "A B, C D and E F" apart. A comma within one name (Lovelace,
// Ada) is told by the single words around it.
func separateNames(s string) []string {
	var out []string
	for _, part := range andWords.Split(s, -1) {
		pieces := strings.Split(part, ", ")
		whole := false
		for _, piece := range pieces {
			whole = whole || !strings.Contains(strings.TrimSpace(piece), " ")
		}
		if whole {
			pieces = []string{part}
		}
		out = append(out, pieces...)
	}
	return out
}

// itemText is the value of an element of microdata that names something.
func itemText(n *html.Node) string {
	switch n.DataAtom {
	case atom.Meta:
		v, _ := values.Attribute(n, "content")
		return v
	case atom.Time:
		if v, ok := values.Attribute(n, "datetime"); ok {
			return v
		}
	}
	if v, ok := values.Attribute(n, "content"); ok {
		return v
	}
	return shortText(n)
}
