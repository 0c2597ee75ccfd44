package feeds

import (
	"encoding/xml"
	"errors"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// The bounds of one entry of a sitemap. The protocol allows 1,000 images.
const (
	maxEntryElements = 8_000
	maxEntryBytes    = 1 << 20
)

var errLargeEntry = errors.New("an entry is too large: the rest was left out")

// element is an XML element of one entry.
type element struct {
	name     string // local
	attrs    []xml.Attr
	text     strings.Builder
	children []*element
}

// child is the first child of that name, or nil.
func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// value is the text of a child, or "".
func (e *element) value(name string) string {
	c := e.child(name)
	if c == nil {
		return ""
	}
	return strings.TrimSpace(c.text.String())
}

func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// entryTree builds the tree of one entry after the other: the elements of depth
// 2, the root's children.
type entryTree struct {
	off         bool
	stack       []*element
	count, size int
}

func (t *entryTree) open(depth int, start xml.StartElement) error {
	if t.off || depth < 2 {
		return nil
	}
	if depth == 2 {
		t.stack, t.count, t.size = t.stack[:0], 0, 0
	}
	if t.count++; t.count > maxEntryElements || t.size > maxEntryBytes {
		return errLargeEntry
	}
	e := &element{name: start.Name.Local, attrs: start.Attr}
	for _, a := range start.Attr {
		t.size += len(a.Value)
	}
	if n := len(t.stack); n > 0 {
		t.stack[n-1].children = append(t.stack[n-1].children, e)
	}
	t.stack = append(t.stack, e)
	return nil
}

func (t *entryTree) text(data []byte) {
	if n := len(t.stack); n > 0 && t.size <= maxEntryBytes {
		t.size += len(data)
		t.stack[n-1].text.Write(data)
	}
}

// close gives the entry when it is whole.
func (t *entryTree) close() *element {
	n := len(t.stack)
	if n == 0 {
		return nil
	}
	last := t.stack[n-1]
	t.stack = t.stack[:n-1]
	if n > 1 {
		return nil
	}
	return last
}

// tell hands an entry on whose address is one.
func (r *reader) tell(entry *element, kind crawler.Kind) {
	u, err := r.base.Resolve(entry.value("loc"))
	if err == nil && u.IsHTTP() && entry.child("loc") != nil {
		r.detail(u.WithoutFragment(), kind, entry)
	}
}
