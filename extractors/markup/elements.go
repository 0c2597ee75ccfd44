package markup

import (
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Kinds of elements, as https://html.spec.whatwg.org/multipage/parsing.html has them
// and the library follows them.

func elementNode(tag atom.Atom) *html.Node {
	return &html.Node{Type: html.ElementNode, DataAtom: tag, Data: tag.String()}
}

// endByThemselves are the elements whose end tags may be left out.
var endByThemselves = []atom.Atom{atom.Dd, atom.Dt, atom.Li, atom.Optgroup, atom.Option, atom.P, atom.Rb, atom.Rp, atom.Rt, atom.Rtc}

func isHeading(tag atom.Atom) bool {
	switch tag {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// isFormatting are the elements that go on in the next one when they are not
// ended in their own.
func isFormatting(tag atom.Atom) bool {
	switch tag {
	case atom.A, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Nobr, atom.S, atom.Small, atom.Strike,
		atom.Strong, atom.Tt, atom.U:
		return true
	}
	return false
}

// inTable are the elements between which a table's cells stand, and no text.
func inTable(tag atom.Atom) bool {
	return tag == atom.Table || tag == atom.Tr || tag == atom.Colgroup || isTableBody(tag)
}

func isTableBody(tag atom.Atom) bool {
	return tag == atom.Tbody || tag == atom.Thead || tag == atom.Tfoot
}

// isTablePart are the elements that stand in tables only.
func isTablePart(tag atom.Atom) bool {
	switch tag {
	case atom.Caption, atom.Col, atom.Colgroup, atom.Td, atom.Th, atom.Tr:
		return true
	}
	return isTableBody(tag)
}

// isSpecial are the elements that an end tag without rules does not pass.
func isSpecial(tag atom.Atom) bool {
	switch tag {
	case atom.Address, atom.Applet, atom.Area, atom.Article, atom.Aside, atom.Base, atom.Basefont, atom.Bgsound,
		atom.Blockquote, atom.Body, atom.Br, atom.Button, atom.Caption, atom.Center, atom.Col, atom.Colgroup, atom.Dd,
		atom.Details, atom.Dir, atom.Div, atom.Dl, atom.Dt, atom.Embed, atom.Fieldset, atom.Figcaption, atom.Figure,
		atom.Footer, atom.Form, atom.Frame, atom.Frameset, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Head,
		atom.Header, atom.Hgroup, atom.Hr, atom.Html, atom.Iframe, atom.Img, atom.Input, atom.Keygen, atom.Li, atom.Link,
		atom.Listing, atom.Main, atom.Marquee, atom.Menu, atom.Meta, atom.Nav, atom.Noembed, atom.Noframes, atom.Noscript,
		atom.Object, atom.Ol, atom.P, atom.Param, atom.Plaintext, atom.Pre, atom.Script, atom.Section, atom.Select,
		atom.Source, atom.Style, atom.Summary, atom.Table, atom.Tbody, atom.Td, atom.Template, atom.Textarea, atom.Tfoot,
		atom.Th, atom.Thead, atom.Title, atom.Tr, atom.Track, atom.Ul, atom.Wbr, atom.Xmp:
		return true
	}
	return false
}

// PlainSVG reports whether an SVG element is one in which the tokens say all: no
// links, no raw text, no way back into HTML. The name is in lower case.
func PlainSVG(name []byte) bool {
	switch string(name) {
	case "circle", "clippath", "defs", "desc", "ellipse", "filter", "g", "image", "line", "lineargradient", "mask", "path",
		"pattern", "polygon", "polyline", "radialgradient", "rect", "stop", "style", "symbol", "text", "title", "tspan", "use":
		return true
	}
	return false
}
