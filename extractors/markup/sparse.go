package markup

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Want describes elements by what they are themselves, whatever stands around
// them. The fields but the last sift; an empty one lets all through.
type Want struct {
	Tag   string // the name
	ID    string // the value of the attribute id
	Class string // one of its classes
	Attr  string // an attribute that is there
	// Match has the last word, on an element without its surroundings.
	Match func(*html.Node) bool
}

// maxDepth is where the library's parser gives up, less what is not on the
// stack here.
const maxDepth = 512 - 4

// Sparse reads a page in UTF-8 and returns a document that holds the elements
// that are wanted, in their order, with all that is below them: as they stand in
// the tree that html.ParseWithOptions makes without scripting. An element that
// another one holds is not listed again. ok is false where the tokens alone do
// not tell what the tree holds, and for elements that a page need not write:
// html, head, body. The caller then asks the parser.
func Sparse(page []byte, want []Want) (document *html.Node, ok bool) {
	if bytes.IndexByte(page, 0) >= 0 {
		return nil, false // the parser drops some and replaces others
	}
	b := builder{s: Scan(page), want: want, root: &html.Node{Type: html.DocumentNode}}
	return b.root, b.read()
}

// read reads the page to its end, or to where the tokens do not tell.
func (b *builder) read() (ok bool) {
	for {
		b.s.AllowCDATA(len(b.foreign) > 0)
		switch b.s.Next() {
		case End:
			b.body()
			return true
		case Text:
			ok = b.text()
		case StartTag:
			ok = b.start()
		case EndTag:
			ok = b.end()
		case Comment:
			ok = b.comment()
		case Doctype:
			ok = b.doctype()
		}
		if !ok || b.s.cut || len(b.stack)+len(b.foreign) > maxDepth {
			return false
		}
	}
}

// The parts of a page, as far as they decide what a tag means.
const (
	inHead = iota // or before it
	afterHead
	inBody
)

// open is an element whose end has not come.
type open struct {
	tag  atom.Atom
	name span       // in the source, for names that have no atom
	node *html.Node // nil outside of what is wanted
}

// builder follows the parser's stack of open elements as long as every element
// goes where it is written.
type builder struct {
	s    *Scanner
	want []Want
	root *html.Node

	stack   []open // below body
	bottom  open   // what an empty stack has on top
	foreign []open // from the outermost <svg> down
	part    int
	html    bool // <html> was there
	head    bool // <head> was there
	began   bool // something else was there
	form    bool // a form has begun that no </form> has ended
	over    over
	moved   int // octets of text that were copied to join others

	whole *whole // the rest of the tree, where all of it is made
	nodes []html.Node
}

// node makes nodes by the dozen: one by one they are two thirds of what a tree
// allocates.
func (b *builder) node(n html.Node) *html.Node {
	if len(b.nodes) == 0 {
		b.nodes = make([]html.Node, 24)
	}
	made := &b.nodes[0]
	b.nodes = b.nodes[1:]
	*made = n
	return made
}

// over tells which ends of the page were there.
type over int

const (
	bodyOver over = iota + 1
	htmlOver
)

func (b *builder) top() *open {
	if n := len(b.stack); n > 0 {
		return &b.stack[n-1]
	}
	return &b.bottom
}

// push opens the element of the current tag.
func (b *builder) push(tag atom.Atom) bool {
	b.stack = append(b.stack, open{tag, b.s.data, b.add(tag)})
	return true
}

// void adds an element that has no content.
func (b *builder) void(tag atom.Atom) bool {
	b.add(tag)
	return true
}

// add makes the node of the current tag, if it is wanted.
func (b *builder) add(tag atom.Atom) *html.Node {
	parent := b.top().node
	if parent != nil {
		n := b.element(tag)
		parent.AppendChild(n)
		return n
	}
	n := b.wanted(tag)
	if n != nil {
		b.root.AppendChild(n)
	}
	return n
}

