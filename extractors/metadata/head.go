package metadata

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// head is what a page says of itself by plain HTML: its title, its language, and
// meta elements by their names in small letters, as properties.
type head struct {
	title, language, canonical string
	metas                      item.Item
}

// maxMetas bounds the names of meta elements that are kept.
const maxMetas = 500

func readHead(p *crawler.Page, budget *item.Budget) (*head, error) {
	doc, err := p.Document()
	if err != nil {
		return nil, err
	}
	root := doc.Nodes[0]
	base := values.BaseURL(root, p.URL)
	h := &head{}
	for n := root; n != nil; n = values.Following(n, root, n.DataAtom != atom.Template) {
		if err := budget.Step(1); err != nil {
			return nil, err
		}
		if n.Type != html.ElementNode || n.Namespace != "" {
			continue
		}
		switch n.DataAtom {
		case atom.Html:
			h.language = attribute(n, "lang")
		case atom.Title:
			if h.title == "" {
				if h.title, err = budget.Keep(values.Text(n, budget.Step)); err != nil {
					return nil, err
				}
			}
		case atom.Link:
			if href := attribute(n, "href"); h.canonical == "" && href != "" && strings.EqualFold(attribute(n, "rel"), "canonical") {
				h.canonical = item.Absolute(base, href)
			}
		case atom.Meta:
			name, content := strings.ToLower(attribute(n, "name")), values.Fold(attribute(n, "content"))
			if name != "" && content != "" && len(h.metas.Props) < maxMetas {
				h.metas.Add(name, content)
			}
		}
	}
	return h, nil
}

func attribute(n *html.Node, key string) string {
	v, _ := values.Attribute(n, key)
	return strings.TrimSpace(v)
}
