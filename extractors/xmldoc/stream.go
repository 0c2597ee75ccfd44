package xmldoc

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"

	"github.com/antchfx/xmlquery"
	"golang.org/x/net/html/charset"
)

var (
	errTooDeep  = errors.New("elements are nested too deep")
	errTooLarge = errors.New("one record's element is too large")
	errNoXML    = errors.New("there is no element in it")
)

// stream reads a document and makes a tree of each element on the path.
type stream struct {
	from  *xml.Decoder
	each  path
	found func(*xmlquery.Node) error

	open []string       // names of the open elements, from the top
	top  int            // how many were open around the current record, with it
	tree *xmlquery.Node // the record's element, nil outside of one
	here *xmlquery.Node // the innermost open element of the record
	any  bool

	nodes, text int // of the record
}

// newStream reads body; decoded tells that it is UTF-8 whatever it says.
func newStream(body []byte, decoded bool, each path, found func(*xmlquery.Node) error) *stream {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimLeft(body, "\ufeff \t\r\n")))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if decoded { // the declaration is about the bytes before that
			return in, nil
		}
		return charset.NewReaderLabel(label, in)
	}
	return &stream{from: d, each: each, found: found}
}

// run reads to the end, or to the first error: of the text, of a bound, of found,
// of ctx.
func (s *stream) run(ctx context.Context) error {
	for i := 1; ; i++ {
		if i%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t, err := s.from.RawToken()
		if errors.Is(err, io.EOF) {
			if !s.any {
				return errNoXML
			}
			return s.close(0) // what was left open ends here
		}
		if err != nil {
			return err
		}
		if err := s.token(t); err != nil {
			return err
		}
	}
}

func (s *stream) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return s.start(t)
	case xml.EndElement:
		name := full(t.Name)
		for i := len(s.open) - 1; i >= 0; i-- {
			if s.open[i] == name {
				return s.close(i)
			}
		}
	case xml.CharData:
		if s.tree == nil {
			return nil
		}
		if s.text += len(t); s.text > MaxText {
			return errTooLarge
		}
		return s.add(&xmlquery.Node{Type: xmlquery.TextNode, Data: string(t)})
	}
	return nil
}

func (s *stream) start(t xml.StartElement) error {
	s.any = true
	if len(s.open) == MaxDepth {
		return errTooDeep
	}
	s.open = append(s.open, full(t.Name))
	if s.tree == nil && !s.each.matches(s.open) {
		return nil
	}
	n := &xmlquery.Node{Type: xmlquery.ElementNode, Data: t.Name.Local, Prefix: t.Name.Space}
	for _, a := range t.Attr {
		s.nodes++
		s.text += len(a.Value)
		n.Attr = append(n.Attr, xmlquery.Attr{Name: a.Name, Value: a.Value})
	}
	if s.text > MaxText {
		return errTooLarge
	}
	if s.tree == nil {
		s.tree, s.here, s.top = n, n, len(s.open)
		// XPath looks for the root of a tree above its elements.
		xmlquery.AddChild(&xmlquery.Node{Type: xmlquery.DocumentNode}, n)
		return nil
	}
	if err := s.add(n); err != nil {
		return err
	}
	s.here = n
	return nil
}

func (s *stream) add(n *xmlquery.Node) error {
	if s.nodes++; s.nodes > MaxNodes {
		return errTooLarge
	}
	xmlquery.AddChild(s.here, n)
	return nil
}

// close ends the open elements from the depth on.
func (s *stream) close(depth int) error {
	for len(s.open) > depth {
		s.open = s.open[:len(s.open)-1]
		if s.tree == nil {
			continue
		}
		if len(s.open) >= s.top {
			s.here = s.here.Parent
			continue
		}
		done := s.tree
		s.tree, s.here, s.nodes, s.text = nil, nil, 0, 0
		if err := s.found(done); err != nil {
			return err
		}
	}
	return nil
}

func full(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}
