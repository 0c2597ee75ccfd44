package crawler

import (
	"bytes"
	"fmt"
	"math"

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
	// where it should be (HTML section 13.2.6.4.7: eight rounds of three and one),
	// each of what is open at most once a round.
	adoptions = 8
	adopted   = adoptions * 4
)

// mayGrow reports whether the tree of a page may take more than most. It is
// cheap, and says yes too often.
func mayGrow(body []byte, most int64) bool {
	tags := int64(bytes.Count(body, []byte("<")))
	if 4*int64(len(body))+tags*nodeBytes*(2+3*int64(len(plainFormatting))) > most || tags*int64(len(body))*attributeBytes/4 > most {
		if open, attributes := formats(body); tags*(nodeBytes*(2+open)+attributeBytes*attributes) > most {
			return true
		}
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

// rawText are the elements whose text is no markup for the tokenizer.
var rawText = map[atom.Atom]bool{
	atom.Iframe: true, atom.Noembed: true, atom.Noframes: true, atom.Plaintext: true, atom.Script: true,
	atom.Style: true, atom.Textarea: true, atom.Title: true, atom.Xmp: true,
}

// formats bounds how much formatting can be open at once, and how many attributes
// that has, by what looks like a beginning of it.
func formats(body []byte) (n, attributes int64) {
	link := int64(0)      // of links only one is open at a time
	left := 4 * len(body) // to be read; tags in tags would be read again and again
	for {
		i := bytes.IndexByte(body, '<')
		if i < 0 {
			return n, attributes + link
		}
		body = body[i+1:]
		name, is := formatting(body)
		if !is {
			continue
		}
		_, has, tag := measureTag(body[:min(len(body), left, longToken)])
		if left -= tag; tag < 0 { // a long one, or none at all
			left -= min(len(body), left, longToken)
			has = max(has, len(body)/2)
		}
		if left <= 0 {
			return maxOpen, math.MaxInt32
		}
		if name == 'a' || name == 'n' {
			link = max(link, int64(has))
			continue
		}
		n, attributes = min(n+1, maxOpen), attributes+int64(has)
	}
}

// formatting tells whether a tag that starts with its name is plain formatting, and
// its first letter.
func formatting(tag []byte) (first byte, is bool) {
	var room [len("strong") + 1]byte
	n := 0
	for n < len(tag) && n < len(room) {
		c := tag[n] | 0x20
		if c < 'a' || c > 'z' {
			break
		}
		room[n] = c
		n++
	}
	switch string(room[:n]) {
	case "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u":
		return room[0], true
	}
	return 0, false
}

// treeSize estimates the memory of the tree of a page, never much too low. It
// follows what formatting is open, since the parser repeats that in every
// paragraph: some kilobytes of HTML can make a tree of gigabytes.
func treeSize(body []byte) int64 {
	s := treeSizer{body: body, open: make(map[uint64]int8)}
	s.begin(0)
	for {
		switch s.next() {
		case html.ErrorToken:
			return s.size
		case html.TextToken:
			s.size += nodeBytes + s.copied + textBytes + int64(len(s.z.Raw()))
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
	body    []byte
	z       *html.Tokenizer
	at      int    // where the next token starts in the body
	raw     string // the element whose text that is, if it is not markup
	whole   bool   // the current token has a tokenizer of its own
	unread  int64  // what attributes take that the tokenizer is not shown
	size    int64
	stack   []openTag
	open    map[uint64]int8 // formatting that is open, by its whole tag
	again   int64           // how much of it
	copied  int64           // what it takes each time that it is opened again
	foreign bool            // there was SVG or MathML, where no text is raw
}

type openTag struct {
	name   atom.Atom
	format uint64 // 0: it is no formatting
	size   int64  // of formatting
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
	t.size = nodeBytes + s.unread
	for s.unread = 0; more; t.size += attributeBytes {
		_, _, more = s.z.TagAttr()
	}
	s.size += t.size - nodeBytes
	tag ^= uint64(t.size) << 1 // of a long tag the name was read
	s.size += nodeBytes + s.copied
	switch t.name {
	case atom.Svg, atom.Math:
		s.foreign = true
	case atom.Table, atom.Tr, atom.Td, atom.Th, atom.Col, atom.Caption, atom.Html, atom.Head, atom.Body:
		s.size += 3 * nodeBytes // that it implies
	case atom.Area, atom.Base, atom.Br, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Param,
		atom.Source, atom.Track, atom.Wbr:
		return
	}
	s.raw = ""
	if s.foreign || t.name == atom.Noscript {
		s.z.NextIsNotRawText()
	} else if rawText[t.name] {
		s.raw = t.name.String()
	}
	if plainFormatting[t.name] {
		t.format = tag
		if s.open[tag] < sameTags && s.again < maxOpen {
			s.open[tag]++
			s.again++
			s.copied += t.size
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
		s.size += nodeBytes + s.copied // they stand for an empty element
	}
	if plainFormatting[name] {
		if at < 0 || s.stack[at].name != name {
			s.size += adopted*nodeBytes + adoptions*(s.copied-s.again*nodeBytes)
			return
		}
		if tag := s.stack[at].format; s.open[tag] > 0 {
			s.open[tag]--
			s.again--
			s.copied -= s.stack[at].size
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
