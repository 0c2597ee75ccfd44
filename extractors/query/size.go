package query

import (
	"bytes"
	"context"
	"math/bits"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
)

// What parts of a document take, in bytes: of package encoding/json's values, and of
// those of a record.
const (
	boxed       = 16 // a value behind an interface
	slot        = 16 // an interface in a list
	fieldBytes  = 32 // a field of a record
	listHeader  = 24
	mapHeader   = 48
	mapSmall    = 288 // room for the first eight members
	mapMember   = 34  // and for one of more, of which up to half stays empty
	allocations = 16  // what a short text is rounded up by
)

// A Size is what a document takes, in bytes and never much too little.
type Size struct {
	Values int64 // as Documents gives it, or the largest of its parts that is read at a time
	Text   int64 // of that
	Record int64 // as a record holds it, its texts aside, which are shared
}

// SizeOf looks at a text, at about the speed of memory. With a depth, parts that are
// nested so deep are read one at a time.
func SizeOf(data []byte, depth int) Size {
	s := sizer{depth: depth, stretch: 1}
	if !utf8.Valid(data) {
		s.stretch = len("\ufffd") // which takes the place of each wrong byte
	}
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case ' ', '\t', '\r', '\n', ':':
		case '{', '[':
			if len(s.stack) > 10_000 { // the decoder stops there
				return s.end(i)
			}
			s.open(c == '{', i)
		case ',':
			if n := len(s.stack); n > 0 {
				s.stack[n-1].members++
			}
		case '}', ']':
			s.close(i)
		case '"':
			n := textLength(data[i+1:])
			s.scalar(n, allocations)
			i += n + 1
		case 't', 'f', 'n':
			s.scalar(0, -boxed) // needs none
			i += 3
		default:
			n := 1
			for i+n < len(data) && numeric[data[i+n]] {
				n++
			}
			s.scalar(n, allocations/2)
			s.found.Record += boxed
			i += n - 1
		}
	}
	return s.end(len(data))
}

type sizer struct {
	depth   int
	stretch int // of texts
	stack   []container
	all     int64 // of the values so far
	part    int64 // of which so much was before the part that is read
	start   int   // where that begins
	found   Size
}

func (s *sizer) open(object bool, at int) {
	s.touch()
	if len(s.stack) == s.depth {
		s.part, s.start = s.all, at
	}
	s.stack = append(s.stack, container{object: object})
}

func (s *sizer) close(at int) {
	n := len(s.stack) - 1
	if n < 0 {
		return
	}
	values, record := s.stack[n].size()
	s.stack = s.stack[:n]
	s.all += values
	s.found.Record += record
	if n == s.depth {
		s.largest(s.all-s.part, at+1-s.start)
	}
}

func (s *sizer) scalar(length int, more int64) {
	s.touch()
	size := int64(length*s.stretch)*9/8 + boxed + more // rounded up as the runtime has its sizes
	s.all += size
	if len(s.stack) <= s.depth {
		s.largest(size, length)
	}
}

// touch notes that a container has something in it.
func (s *sizer) touch() {
	if n := len(s.stack); n > 0 {
		s.stack[n-1].any = true
	}
}

func (s *sizer) largest(values int64, text int) {
	s.found.Values, s.found.Text = max(s.found.Values, values), max(s.found.Text, int64(text))
}

// end takes what was left open for a part.
func (s *sizer) end(at int) Size {
	if len(s.stack) > s.depth {
		for _, c := range s.stack {
			values, _ := c.size()
			s.all += values
		}
		s.largest(s.all-s.part, at-s.start)
	}
	return s.found
}

type container struct {
	object, any bool
	members     int64 // commas
}

func (c container) size() (values, record int64) {
	n := c.members
	if c.any {
		n++
	}
	switch {
	case !c.object:
		return listHeader + 2*slot*n, listHeader + slot*n
	case n == 0:
		return mapHeader, listHeader
	case n <= 8:
		return mapHeader + mapSmall, listHeader + fieldBytes*n
	}
	slots := int64(1) << bits.Len64(uint64(n*8/7))
	return mapHeader + mapMember*slots, listHeader + fieldBytes*n
}

// textLength is how far the end of a text is whose first quotation mark was read.
func textLength(data []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(data[at:], '"')
		if i < 0 {
			return len(data)
		}
		at += i
		back := 0
		for back < at && data[at-1-back] == '\\' {
			back++
		}
		if back%2 == 0 {
			return at
		}
		at++
	}
}

var numeric = func() (is [256]bool) {
	for _, c := range []byte("0123456789+-.eE") {
		is[c] = true
	}
	return is
}()

// buffers is how many times its length a document takes while the decoder reads it.
const buffers = 3

// Reserve asks for the memory that reading a document of the page takes, until done is
// called: whole, or with a depth in parts that are nested so deep; copied tells that
// the records are to hold all of it. A document that does not fit is not to be read.
func Reserve(ctx context.Context, p *crawler.Page, data []byte, depth int, copied bool) (done func(), err error) {
	spare := p.Spare()
	if atMost(len(data)) <= spare || crawler.WeightOfJSON(data) <= spare {
		return func() {}, nil
	}
	size := SizeOf(data, depth)
	need := buffers*size.Text + size.Values
	if copied {
		need += size.Record
	}
	return p.Reserve(ctx, need)
}

// atMost is what a document of that length takes at most.
func atMost(length int) int64 { return 90 * int64(length) }
