package xmldoc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/antchfx/xmlquery"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// The bounds of a document.
const (
	DefaultMaxRecords = 10_000
	MaxDepth          = 512
	MaxNodes          = 50_000  // in a record's element, attributes included
	MaxText           = 4 << 20 // bytes, in a record's element
)

func init() {
	crawler.Extractors.Register("xml", func() crawler.Extractor { return &XML{MaxRecords: DefaultMaxRecords} })
}

// Field is one field of a record.
type Field struct {
	Name     string `yaml:",key" doc:"the field's name in the record"`
	XPath    string `yaml:"xpath,scalar" doc:"an XPath 1.0 expression, relative to the record's element; alone it may stand in place of the mapping"`
	As       string `yaml:"as,omitempty" enum:"string,raw,integer,number,boolean,date,url,json" default:"string" doc:"the type of the value; string is the text with white space folded"`
	All      bool   `yaml:"all,omitempty" default:"false" doc:"take every value as a list, not the first one"`
	Required bool   `yaml:"required,omitempty" default:"false" doc:"drop the record when this field has no value"`
}

// XML makes records of XML documents by its configuration, which is itself. Do not
// change it after its first use; Extract is safe for concurrent use.
type XML struct {
	Each       string  `yaml:"each,omitempty" doc:"make one record for each element at the end of this path of names, such as /catalogue/book or //book (* is any name); the fields are relative to it. Without it the document is one record"`
	Fields     []Field `yaml:"fields,omitempty" doc:"the record's fields, by name; without any, the attributes and children of the element"`
	MaxRecords int     `yaml:"max_records,omitempty" default:"10000" doc:"the most records taken from one document; more are cut, with an error"`

	once sync.Once
	plan plan
	err  error
}

var (
	_ crawler.Extractor   = (*XML)(nil)
	_ crawler.Validator   = (*XML)(nil)
	_ crawler.TreeReader  = (*XML)(nil)
	_ crawler.FieldLister = (*XML)(nil)
)

// NeedsTree is false: the document is read as a stream.
func (x *XML) NeedsTree() bool { return false }

// FieldNames lists the fields in config order; nil where the documents tell.
func (x *XML) FieldNames() []string {
	var names []string
	for _, f := range x.Fields {
		names = append(names, f.Name)
	}
	return names
}

// Validate compiles the configuration. Its error joins a *crawler.ConfigError for
// every mistake.
func (x *XML) Validate() error {
	x.once.Do(func() { x.plan, x.err = compile(x) })
	return x.err
}

// Extract emits the document's records. Pages of other types than XML give none.
func (x *XML) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	if err := x.Validate(); err != nil {
		return err
	}
	if !isXML(p) {
		return nil
	}
	r := &reading{ctx: ctx, plan: &x.plan, page: p, emit: e}
	s := newStream(p.Response.Body, p.Response.Charset != "", x.plan.each, r.element)
	err := s.run(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch {
	case err == nil || errors.Is(err, errEnough):
		return nil
	case r.records == 0 && r.reported == 0:
		return fmt.Errorf("reading the XML: %w", err)
	}
	e.FieldError("", "", false, fmt.Errorf("reading the XML: %w: what stands behind it was left out", err))
	return nil
}

// isXML goes by the type, and where a server has but a general one, by the text.
func isXML(p *crawler.Page) bool {
	media := p.Response.MediaType
	switch {
	case strings.HasSuffix(media, "/xml"), strings.HasSuffix(media, "+xml"):
		return true
	case media == "text/plain", media == "application/octet-stream":
		return bytes.HasPrefix(bytes.TrimLeft(p.Response.Body, "\ufeff \t\r\n"), []byte("<?xml"))
	}
	return false
}

// reading is the work on one document.
type reading struct {
	ctx  context.Context
	plan *plan
	page *crawler.Page
	emit *crawler.Emitter

	records, reported int
}

// maxErrors bounds the field errors reported for one document.
const maxErrors = 200

var (
	errEnough  = errors.New("enough records")
	errMissing = errors.New("required, but not found")
)

func (r *reading) failure(field, value string, dropped bool, err error) {
	if r.reported++; r.reported <= maxErrors {
		r.emit.FieldError(field, value, dropped, err)
	}
}

// element makes a record of one element.
func (r *reading) element(n *xmlquery.Node) error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	if r.records == r.plan.maxRecords {
		r.failure("", "", true, fmt.Errorf("more than %d records in one document: the rest was left out", r.records))
		return errEnough
	}
	fields, dropped, err := r.fields(n)
	if err != nil {
		return err
	}
	if fields != nil && !dropped {
		r.records++
		r.emit.Record(fields...)
	}
	return nil
}

// fields are those of one record: nil when nothing was found.
func (r *reading) fields(n *xmlquery.Node) (fields []crawler.Field, dropped bool, err error) {
	if len(r.plan.fields) == 0 {
		return members(n), false, nil
	}
	type bad struct {
		field, value string
		err          error
	}
	var wrong []bad
	found := false
	fields = make([]crawler.Field, len(r.plan.fields))
	for i := range r.plan.fields {
		f := &r.plan.fields[i]
		texts, err := f.xpath.texts(n, f.All)
		if err != nil {
			return nil, false, fmt.Errorf("field %q: %w", f.Name, err)
		}
		var list []any
		for _, text := range texts {
			v, err := f.as.Convert(f.as.Tidy(text), r.page.URL)
			if err != nil {
				wrong = append(wrong, bad{f.Name, text, err})
				continue
			}
			list = append(list, v)
		}
		found = found || len(texts) > 0
		fields[i] = crawler.Field{Name: f.Name, Value: one(list, f.All)}
		if list == nil && f.Required {
			dropped = true
			if len(texts) == 0 {
				wrong = append(wrong, bad{f.Name, "", errMissing})
			}
		}
	}
	if !found {
		return nil, false, nil
	}
	for _, w := range wrong {
		r.failure(w.field, w.value, dropped, w.err)
	}
	return fields, dropped, nil
}

func one(list []any, all bool) any {
	switch {
	case len(list) == 0:
		return nil
	case all:
		return list
	}
	return list[0]
}

// members are the attributes and the children of an element by their names, those
// that stand several times as lists.
func members(n *xmlquery.Node) []crawler.Field {
	var fields []crawler.Field
	at := make(map[string]int)
	add := func(prefix, name, text string) {
		if prefix != "" {
			name = prefix + ":" + name
		}
		if text = values.Fold(text); text == "" || strings.HasPrefix(name, "_") {
			return
		}
		i, known := at[name]
		if !known {
			at[name] = len(fields)
			fields = append(fields, crawler.Field{Name: name, Value: text})
			return
		}
		list, ok := fields[i].Value.([]any)
		if !ok {
			list = []any{fields[i].Value}
		}
		fields[i].Value = append(list, text)
	}
	for _, a := range n.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			add(a.Name.Space, a.Name.Local, a.Value)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == xmlquery.ElementNode {
			add(c.Prefix, c.Data, c.InnerText())
		}
	}
	return fields
}
