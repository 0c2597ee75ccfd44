package values

import (
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler/urls"
)

// toMarkdown is shared: converting holds its lock only to read.
var toMarkdown = converter.NewConverter(converter.WithPlugins(
	base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(), table.NewTablePlugin(),
))

// Markdown renders what is below n, with links made absolute against base. The
// tree stays as it is. Its errors are those of step and of the converter.
func Markdown(n *html.Node, base urls.URL, step Step) (string, error) {
	for c := n; c != nil; c = Following(c, n, true) {
		if err := step.take(stepsPerMarkdown); err != nil {
			return "", err
		}
	}
	// The converter changes the tree it is given, so it gets a copy.
	out, err := toMarkdown.ConvertNode(cloneAbsolute(n, base))
	return strings.TrimSpace(string(out)), err
}

// stepsPerMarkdown is what it costs to convert a node, against visiting it.
const stepsPerMarkdown = 50

// AbsoluteHTML is the markup below n with href and src made absolute against
// base. The tree stays as it is.
func AbsoluteHTML(n *html.Node, base urls.URL) (string, error) {
	return InnerHTML(cloneAbsolute(n, base))
}

// cloneAbsolute copies the tree at n, resolving what it refers to.
func cloneAbsolute(n *html.Node, base urls.URL) *html.Node {
	root := cloneNode(n, base)
	to := root
	for from := n; ; {
		switch {
		case from.FirstChild != nil:
			from = from.FirstChild
			c := cloneNode(from, base)
			to.AppendChild(c)
			to = c
			continue
		case from == n:
			return root
		}
		for from.NextSibling == nil {
			from, to = from.Parent, to.Parent
			if from == n {
				return root
			}
		}
		from = from.NextSibling
		c := cloneNode(from, base)
		to.Parent.AppendChild(c)
		to = c
	}
}

func cloneNode(n *html.Node, base urls.URL) *html.Node {
	c := &html.Node{Type: n.Type, DataAtom: n.DataAtom, Data: n.Data, Namespace: n.Namespace}
	if len(n.Attr) == 0 {
		return c
	}
	c.Attr = make([]html.Attribute, len(n.Attr))
	copy(c.Attr, n.Attr)
	for i, a := range c.Attr {
		if a.Key != "href" && a.Key != "src" {
			continue
		}
		if u, err := base.Resolve(a.Val); err == nil {
			c.Attr[i].Val = u.Redacted()
		}
	}
	return c
}
