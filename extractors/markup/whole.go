package markup

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Tree is the tree that html.ParseWithOptions makes of a page without scripting,
// in half the time where every element stands where it is written; elsewhere the
// parser makes it. Its errors are the parser's: too deep a nesting.
func Tree(page []byte) (*html.Node, error) {
	if root, ok := quick(page); ok {
		return root, nil
	}
	return html.ParseWithOptions(bytes.NewReader(page), html.ParseOptionEnableScripting(false))
}

// quick is Tree without the parser. It is not ok where that is needed.
func quick(page []byte) (*html.Node, bool) {
	if bytes.IndexByte(page, 0) >= 0 {
		return nil, false
	}
	root := &html.Node{Type: html.DocumentNode}
	b := builder{s: Scan(page), root: root, whole: &whole{doctype: true}}
	b.s.page = string(page)
	b.bottom.node = root
	return root, b.read()
}

// whole are the nodes that every tree has, as far as they are made.
type whole struct {
	doctype          bool // it may still come
	html, head, body *html.Node
}

func (w *whole) noDoctype() {
	if w != nil {
		w.doctype = false
	}
}

// doctype adds the doctype, if it stands where it counts.
func (b *builder) doctype() bool {
	if b.whole == nil {
		return true
	}
	if !b.whole.doctype {
		return b.over == 0 || len(b.stack) > 0
	}
	b.whole.doctype = false
	if name := b.s.Text(); strings.EqualFold(name, "html") {
		b.root.AppendChild(&html.Node{Type: html.DoctypeNode, Data: "html"})
		return true
	}
	doc, err := html.Parse(strings.NewReader("<!doctype " + string(b.s.bytes(b.s.data)) + ">"))
	if err != nil || doc.FirstChild == nil || doc.FirstChild.Type != html.DoctypeNode {
		return false
	}
	n := doc.FirstChild
	doc.RemoveChild(n)
	b.root.AppendChild(n)
	return true
}

// frame opens html, head or body as a tag says it.
func (b *builder) frame(tag atom.Atom) bool {
	w := b.whole
	if w == nil {
		return b.wanted(tag) == nil
	}
	switch tag {
	case atom.Html:
		b.openHTML(b.element(tag))
	case atom.Head:
		b.openHead(b.element(tag))
	default:
		b.openBody(b.element(tag))
	}
	return true
}

func (b *builder) openHTML(n *html.Node) {
	b.whole.doctype, b.whole.html, b.bottom.node = false, n, n
	b.root.AppendChild(n)
}

func (b *builder) openHead(n *html.Node) {
	if b.whole.html == nil {
		b.openHTML(elementNode(atom.Html))
	}
	b.whole.head, b.bottom.node = n, n
	b.whole.html.AppendChild(n)
}

func (b *builder) openBody(n *html.Node) {
	if b.whole.head == nil {
		b.openHead(elementNode(atom.Head))
	}
	b.whole.body, b.bottom.node = n, n
	b.whole.html.AppendChild(n)
}

// headEnds closes the head, and makes it where there was none.
func (b *builder) headEnds() {
	b.part, b.began = afterHead, true
	if w := b.whole; w != nil {
		if w.head == nil {
			b.openHead(elementNode(atom.Head))
		}
		b.bottom.node = w.html
	}
}

// body begins the body, if it has not begun.
func (b *builder) body() {
	if w := b.whole; w != nil && w.body == nil {
		b.openBody(elementNode(atom.Body))
	}
	b.part, b.began = inBody, true
}

// intoHead adds an element to the head, also behind its end.
func (b *builder) intoHead(add func()) {
	w := b.whole
	if w == nil || len(b.stack) > 0 {
		add()
		return
	}
	if w.head == nil {
		b.openHead(elementNode(atom.Head))
	}
	b.bottom.node = w.head
	add()
	if b.part == afterHead {
		b.bottom.node = w.html
	}
}

// wholeTextBefore is textBefore for a whole tree: white space stays where it is,
// but before the head, where it is dropped.
func (b *builder) wholeTextBefore() bool {
	text := b.s.Text()
	rest := strings.TrimLeft(text, whitespace)
	if b.whole.head != nil && !b.join(b.bottom.node, func() string { return text[:len(text)-len(rest)] }) {
		return false
	}
	if rest == "" {
		return true
	}
	b.body()
	return b.join(b.bottom.node, func() string { return rest })
}

// drawing is the element of the current tag in SVG, where some names have
// capitals and some attributes a namespace.
func (b *builder) drawing(tag atom.Atom) *html.Node {
	n := &html.Node{Type: html.ElementNode, DataAtom: tag, Data: string(b.s.Name()), Namespace: "svg", Attr: b.s.Attributes()}
	if name, ok := svgNames[n.Data]; ok {
		n.Data, n.DataAtom = name, atom.Lookup([]byte(name))
	}
	for i := range n.Attr {
		a := &n.Attr[i]
		if name, ok := svgAttributes[a.Key]; ok {
			a.Key = name
		}
		switch a.Key {
		case "xlink:actuate", "xlink:arcrole", "xlink:href", "xlink:role", "xlink:show", "xlink:title", "xlink:type",
			"xml:lang", "xml:space", "xmlns:xlink":
			a.Namespace, a.Key, _ = strings.Cut(a.Key, ":")
		}
	}
	return n
}

// svgNames and svgAttributes are the names that have capitals
// (https://html.spec.whatwg.org/multipage/parsing.html#adjust-svg-attributes), by
// their lower case; of the elements, those of PlainSVG.
var (
	svgNames      = byLowerCase("clipPath linearGradient radialGradient")
	svgAttributes = byLowerCase(`attributeName attributeType baseFrequency baseProfile calcMode clipPathUnits diffuseConstant edgeMode
		filterUnits glyphRef gradientTransform gradientUnits kernelMatrix kernelUnitLength keyPoints keySplines keyTimes lengthAdjust
		limitingConeAngle markerHeight markerUnits markerWidth maskContentUnits maskUnits numOctaves pathLength patternContentUnits
		patternTransform patternUnits pointsAtX pointsAtY pointsAtZ preserveAlpha preserveAspectRatio primitiveUnits refX refY
		repeatCount repeatDur requiredExtensions requiredFeatures specularConstant specularExponent spreadMethod startOffset
		stdDeviation stitchTiles surfaceScale systemLanguage tableValues targetX targetY textLength viewBox viewTarget
		xChannelSelector yChannelSelector zoomAndPan`)
)

func byLowerCase(names string) map[string]string {
	m := map[string]string{}
	for name := range strings.FieldsSeq(names) {
		m[strings.ToLower(name)] = name
	}
	return m
}
