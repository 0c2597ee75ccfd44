package article

import (
	"fmt"

	"codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

// The engines. That a binary has the thorough one is decided when it is compiled:
// the tables of the libraries behind it are filled at each start of a program that is
// linked with them, whether or not it extracts articles, which takes 0.13 s of CPU
// and 50 MB. With -tags full it is there.
const (
	engineThorough = "thorough"
	engineFast     = "fast"
)

// finding is what an engine found on a page: a tree of its own, or nil.
type finding struct {
	content  *html.Node
	language string // as the text reads, "" where the engine does not tell
}

// An engine finds the article in a tree that it does not change. body is the text
// that the page declares as the article's.
type engine func(root *html.Node, body string) (finding, error)

// engines are those that this binary has.
var engines = map[string]engine{engineFast: fast}

// guarded runs an engine. Both libraries are written for pages as they are, and
// follow pointers that a page may leave nil.
func guarded(find engine, root *html.Node, body string) (found finding, err error) {
	defer func() {
		if v := recover(); v != nil {
			found, err = finding{}, fmt.Errorf("the engine failed on this page: %v", v)
		}
	}()
	return find(root, body)
}

// fast runs go-readability. Where it finds next to nothing, as on a page whose text is
// loaded by scripts, the declared text is the article's.
func fast(root *html.Node, body string) (finding, error) {
	parser := readability.NewParser()
	parser.DisableJSONLD = true
	a, err := parser.ParseAndMutate(copyOf(root, nil), nil)
	if err != nil {
		return finding{}, err
	}
	if body != "" && len(textOf(a.Node)) < len(body)/4 {
		return finding{content: paragraph(body)}, nil
	}
	return finding{content: a.Node}, nil
}

// paragraph is a tree that holds one, of a text.
func paragraph(text string) *html.Node {
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	p := &html.Node{Type: html.ElementNode, Data: "p", DataAtom: atom.P}
	p.AppendChild(&html.Node{Type: html.TextNode, Data: text})
	root.AppendChild(p)
	return root
}

// copyOf copies a tree without scripts, styles, comments and what else is left
// out. The parser nests no deeper than 512 elements.
func copyOf(root *html.Node, left func(*html.Node) bool) *html.Node {
	out := copyNode(root)
	for c := root.FirstChild; c != nil; c = c.NextSibling {
		if !unwanted(c, left) {
			out.AppendChild(copyOf(c, left))
		}
	}
	return out
}

func unwanted(n *html.Node, left func(*html.Node) bool) bool {
	switch n.Type {
	case html.CommentNode:
		return true
	case html.ElementNode:
		return n.DataAtom == atom.Script || n.DataAtom == atom.Style || left != nil && left(n)
	}
	return false
}

func copyNode(n *html.Node) *html.Node {
	c := &html.Node{Type: n.Type, DataAtom: n.DataAtom, Data: n.Data, Namespace: n.Namespace}
	c.Attr = append(c.Attr, n.Attr...)
	return c
}

func textOf(n *html.Node) string {
	if n == nil {
		return ""
	}
	text, _ := values.RawText(n, nil)
	return text
}
