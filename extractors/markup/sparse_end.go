package markup

import (
	"slices"

	"golang.org/x/net/html/atom"
)

// end reads an end tag. It is false where elements would have to be moved.
func (b *builder) end() bool {
	if n := len(b.foreign); n > 0 {
		matches := equalFold(b.s.bytes(b.foreign[n-1].name), b.s.Name())
		b.foreign = b.foreign[:n-1]
		return matches
	}
	tag := atom.Lookup(b.s.Name())
	inNoscript := b.part == inHead && b.top().tag == atom.Noscript
	switch tag {
	case atom.Br:
		return false // it is a line break
	case atom.Body, atom.Html:
		// What follows is still of the body.
		b.body()
		if b.over = bodyOver; tag == atom.Html {
			b.over = htmlOver
		}
		return !inNoscript
	case atom.Head:
		b.over = 0
		if b.part == inHead && !inNoscript {
			b.headEnds()
		}
		return true
	}
	b.over = 0
	b.whole.noDoctype()
	if b.part != inBody && tag != b.top().tag {
		return true
	}
	return b.endBody(tag)
}

func (b *builder) endBody(tag atom.Atom) bool {
	switch tag {
	case atom.Template, atom.Applet, atom.Marquee:
		return false
	case atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Button, atom.Center, atom.Details, atom.Dialog,
		atom.Dir, atom.Div, atom.Dl, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer, atom.Header, atom.Hgroup,
		atom.Listing, atom.Main, atom.Menu, atom.Nav, atom.Ol, atom.Pre, atom.Search, atom.Section, atom.Select,
		atom.Summary, atom.Ul, atom.Dd, atom.Dt, atom.Object:
		return b.endScoped(defaultScope, tag)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return b.endScoped(defaultScope, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6)
	case atom.Li:
		return b.endScoped(itemScope, tag)
	case atom.P:
		i := b.scoped(buttonScope, tag)
		return i >= 0 && b.popTo(i) // else it makes a paragraph
	case atom.Td, atom.Th, atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption, atom.Table:
		return b.endScoped(tableScope, tag)
	case atom.Colgroup:
		if b.top().tag == tag {
			b.pop()
		}
		return true
	case atom.Form:
		if !b.form {
			return true
		}
		b.form = false
		if b.scoped(defaultScope, tag) < 0 {
			return true
		}
		b.popImplied(0)
		if b.top().tag != tag {
			return false
		}
		b.pop()
		return true
	}
	if isFormatting(tag) {
		if b.top().tag != tag {
			return false
		}
		b.pop()
		return true
	}
	return b.endOther(tag)
}

// endOther ends an element that has no rules of its own. One that is not open,
// or lies beyond one that has rules, is not ended.
func (b *builder) endOther(tag atom.Atom) bool {
	for i := len(b.stack) - 1; i >= 0; i-- {
		if o := b.stack[i]; o.tag == tag && (tag != 0 || equalFold(b.s.bytes(o.name), b.s.Name())) {
			return b.popTo(i)
		}
		if isSpecial(b.stack[i].tag) {
			break
		}
	}
	return true
}

// endScoped ends the element with all that is open in it, where there is one.
func (b *builder) endScoped(s scope, tags ...atom.Atom) bool {
	i := b.scoped(s, tags...)
	return i < 0 || b.popTo(i)
}

func (b *builder) pop() { b.stack = b.stack[:len(b.stack)-1] }

// popTo ends element i and all that it holds. It is false where a formatting
// element is among them that has not ended: that one goes on in what follows.
func (b *builder) popTo(i int) bool {
	for _, o := range b.stack[i:] {
		if isFormatting(o.tag) {
			return false
		}
	}
	b.stack = b.stack[:i]
	return true
}

// popImplied ends the elements that end by themselves, up to one that is excepted.
func (b *builder) popImplied(except atom.Atom) {
	for len(b.stack) > 0 {
		tag := b.top().tag
		if !slices.Contains(endByThemselves, tag) || tag == except {
			return
		}
		b.pop()
	}
}

// closeP ends the open paragraph.
func (b *builder) closeP() bool { return b.endScoped(buttonScope, atom.P) }

// closeItem ends the open item of a list, of one kind or the other.
func (b *builder) closeItem(one, other atom.Atom) bool {
	for i := len(b.stack) - 1; i >= 0; i-- {
		switch tag := b.stack[i].tag; {
		case tag == one, tag == other && other != 0:
			return b.popTo(i)
		case tag == atom.Address, tag == atom.Div, tag == atom.P:
		case isSpecial(tag):
			return true
		}
	}
	return true
}

// scope is how far up an element is looked for
// (https://html.spec.whatwg.org/multipage/parsing.html#has-an-element-in-scope).
type scope int

const (
	defaultScope scope = iota
	buttonScope
	itemScope
	tableScope
)

// scoped is the place of the innermost open element of these, or -1.
func (b *builder) scoped(s scope, tags ...atom.Atom) int {
	for i := len(b.stack) - 1; i >= 0; i-- {
		tag := b.stack[i].tag
		if slices.Contains(tags, tag) {
			return i
		}
		switch tag {
		case atom.Table:
			return -1
		case atom.Caption, atom.Td, atom.Th, atom.Object, atom.Select:
			if s != tableScope {
				return -1
			}
		case atom.Button:
			if s == buttonScope {
				return -1
			}
		case atom.Ol, atom.Ul:
			if s == itemScope {
				return -1
			}
		}
	}
	return -1
}
