package values

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A Step is told of work as it is done, in nodes visited, and ends the work by
// an error. nil does not count.
type Step func(nodes int) error

func (s Step) take(n int) error {
	if s == nil {
		return nil
	}
	return s(n)
}

// BytesPerStep is how much text costs as much as a node.
const BytesPerStep = 16

// RawText is the text below n as it stands, scripts and all. Its errors are
// those of step.
func RawText(n *html.Node, step Step) (string, error) {
	if t := onlyText(n); t != nil {
		return t.Data, step.take(1 + len(t.Data)/BytesPerStep)
	}
	var b strings.Builder
	for c := Following(n, n, true); c != nil; c = Following(c, n, true) {
		n := 1
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
			n += len(c.Data) / BytesPerStep
		}
		if err := step.take(n); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// onlyText is the text node that is all there is below n, or nil.
func onlyText(n *html.Node) *html.Node {
	if t := n.FirstChild; t != nil && t == n.LastChild && t.Type == html.TextNode {
		return t
	}
	return nil
}

// Text is the text a reader sees below n, on one line: white space folded,
// words kept apart where the page breaks lines, scripts, styles and templates
// left out. Its errors are those of step.
func Text(n *html.Node, step Step) (string, error) { return TextWith(n, nil, step) }

// TextWith is Text with the words that instead gives for an element, where it
// gives some, in the place of what is in it.
func TextWith(n *html.Node, instead func(*html.Node) string, step Step) (string, error) {
	if t := onlyText(n); t != nil {
		return Fold(t.Data), step.take(1 + len(t.Data)/BytesPerStep)
	}
	var b folder
	for c := n.FirstChild; c != nil; {
		if err := step.take(1 + len(c.Data)/BytesPerStep); err != nil {
			return "", err
		}
		descend := true
		switch c.Type {
		case html.TextNode:
			b.write(c.Data)
		case html.ElementNode:
			descend = !unseen(c.DataAtom)
			b.space = b.space || separates(c.DataAtom)
			if instead != nil {
				if words := instead(c); words != "" {
					b.write(words)
					descend = false
				}
			}
		}
		next := Following(c, n, descend)
		// Leaving a block separates as well as entering one.
		for up := c; next != nil && up != n && up != next.Parent; up = up.Parent {
			b.space = b.space || separates(up.DataAtom)
		}
		c = next
	}
	return b.String(), nil
}

// Fold makes each run of white space in s one space, and none at its ends.
func Fold(s string) string {
	var b folder
	b.write(s)
	return b.String()
}

// folder writes text with white space folded.
type folder struct {
	strings.Builder
	space bool // a space is due before the next word
}

func (b *folder) write(s string) {
	for len(s) > 0 {
		if i := strings.IndexFunc(s, notSpace); i != 0 {
			b.space = true
			if i < 0 {
				return
			}
			s = s[i:]
		}
		end := strings.IndexFunc(s, unicode.IsSpace)
		if end < 0 {
			end = len(s)
		}
		if b.space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.space = false
		b.WriteString(s[:end])
		s = s[end:]
	}
}

func notSpace(r rune) bool { return !unicode.IsSpace(r) }

// unseen are the elements whose content is no text for readers.
func unseen(a atom.Atom) bool {
	switch a {
	case atom.Script, atom.Style, atom.Template, atom.Noscript:
		return true
	}
	return false
}

// separates are the elements that break a line or a cell.
func separates(a atom.Atom) bool {
	switch a {
	case
		atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Br, atom.Caption, atom.Center,
		atom.Dd, atom.Details, atom.Dialog, atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption,
		atom.Figure, atom.Footer, atom.Form, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
		atom.Head, atom.Header, atom.Hgroup, atom.Hr, atom.Legend, atom.Li, atom.Main, atom.Menu, atom.Nav,
		atom.Ol, atom.Optgroup, atom.Option, atom.P, atom.Pre, atom.Search, atom.Section, atom.Summary,
		atom.Table, atom.Tbody, atom.Td, atom.Textarea, atom.Tfoot, atom.Th, atom.Thead, atom.Title, atom.Tr, atom.Ul:
		return true
	}
	return false
}

// InnerHTML is the markup below n.
func InnerHTML(n *html.Node) (string, error) {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := html.Render(&b, c); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}
