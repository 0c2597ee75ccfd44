package markup

import (
	"bytes"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// start reads a start tag (https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inbody
// and the modes before it and in tables). It is false where the element, or one
// that is open, would not be where it is written.
func (b *builder) start() bool {
	if len(b.foreign) > 0 {
		return b.startForeign()
	}
	tag := atom.Lookup(b.s.Name())
	b.over = 0
	if b.part != inBody {
		if done, ok := b.startHead(tag); done {
			return ok
		}
		b.body()
	}
	top := b.top().tag
	if isTablePart(tag) || inTable(top) {
		return b.startTable(tag)
	}
	return b.startBody(tag)
}

// startHead reads a start tag before the body. It is not done with one that
// begins it.
func (b *builder) startHead(tag atom.Atom) (done, ok bool) {
	defer func() { b.began = b.began || tag != atom.Html && tag != atom.Head }()
	if b.top().tag == atom.Noscript {
		switch tag {
		case atom.Link, atom.Meta, atom.Style:
		default:
			return true, false
		}
	}
	switch tag {
	case atom.Html:
		ok = !b.html && !b.head && !b.began && b.frame(tag)
		b.html = true
	case atom.Head:
		ok = !b.head && !b.began && b.frame(tag)
		b.head = true
	case atom.Body:
		ok = b.frame(tag)
		b.part = inBody
	case atom.Base, atom.Basefont, atom.Bgsound, atom.Link, atom.Meta:
		b.intoHead(func() { ok = b.void(tag) })
	case atom.Script, atom.Style, atom.Title:
		b.intoHead(func() { ok = b.push(tag) })
	case atom.Noscript:
		if b.part == afterHead {
			return false, false
		}
		b.s.NextIsNotRawText()
		b.intoHead(func() { ok = b.push(tag) })
	default:
		return false, false
	}
	return true, ok
}

// startBody reads a start tag in the body, outside of the skeleton of tables.
func (b *builder) startBody(tag atom.Atom) bool {
	switch tag {
	case atom.Html, atom.Head, atom.Body, atom.Frameset, atom.Frame, atom.Image, atom.Template, atom.Math,
		atom.Plaintext, atom.Xmp, atom.Noembed, atom.Noframes, atom.Applet, atom.Marquee:
		return false
	case atom.Base, atom.Basefont, atom.Bgsound, atom.Link, atom.Meta,
		atom.Area, atom.Br, atom.Embed, atom.Img, atom.Keygen, atom.Wbr, atom.Param, atom.Source, atom.Track:
		return b.void(tag)
	case atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Center, atom.Details, atom.Dialog, atom.Dir,
		atom.Div, atom.Dl, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer, atom.Header, atom.Hgroup,
		atom.Main, atom.Menu, atom.Nav, atom.Ol, atom.P, atom.Search, atom.Section, atom.Summary, atom.Ul,
		atom.Pre, atom.Listing:
		return b.closeP() && b.push(tag)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		if !b.closeP() {
			return false
		}
		if isHeading(b.top().tag) {
			b.pop()
		}
		return b.push(tag)
	case atom.Table:
		// Old pages keep the paragraph open, by their doctype.
		return b.scoped(buttonScope, atom.P) < 0 && b.push(tag)
	case atom.Li:
		return b.closeItem(atom.Li, 0) && b.closeP() && b.push(tag)
	case atom.Dd, atom.Dt:
		return b.closeItem(atom.Dd, atom.Dt) && b.closeP() && b.push(tag)
	case atom.A:
		for _, o := range b.stack {
			if o.tag == atom.A {
				return false
			}
		}
		return b.push(tag)
	case atom.Nobr:
		return b.scoped(defaultScope, tag) < 0 && b.push(tag)
	case atom.Noscript:
		b.s.NextIsNotRawText()
		return b.push(tag)
	case atom.Svg:
		return b.startSVG()
	}
	if done, ok := b.startControl(tag); done {
		return ok
	}
	return b.push(tag)
}

// startControl reads the start tags of forms and of ruby, which may end others.
func (b *builder) startControl(tag atom.Atom) (done, ok bool) {
	inSelect := func() bool { return b.scoped(defaultScope, atom.Select) >= 0 }
	switch tag {
	case atom.Form:
		if b.form {
			return true, true // it is not to be
		}
		b.form = true
		return true, b.closeP() && b.push(tag)
	case atom.Button:
		if i := b.scoped(defaultScope, tag); i >= 0 && !b.popTo(i) {
			return true, false
		}
	case atom.Select:
		if i := b.scoped(defaultScope, tag); i >= 0 {
			return true, b.popTo(i)
		}
	case atom.Input:
		if i := b.scoped(defaultScope, atom.Select); i >= 0 && !b.popTo(i) {
			return true, false
		}
		return true, b.void(tag)
	case atom.Hr:
		if !b.closeP() {
			return true, false
		}
		if inSelect() {
			b.popImplied(0)
		}
		return true, b.void(tag)
	case atom.Option, atom.Optgroup:
		switch {
		case inSelect() && tag == atom.Option:
			b.popImplied(atom.Optgroup)
		case inSelect():
			b.popImplied(0)
		case b.top().tag == atom.Option:
			b.pop()
		}
	case atom.Rb, atom.Rtc, atom.Rp, atom.Rt:
		except := atom.Rtc
		if tag == atom.Rb || tag == atom.Rtc {
			except = 0
		}
		if b.scoped(defaultScope, atom.Ruby) >= 0 {
			b.popImplied(except)
		}
	default:
		return false, false
	}
	return true, b.push(tag)
}

// startTable reads the start tags that make up tables, and those between them.
func (b *builder) startTable(tag atom.Atom) bool {
	if !inTable(b.top().tag) { // in a cell, which ends
		i := b.scoped(tableScope, atom.Td, atom.Th)
		if i < 0 || !b.popTo(i) {
			return false
		}
	}
	if tag == atom.Script || tag == atom.Style {
		if b.top().tag == atom.Colgroup {
			b.pop()
		}
		return b.push(tag)
	}
	for {
		switch top := b.top().tag; {
		case tag == atom.Col && top == atom.Colgroup:
			return b.void(tag)
		case top == atom.Colgroup:
			return false
		case (tag == atom.Td || tag == atom.Th) && top == atom.Tr,
			tag == atom.Tr && isTableBody(top),
			(tag == atom.Caption || tag == atom.Colgroup || isTableBody(tag)) && top == atom.Table:
			return b.push(tag)
		case tag == atom.Tr && top == atom.Table:
			b.implyTableBody()
		case (tag == atom.Tr || isTableBody(tag)) && top == atom.Tr,
			isTableBody(tag) && isTableBody(top):
			b.pop()
		default:
			return false
		}
	}
}

// implyTableBody opens the tbody that nobody need write.
func (b *builder) implyTableBody() {
	o := open{tag: atom.Tbody}
	if parent := b.top().node; parent != nil {
		o.node = elementNode(atom.Tbody)
		parent.AppendChild(o.node)
	}
	b.stack = append(b.stack, o)
}

// startSVG reads the beginning of a drawing.
func (b *builder) startSVG() bool {
	b.foreign = b.foreign[:0]
	return b.pushForeign(b.top().node, atom.Svg)
}

// startForeign reads a start tag in SVG.
func (b *builder) startForeign() bool {
	top := b.foreign[len(b.foreign)-1]
	name := b.s.bytes(top.name)
	if equalFold(name, []byte("title")) || equalFold(name, []byte("desc")) {
		return false // what they hold is HTML again
	}
	if !PlainSVG(b.s.Name()) {
		return false
	}
	b.s.NextIsNotRawText()
	return b.pushForeign(top.node, atom.Lookup(b.s.Name()))
}

// pushForeign opens an element of SVG below parent. Nobody may want one by
// itself.
func (b *builder) pushForeign(parent *html.Node, tag atom.Atom) bool {
	var n *html.Node
	if parent != nil {
		n = b.drawing(tag)
		parent.AppendChild(n)
	} else if b.wantedForeign(tag) {
		return false
	}
	if !b.s.SelfClosing() {
		b.foreign = append(b.foreign, open{tag, b.s.data, n})
	}
	return true
}

// wantedForeign reports whether the element of the current tag may be wanted.
// Some attributes lose their prefix in SVG: "xlink:href" is a href.
func (b *builder) wantedForeign(tag atom.Atom) bool {
	for _, w := range b.want {
		for _, a := range b.s.attrs {
			if w.Attr != "" && bytes.IndexByte(b.s.bytes(a.key), ':') >= 0 {
				return true
			}
		}
	}
	return b.wanted(tag) != nil
}
