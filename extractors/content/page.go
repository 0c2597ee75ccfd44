package content

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/values"
)

// maxPageLinks bounds the list of links in one record.
const maxPageLinks = 5_000

func init() {
	crawler.Extractors.Register("page", func() crawler.Extractor { return NewPage() })
}

// NewPage is a Page with its defaults.
func NewPage() *Page { return &Page{Text: true, Links: true} }

// Page makes one record of an HTML page. It is safe for concurrent use.
type Page struct {
	Text  bool `yaml:"text,omitempty" default:"true" doc:"give the text that a reader sees"`
	Links bool `yaml:"links,omitempty" default:"true" doc:"give the addresses that the page links to, each once"`
}

var (
	_ crawler.Extractor   = (*Page)(nil)
	_ crawler.FieldLister = (*Page)(nil)
)

// FieldNames lists the fields of every record.
func (x *Page) FieldNames() []string {
	names := []string{"title", "description", "canonical", "language", "hash"}
	if x.Text {
		names = append(names, "text")
	}
	if x.Links {
		names = append(names, "links")
	}
	return names
}

// Extract emits the record. hash is that of the text: pages that read the same
// share it.
func (x *Page) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	doc, err := p.Document()
	if err != nil {
		return err
	}
	w := &work{ctx: ctx, left: maxSteps}
	root := doc.Nodes[0]
	found, err := look(root, p.URL, w)
	if err != nil {
		return err
	}
	text := ""
	if found.body != nil {
		if text, err = values.Text(found.body, w.step); err != nil {
			return err
		}
	}
	if found.language == "" {
		found.language = p.Response.Header.Get("Content-Language")
	}
	sum := sha256.Sum256([]byte(text))
	fields := []crawler.Field{
		{Name: "title", Value: orNil(found.title)},
		{Name: "description", Value: orNil(found.description)},
		{Name: "canonical", Value: orNil(found.canonical)},
		{Name: "language", Value: orNil(found.language)},
		{Name: "hash", Value: hex.EncodeToString(sum[:16])},
	}
	if x.Text {
		fields = append(fields, crawler.Field{Name: "text", Value: orNil(text)})
	}
	if x.Links {
		fields = append(fields, crawler.Field{Name: "links", Value: found.links})
	}
	e.Record(fields...)
	return nil
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// sight is what one walk over a page finds.
type sight struct {
	title, description, canonical, language string
	links                                   []any
	body                                    *html.Node
}

func look(root *html.Node, page urls.URL, w *work) (*sight, error) {
	s := &sight{}
	base := values.BaseURL(root, page)
	seen := make(map[string]bool)
	for n := root; n != nil; n = values.Following(n, root, n.Data != "template") {
		if err := w.step(1); err != nil {
			return nil, err
		}
		if n.Type != html.ElementNode || n.Namespace != "" {
			continue
		}
		switch n.DataAtom {
		case atom.Html:
			s.language = attribute(n, "lang")
		case atom.Body:
			s.body = n
		case atom.Title:
			if s.title == "" {
				s.title, _ = values.Text(n, nil)
			}
		case atom.Meta:
			s.meta(n)
		case atom.Link:
			if s.canonical == "" && hasWord(attribute(n, "rel"), "canonical") {
				s.canonical = resolved(base, attribute(n, "href"))
			}
		case atom.A, atom.Area:
			if target := resolved(base, attribute(n, "href")); target != "" && !seen[target] && len(s.links) < maxPageLinks {
				seen[target] = true
				s.links = append(s.links, target)
			}
		}
	}
	return s, nil
}

func (s *sight) meta(n *html.Node) {
	content := values.Fold(attribute(n, "content"))
	switch {
	case strings.EqualFold(attribute(n, "name"), "description") && s.description == "":
		s.description = content
	case strings.EqualFold(attribute(n, "http-equiv"), "content-language") && s.language == "":
		s.language = content
	}
}

func attribute(n *html.Node, key string) string {
	v, _ := values.Attribute(n, key)
	return strings.TrimSpace(v)
}

func hasWord(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// resolved is an http(s) address without its fragment, or "".
func resolved(base urls.URL, ref string) string {
	if ref == "" {
		return ""
	}
	u, err := base.Resolve(ref)
	if err != nil || !u.IsHTTP() {
		return ""
	}
	return u.WithoutFragment().String()
}
