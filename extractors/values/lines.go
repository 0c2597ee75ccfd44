package values

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Lines is the text a reader sees below n, with its lines: each block stands on a
// line of its own, paragraphs and what is like them have an empty line around
// them, the cells of a row have a tab between, and <pre> is as it was written.
// White space is folded within a line. Its errors are those of step.
func Lines(n *html.Node, step Step) (string, error) {
	w := &lineWriter{step: step}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := w.node(c, n.DataAtom == atom.Pre); err != nil {
			return "", err
		}
	}
	return w.out.String(), nil
}

// lineWriter writes lines; what separates two words is due until the next comes.
type lineWriter struct {
	step  Step
	out   strings.Builder
	lines int    // line breaks that are due
	gap   string // white space that is due within a line
}

func (w *lineWriter) node(n *html.Node, pre bool) error {
	if err := w.step.take(1 + len(n.Data)/BytesPerStep); err != nil {
		return err
	}
	switch n.Type {
	case html.TextNode:
		w.text(n.Data, pre)
		return nil
	case html.ElementNode:
	default:
		return nil
	}
	switch {
	case unseen(n.DataAtom):
		return nil
	case n.DataAtom == atom.Br:
		w.lines++
		return nil
	case n.DataAtom == atom.Td || n.DataAtom == atom.Th:
		w.gap = "\t"
	}
	around := breaks(n.DataAtom)
	w.lines = max(w.lines, around)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := w.node(c, pre || n.DataAtom == atom.Pre || n.DataAtom == atom.Textarea); err != nil {
			return err
		}
	}
	w.lines = max(w.lines, around)
	return nil
}

func (w *lineWriter) text(s string, pre bool) {
	if pre {
		for i, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
			if i > 0 {
				w.lines++
			}
			if line != "" {
				w.word(line)
			}
		}
		return
	}
	for len(s) > 0 {
		start := strings.IndexFunc(s, notSpace)
		if start != 0 && w.gap == "" {
			w.gap = " "
		}
		if start < 0 {
			return
		}
		s = s[start:]
		end := strings.IndexFunc(s, isSpace)
		if end < 0 {
			end = len(s)
		}
		w.word(s[:end])
		s = s[end:]
	}
}

func isSpace(r rune) bool { return !notSpace(r) }

// word writes what is due and the word; never more than one empty line.
func (w *lineWriter) word(s string) {
	if w.out.Len() > 0 {
		if w.lines > 0 {
			w.out.WriteString("\n\n"[:min(w.lines, 2)])
		} else {
			w.out.WriteString(w.gap)
		}
	}
	w.lines, w.gap = 0, ""
	w.out.WriteString(s)
}

// breaks is how many line breaks stand before and after an element.
func breaks(a atom.Atom) int {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Pre, atom.Ul, atom.Ol, atom.Dl, atom.Table, atom.Figure, atom.Hr:
		return 2
	case atom.Td, atom.Th:
		return 0
	}
	if separates(a) {
		return 1
	}
	return 0
}
