package selectors

import (
	"fmt"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/values"
)

// reading is the work on one page.
type reading struct {
	plan *plan
	work *work
	page *crawler.Page
	root match // the document
	emit *crawler.Emitter

	based    bool
	base     urls.URL
	language *values.Locale
	dates    map[string]readDate

	reported, unreported int

	records int                                   // begun, where trace is asked for
	trace   func(f *field, at match, got outcome) // nil in a crawl
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
		name = f.path
	}
	r.emit.FieldError(name, value, dropped, err)
}

func (r *reading) reportRest() {
	if r.unreported > 0 {
		r.emit.FieldError("", "", false, fmt.Errorf("%d more field errors on this page", r.unreported))
	}
}

// each reads one record per element.
func (r *reading) each() error {
	next := r.plan.each.find(r.work, r.root)
	for i := 0; ; i++ {
		m, ok, err := next()
		if err == nil && ok && !m.holds() {
			err = errNotElement
			if m.bad != nil {
				err = m.bad
			}
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
		if err := r.record(m); err != nil {
			return err
		}
	}
}

// holds reports whether a match is something that fields can be looked for in.
func (m *match) holds() bool { return m.node != nil || m.isJSON && m.bad == nil }

// badValue is a value that a field could not take.
type badValue struct {
	field *field
	value string
	err   error
}

// record reads one record below m and emits it.
func (r *reading) record(m match) error {
	early := r.plan.when != nil && !r.plan.when.reads
	if early {
		if ok, err := r.holds(r.plan.when, m, nil); err != nil || !ok {
			return err
		}
	}
	r.records++
	o, err := r.object(r.plan.fields, m)
	if err != nil || !o.found {
		return err
	}
	if r.plan.when != nil && !early {
		if ok, err := r.holds(r.plan.when, m, o.fields); err != nil || !ok {
			return err
		}
	}
	if o.dropped {
		r.emit.Reject(o.fields, problems(o.bad)...)
		return nil
	}
	for _, b := range o.bad {
		r.failure(b.field, b.value, b.err, false)
	}
	r.emit.Record(o.fields...)
	r.files(o.fields)
	return nil
}

// object is what the fields gave below one element.
type object struct {
	fields  []crawler.Field
	bad     []badValue
	found   bool // something was there, be it of the right type or not
	dropped bool // a required field has no value
}

func (r *reading) object(fields []field, m match) (o object, err error) {
	o.fields = make([]crawler.Field, 0, len(fields))
	for i := range fields {
		f := &fields[i]
		got, err := r.field(f, m, o.fields)
		if err != nil {
			return o, fmt.Errorf("field %q: %w", f.path, err)
		}
		if r.trace != nil && f.path == f.Name { // not those of an object within
			r.trace(f, m, got)
		}
		o.fields = append(o.fields, crawler.Field{Name: f.Name, Value: got.value})
		o.found = o.found || got.seen
		o.bad = append(o.bad, got.bad...)
		if got.value == nil && f.Required && !got.left {
			o.dropped = true
			if len(got.bad) == 0 {
				o.bad = append(o.bad, badValue{field: f, err: errMissing})
			}
		}
	}
	return o, nil
}

// outcome is what one field gave.
type outcome struct {
	value any
	seen  bool // the page had something there, be it of the right type or not
	left  bool // its condition does not hold
	bad   []badValue
}

// field takes one field's value. The error ends the page.
func (r *reading) field(f *field, m match, before []crawler.Field) (got outcome, err error) {
	if f.when != nil {
		if ok, err := r.holds(f.when, m, before); err != nil || !ok {
			return outcome{left: err == nil}, err
		}
	}
	if f.members != nil {
		return r.nested(f, m)
	}
	for i := range f.sources {
		s := &f.sources[i]
		one, err := r.read(f, s, m)
		if err != nil {
			return got, err
		}
		got.bad = append(got.bad, one.bad...)
		got.seen = got.seen || one.seen
		if one.value != nil {
			if !f.All {
				got.bad = nil // of alternatives that came to nothing
			}
			got.value = one.value
			return got, nil
		}
	}
	if len(got.bad) == 0 {
		got.value = f.preset
	}
	return got, nil
}

// read takes a field's value from one of its sources.
func (r *reading) read(f *field, s *source, m match) (got outcome, err error) {
	var list []any
	err = r.items(f, s, m, func(it item) bool {
		v, err := r.convert(f, it)
		if err != nil {
			got.bad = append(got.bad, badValue{field: f, value: it.text, err: err})
		} else {
			list = append(list, v)
		}
		got.seen = s.carried == "" // what was carried here says nothing about this page
		return f.All
	})
	if err != nil {
		return outcome{}, err
	}
	switch {
	case list == nil:
	case f.All:
		got.value = list
	default:
		got.value = list[0]
	}
	return got, nil
}

// nested reads the object, or the list of objects, that a field is.
func (r *reading) nested(f *field, m match) (got outcome, err error) {
	find := f.each
	if find == nil {
		find = &f.sources[0].finder
	}
	var list []any
	next := find.find(r.work, r.context(&f.sources[0], m))
	for {
		m, ok, err := next()
		if err != nil {
			return outcome{}, err
		}
		if !ok {
			break
		}
		if !m.holds() {
			if m.bad != nil {
				got.bad, got.seen = append(got.bad, badValue{field: f, err: m.bad}), true
			}
			continue
		}
		o, err := r.object(f.members, m)
		if err != nil {
			return outcome{}, err
		}
		if !o.found {
			continue
		}
		got.seen = true
		got.bad = append(got.bad, o.bad...)
		if err := r.work.hold(64 * len(o.fields)); err != nil {
			return outcome{}, err
		}
		if !o.dropped {
			list = append(list, o.fields)
		}
		if f.each == nil && !f.All {
			break
		}
	}
	switch {
	case list == nil:
	case f.each == nil && !f.All:
		got.value = list[0]
	default:
		got.value = list
	}
	return got, nil
}
