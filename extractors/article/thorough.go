//go:build full

package article

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/markusmobius/go-trafilatura"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

func init() { engines[engineThorough] = thorough }

// thorough runs go-trafilatura. It looks for no metadata that is of use here, so
// that its copy has none: reading JSON-LD it walks maps in their random order.
func thorough(root *html.Node, body string) (finding, error) {
	tree := copyOf(root, func(n *html.Node) bool { return n.DataAtom == atom.Meta || n.DataAtom == atom.Link })
	links := markLinks(tree)
	if body != "" {
		declare(tree, body)
	}
	r, err := trafilatura.ExtractDocument(tree, trafilatura.Options{
		ExcludeComments: true,
		IncludeImages:   true,
		HtmlDateMode:    trafilatura.Disabled, // it would ask the clock
	})
	if err != nil {
		// Without a target language and required metadata, its errors say that
		// it found no text.
		return finding{}, nil //nolint:nilerr
	}
	mend(r.ContentNode)
	unmarkLinks(r.ContentNode, links)
	return finding{content: r.ContentNode, language: r.Metadata.Language}, nil
}

// declare puts the article's text where trafilatura looks for it when it finds too
// little on the page.
func declare(tree *html.Node, body string) {
	text, err := json.Marshal(map[string]string{"articleBody": body})
	if err != nil {
		return
	}
	script := &html.Node{
		Type: html.ElementNode, Data: "script", DataAtom: atom.Script,
		Attr: []html.Attribute{{Key: "type", Val: "application/ld+json"}},
	}
	script.AppendChild(&html.Node{Type: html.TextNode, Data: string(text)})
	for n := tree; n != nil; n = values.Following(n, tree, true) {
		if n.DataAtom == atom.Head {
			n.AppendChild(script)
			return
		}
	}
}

// mend repairs what trafilatura does to markup: it makes every block of code an
// inline one, renames elements without their atoms, and trims the spaces between
// words and elements outside of paragraphs.
func mend(root *html.Node) {
	for n := root; n != nil; n = values.Following(n, root, true) {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "code" && strings.Contains(textOf(n), "\n") {
			n.Data = "pre"
		}
		n.DataAtom = atom.Lookup([]byte(n.Data))
	}
	for n := root; n != nil; {
		descend := true
		switch {
		case n.Type != html.ElementNode:
		case n.DataAtom == atom.P, n.DataAtom == atom.Pre, n.DataAtom == atom.Code:
			descend = false
		default:
			space(n)
		}
		n = values.Following(n, root, descend)
	}
}

// space puts a space between a text and an element that touch within n.
func space(n *html.Node) {
	for c := n.FirstChild; c != nil && c.NextSibling != nil; c = c.NextSibling {
		d := c.NextSibling
		switch {
		case c.Type == html.TextNode && d.Type == html.ElementNode:
			if !strings.HasSuffix(c.Data, " ") && wordEnd(c.Data) {
				c.Data += " "
			}
		case c.Type == html.ElementNode && d.Type == html.TextNode:
			if wordStart(d.Data) {
				d.Data = " " + d.Data
			}
		case c.Type == html.ElementNode && d.Type == html.ElementNode:
			n.InsertBefore(&html.Node{Type: html.TextNode, Data: " "}, d)
			c = c.NextSibling
		}
	}
}

func wordEnd(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return s != "" && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(",.;:!?)]»”’%", r))
}

func wordStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("([«“‘", r))
}
