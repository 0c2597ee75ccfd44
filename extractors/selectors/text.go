package selectors

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// rawText is the text below n as it stands.
func (w *work) rawText(n *html.Node) (string, error) {
	if t := onlyText(n); t != nil {
		return t.Data, w.step(1 + len(t.Data)/bytesPerStep)
	}
	var b strings.Builder
	for c := following(n, n, true); c != nil; c = following(c, n, true) {
		n := 1
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
			n += len(c.Data) / bytesPerStep
		}
		if err := w.step(n); err != nil {
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

// foldedText is the text a reader sees below n, on one line: white space folded,
// words kept apart where the page breaks lines.
func (w *work) foldedText(n *html.Node) (string, error) {
	if t := onlyText(n); t != nil {
		return fold(t.Data), w.step(1 + len(t.Data)/bytesPerStep)
	}
	var b folder
	for c := n.FirstChild; c != nil; {
		if err := w.step(1 + len(c.Data)/bytesPerStep); err != nil {
			return "", err
		}
		descend := true
		switch c.Type {
		case html.TextNode:
			b.write(c.Data)
		case html.ElementNode:
			descend = !unseen(c.DataAtom)
			b.space = b.space || separates(c.DataAtom)
		}
		next := following(c, n, descend)
		// Leaving a block separates as well as entering one.
		for up := c; next != nil && up != n && up != next.Parent; up = up.Parent {
			b.space = b.space || separates(up.DataAtom)
		}
		c = next
	}
	return b.String(), nil
}

// fold folds the white space of s.
func fold(s string) string {
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

// innerHTML is the markup below n.
func innerHTML(n *html.Node) (string, error) {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := html.Render(&b, c); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}
