package crawler

import (
	"bytes"
	"fmt"

	"github.com/zeebo/xxh3"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// What the parts of a tree take, in bytes.
const (
	nodeBytes      = 112
	attributeBytes = 96
	textBytes      = 16 // beyond its length
	// maxOpen is how deep the parser builds; what would be deeper is an error.
	maxOpen = 512
	// adopted is how many nodes the end of formatting can make that is not
	// where it should be (HTML section 13.2.6.4.7: eight rounds of three and one).
	adopted = 32
)

// mayGrow reports whether the tree of a page may take more than most. It is
// cheap, and says yes too often.
func mayGrow(body []byte, most int64) bool {
	tags := int64(bytes.Count(body, []byte("<")))
	if 4*int64(len(body))+tags*nodeBytes*(2+3*int64(len(plainFormatting))) > most && tags*nodeBytes*(2+formats(body)) > most {
		return true
	}
	if attributeBytes*int64(len(body))/2 <= most {
		return false
	}
	parts := int64(0)
	for _, separator := range []string{" ", "\n", "\t", "\r", "\f", "/", "\"", "'"} {
		parts += int64(bytes.Count(body, []byte(separator)))
	}
	return attributeBytes*parts+4*int64(len(body)) > most
}

// plainFormatting are the elements that the parser opens again where they were
// not closed, as often as it takes.
var plainFormatting = map[atom.Atom]bool{
	atom.A: true, atom.B: true, atom.Big: true, atom.Code: true, atom.Em: true, atom.Font: true, atom.I: true,
	atom.Nobr: true, atom.S: true, atom.Small: true, atom.Strike: true, atom.Strong: true, atom.Tt: true, atom.U: true,
}

// formats bounds how much formatting can be open at once, by what looks like a
// beginning of it.
func formats(body []byte) (n int64) {
	for {
		i := bytes.IndexByte(body, '<')
		if i < 0 || n >= maxOpen {
			return n
		}
		body = body[i+1:]
		end := 0
		for end < len(body) && end < len("strong") && 'a' <= body[end]|0x20 && body[end]|0x20 <= 'z' {
			end++
		}
		// Of links only one is open at a time.
		if name := atom.Lookup(bytes.ToLower(body[:end])); plainFormatting[name] && name != atom.A && name != atom.Nobr {
			n++
		}
	}
}

// treeSize estimates the memory of the tree of a page, never much too low. It
// follows what formatting is open, since the parser repeats that in every
// paragraph: some kilobytes of HTML can make a tree of gigabytes.
func treeSize(body []byte) int64 {
	s := treeSizer{z: html.NewTokenizer(bytes.NewReader(body)), open: make(map[uint64]int8)}
	for {
		switch s.z.Next() {
		case html.ErrorToken:
			return s.size
		case html.TextToken:
			s.size += (1+s.again)*nodeBytes + textBytes + int64(len(s.z.Raw()))
		case html.CommentToken, html.DoctypeToken:
			s.size += nodeBytes + textBytes + int64(len(s.z.Raw()))
		case html.StartTagToken:
			s.start(false)
		case html.SelfClosingTagToken:
			s.start(true)
		case html.EndTagToken:
			s.end()
		}
	}
}

type treeSizer struct {
	z       *html.Tokenizer
	size    int64
	stack   []openTag
	open    map[uint64]int8 // formatting that is open, by its whole tag
	again   int64           // how much of it
	foreign bool            // there was SVG or MathML, where no text is raw
}

type openTag struct {
	name   atom.Atom
	format uint64 // 0: it is no formatting
}

// sameTags is how many of the same formatting stay open; the parser forgets the
// first of more.
const sameTags = 3

func (s *treeSizer) start(closed bool) {
	raw := s.z.Raw()
	tag := xxh3.Hash(raw) | 1
	s.size += int64(len(raw))
	name, more := s.z.TagName()
	t := openTag{name: atom.Lookup(name)}
	if t.name == 0 {
		s.size += int64(len(name))
	}
	for more {
		_, _, more = s.z.TagAttr()
		s.size += attributeBytes
	}
	s.size += (1 + s.again) * nodeBytes
	switch t.name {
	case atom.Svg, atom.Math:
		s.foreign = true
	case atom.Table, atom.Tr, atom.Td, atom.Th, atom.Col, atom.Caption, atom.Html, atom.Head, atom.Body:
		s.size += 3 * nodeBytes // that it implies
	case atom.Area, atom.Base, atom.Br, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Param,
		atom.Source, atom.Track, atom.Wbr:
		return
	}
	if s.foreign || t.name == atom.Noscript {
		s.z.NextIsNotRawText()
	}
	if plainFormatting[t.name] {
		t.format = tag
		if s.open[tag] < sameTags && s.again < maxOpen {
			s.open[tag]++
			s.again++
		}
	} else if closed {
		return
	}
	if len(s.stack) == maxOpen {
		s.stack = append(s.stack[:0], s.stack[maxOpen/2:]...)
	}
	s.stack = append(s.stack, t)
}

func (s *treeSizer) end() {
	raw, _ := s.z.TagName()
	name := atom.Lookup(raw)
	at := len(s.stack) - 1
	if name == atom.P || name == atom.Br {
		s.size += (1 + s.again) * nodeBytes // they stand for an empty element
	}
	if plainFormatting[name] {
		if at < 0 || s.stack[at].name != name {
			s.size += adopted * nodeBytes
			return
		}
		if tag := s.stack[at].format; s.open[tag] > 0 {
			s.open[tag]--
			s.again--
		}
		s.stack = s.stack[:at]
		return
	}
	for ; at >= 0; at-- {
		if s.stack[at].name == name {
			s.stack = s.stack[:at]
			return
		}
	}
}

// errTree says why a page has no tree.
func errTree(size, most int64) error {
	return fmt.Errorf("its tree would take about %d MiB of memory, and %d MiB are left to it (fetch.memory)", (size+1<<20-1)>>20, most>>20)
}
