package selectors

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
)

// ID is the name of this plugin in configs.
const ID = "selectors"

// DefaultMaxRecords bounds the records of one page where the config does not.
const DefaultMaxRecords = 10_000

func init() {
	crawler.Extractors.Register(ID, func() crawler.Extractor { return &Extractor{MaxRecords: DefaultMaxRecords} })
}

// Selector picks elements of a page; one of its two fields is set.
type Selector struct {
	CSS   string `yaml:"css,scalar,omitempty" doc:"a CSS selector; alone it may stand in place of the mapping"`
	XPath string `yaml:"xpath,omitempty" doc:"an XPath 1.0 expression; it may also yield an attribute, a string, a number or a boolean"`
}

// Field is one field of a record: where its value is found and what it becomes.
type Field struct {
	Name     string `yaml:",key" doc:"the field's name in the record"`
	Selector `yaml:",inline"`
	Attr     string `yaml:"attr,omitempty" doc:"take this attribute instead of the text"`
	Regex    string `yaml:"regex,omitempty" doc:"take the first group of this regular expression (RE2), or its whole match without a group"`
	As       string `yaml:"as,omitempty" enum:"string,raw,html,markdown,integer,number,boolean,date,url,json" default:"string" doc:"the type of the value; string is the text with white space folded"`
	All      bool   `yaml:"all,omitempty" default:"false" doc:"take every value as a list, not the first one"`
	Required bool   `yaml:"required,omitempty" default:"false" doc:"drop the record when this field has no value"`
}

// Extractor makes records from a page by its configuration, which is itself. Do
// not change it after its first use; Extract is safe for concurrent use.
type Extractor struct {
	Each       *Selector `yaml:"each,omitempty" doc:"make one record per matching element; the fields are relative to it"`
	Fields     []Field   `yaml:"fields" required:"true" doc:"the record's fields, by name"`
	MaxRecords int       `yaml:"max_records,omitempty" default:"10000" doc:"the most records taken from one page; more are cut, with an error"`

	once sync.Once
	plan plan
	err  error

	steps, values int // lower bounds than maxSteps and maxValues, for tests
}

var (
	_ crawler.Extractor   = (*Extractor)(nil)
	_ crawler.Validator   = (*Extractor)(nil)
	_ crawler.FieldLister = (*Extractor)(nil)
	_ crawler.TreeReader  = (*Extractor)(nil)
)

// Validate compiles the configuration. Its error joins a *crawler.ConfigError
// for every mistake.
func (x *Extractor) Validate() error {
	x.once.Do(func() { x.plan, x.err = compile(x) })
	return x.err
}

// FieldNames lists the fields in config order.
func (x *Extractor) FieldNames() []string {
	names := make([]string, len(x.Fields))
	for i, f := range x.Fields {
		names[i] = f.Name
	}
	return names
}

// Extract emits the page's records. Its errors are those of the whole page: no
// tree, too much work, ctx ended.
func (x *Extractor) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	if err := x.Validate(); err != nil {
		return err
	}
	if !p.IsHTML() {
		return nil
	}
	root, err := x.tree(p)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r := &reading{plan: &x.plan, work: x.work(ctx), page: p, root: root, emit: e}
	defer r.reportRest()
	if x.plan.each == nil {
		return r.record(r.root)
	}
	return r.each()
}

// reading is the work on one page.
type reading struct {
	plan *plan
	work *work
	page *crawler.Page
	root *html.Node
	emit *crawler.Emitter
	base *pageBase

	reported, unreported int
}

// maxErrors bounds the field errors reported for one page.
const maxErrors = 200

func (r *reading) failure(f *field, value string, err error, dropped bool) {
	if r.reported++; r.reported > maxErrors {
		r.unreported++
		return
	}
	name := ""
	if f != nil {
		name = f.Name
	}
	r.emit.FieldError(name, value, dropped, err)
}

func (r *reading) reportRest() {
	if r.unreported > 0 {
		r.emit.FieldError("", "", false, fmt.Errorf("%d more field errors on this page", r.unreported))
	}
}

func (x *Extractor) work(ctx context.Context) *work {
	w := &work{ctx: ctx, steps: maxSteps, values: maxValues}
	if x.steps > 0 {
		w.steps, w.values = x.steps, x.values
	}
	return w
}

// each reads one record per element.
func (r *reading) each() error {
	next := r.plan.each.find(r.work, r.root)
	for i := 0; ; i++ {
		m, ok, err := next()
		if err == nil && ok && m.node == nil {
			err = errNotElement
		}
		if err != nil {
			return fmt.Errorf("each: %w", err)
		}
		if !ok {
			return nil
		}
		if i == r.plan.maxRecords {
			r.failure(nil, "", fmt.Errorf("more than %d records on one page: the rest was left out", i), true)
			return nil
		}
		if err := r.record(m.node); err != nil {
			return err
		}
	}
}

// badValue is a value that a field could not take.
type badValue struct {
	field *field
	value string
	err   error
}

// record reads one record below n and emits it.
func (r *reading) record(n *html.Node) error {
	fields := make([]crawler.Field, len(r.plan.fields))
	var bad []badValue
	found, dropped := false, false
	for i := range r.plan.fields {
		f := &r.plan.fields[i]
		v, seen, failures, err := r.read(f, n)
		if err != nil {
			return fmt.Errorf("field %q: %w", f.Name, err)
		}
		fields[i] = crawler.Field{Name: f.Name, Value: v}
		found = found || seen
		bad = append(bad, failures...)
		if v == nil && f.Required {
			dropped = true
			if len(failures) == 0 {
				bad = append(bad, badValue{field: f, err: errMissing})
			}
		}
	}
	if !found {
		return nil
	}
	if dropped {
		r.emit.Reject(fields, problems(bad)...)
		return nil
	}
	for _, b := range bad {
		r.failure(b.field, b.value, b.err, false)
	}
	r.emit.Record(fields...)
	return nil
}

// read takes one field's value. seen tells that the page had something there,
// be it of the right type or not. The error ends the page.
func (r *reading) read(f *field, n *html.Node) (value any, seen bool, bad []badValue, err error) {
	var list []any
	next := f.find(r.work, n)
	for {
		m, ok, err := next()
		if err != nil {
			return nil, false, nil, err
		}
		if !ok {
			break
		}
		texts, err := r.texts(f, m)
		if err != nil {
			return nil, false, nil, err
		}
		for _, text := range texts {
			v, err := r.convert(f, text)
			if err != nil {
				bad = append(bad, badValue{field: f, value: text, err: err})
			} else {
				list = append(list, v)
			}
			if !f.All {
				return v, true, bad, nil
			}
		}
	}
	if list == nil {
		return nil, len(bad) > 0, bad, nil
	}
	return list, true, bad, nil
}