func (b *builder) element(tag atom.Atom) *html.Node {
	name := tag.String()
	if tag == 0 {
		name = string(b.s.Name())
	}
	n := b.node(html.Node{Type: html.ElementNode, DataAtom: tag, Data: name, Attr: b.s.Attributes()})
	if isFormatting(tag) { // the library sorts theirs
		slices.SortFunc(n.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
	}
	return n
}

// wanted is the element of the current tag, or nil where nobody wants it. Its
// name and attributes are those that HTML gives it.
func (b *builder) wanted(tag atom.Atom) *html.Node {
	var n *html.Node
	for i := range b.want {
		if w := &b.want[i]; b.sift(w) {
			if n == nil {
				n = b.element(tag)
			}
			if w.Match(n) {
				return n
			}
		}
	}
	return nil
}

// sift reports whether the current tag may be wanted.
func (b *builder) sift(w *Want) bool {
	if w.Tag != "" && string(b.s.Name()) != w.Tag {
		return false
	}
	if w.Attr != "" {
		if _, ok := b.s.Raw(w.Attr); !ok {
			return false
		}
	}
	return b.may("class", w.Class) && b.may("id", w.ID)
}

// may reports whether an attribute may hold a word.
func (b *builder) may(name, word string) bool {
	if word == "" {
		return true
	}
	raw, ok := b.s.Raw(name)
	return ok && (bytes.Contains(raw, []byte(word)) || bytes.IndexByte(raw, '&') >= 0)
}

// text adds a text to the open element.
func (b *builder) text() bool {
	if n := len(b.foreign); n > 0 {
		return b.join(b.foreign[n-1].node, b.s.Text)
	}
	blank := b.blank()
	if !blank {
		b.over = 0
	}
	top := b.top()
	switch {
	case len(b.stack) == 0 && b.part != inBody:
		return b.textBefore(blank)
	case !blank && (inTable(top.tag) || b.part == inHead && top.tag == atom.Noscript):
		return false
	}
	return b.join(top.node, func() string {
		text := b.s.Text()
		switch top.tag {
		case atom.Pre, atom.Listing, atom.Textarea:
			if top.node.FirstChild == nil {
				return strings.TrimPrefix(text, "\n")
			}
		}
		return text
	})
}

// blank reports whether a text is white space, once it is decoded.
func (b *builder) blank() bool {
	if b.s.Blank() {
		return true
	}
	raw := b.s.bytes(b.s.data)
	return bytes.IndexByte(raw, '&') >= 0 && strings.TrimLeft(b.s.Text(), whitespace) == ""
}

const whitespace = " \t\r\n\f"

// textBefore reads a text where the body has not begun: if it says something,
// the body begins with it.
func (b *builder) textBefore(blank bool) bool {
	if b.whole != nil {
		return b.wholeTextBefore()
	}
	if !blank {
		b.part, b.began = inBody, true
	}
	return true
}

// join adds a text to what n ends in. It is false for pages that are made to have
// their texts joined again and again.
func (b *builder) join(n *html.Node, text func() string) bool {
	if n == nil {
		return true
	}
	t := text()
	if t == "" {
		return true
	}
	last := n.LastChild
	if last == nil || last.Type != html.TextNode {
		n.AppendChild(b.node(html.Node{Type: html.TextNode, Data: t}))
		return true
	}
	last.Data += t
	b.moved += len(last.Data)
	return b.moved <= 4*len(b.s.src)+1<<16
}

func (b *builder) comment() bool {
	n := b.top().node
	if len(b.foreign) > 0 {
		n = b.foreign[len(b.foreign)-1].node
	}
	if n == nil {
		return true
	}
	if b.over != 0 { // it belongs outside of body
		if b.whole == nil || len(b.stack) > 0 {
			return false
		}
		n = b.whole.html
		if b.over == htmlOver {
			n = b.root
		}
	}
	n.AppendChild(b.node(html.Node{Type: html.CommentNode, Data: b.s.Text()}))
	return true
}
