package structured

import (
	"context"
	"errors"
	"fmt"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/query"
	"github.com/amblecrawl/amble/extractors/values"
)

// reading is the work on one page.
type reading struct {
	ctx  context.Context
	plan *plan
	page *crawler.Page
	emit *crawler.Emitter

	records  int
	reported int
	full     bool
}

// maxErrors bounds the field errors reported for one page.
const maxErrors = 200

func (r *reading) failure(field, value string, dropped bool, err error) {
	if r.reported++; r.reported <= maxErrors {
		r.emit.FieldError(field, value, dropped, err)
	}
}

// text reads one piece of JSON: the documents in it, or with first what stands
// at its beginning alone.
func (r *reading) text(text []byte, first bool) error {
	names, parts := r.plan.elements()
	parts = parts && (r.plan.next == nil || r.plan.next.Rel != "")
	depth := 0
	if parts {
		depth = len(names) + 1
	}
	done, err := query.Reserve(r.ctx, r.page, text, depth, len(r.plan.fields) == 0)
	if err != nil {
		if !parts && r.ctx.Err() == nil {
			err = fmt.Errorf("%w; each with a JSONPath such as $.items[*] and without next takes a list item by item", err)
		}
		return fault(r.failed(err))
	}
	defer done()
	if parts {
		return fault(r.failed(query.Elements(text, names, r.element)))
	}
	for document, err := range query.Documents(text) {
		if err != nil {
			return fault(r.failed(err))
		}
		before := r.records
		if err := r.document(document); err != nil {
			return err
		}
		r.follow(document, r.records > before)
		if first || r.full {
			return nil
		}
	}
	return nil
}

// failed is err, or the page's end where that is the cause.
func (r *reading) failed(err error) error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return err
}

func fault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading the JSON: %w", err)
}

func (r *reading) document(document any) error {
	if r.plan.each == nil {
		r.element(document)
		return nil
	}
	err := r.plan.each.Each(r.ctx, document, maxResults, r.element)
	if errors.Is(err, query.ErrResults) {
		r.failure("", "", true, err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("each: %w", err)
	}
	return nil
}

// maxResults bounds the results of one query; the records are bounded before.
const maxResults = 1_000_000

// element makes a record of one result of each. It returns false when the page
// has given enough.
func (r *reading) element(v any) bool {
	if r.records == r.plan.maxRecords {
		r.full = true
		r.failure("", "", true, fmt.Errorf("more than %d records on one page: the rest was left out", r.records))
		return false
	}
	if r.ctx.Err() != nil {
		return false
	}
	fields, dropped := r.fields(v)
	if fields != nil && !dropped {
		r.records++
		r.emit.Record(fields...)
	}
	return true
}

// fields are those of one record: nil when nothing was found.
func (r *reading) fields(v any) (fields []crawler.Field, dropped bool) {
	if len(r.plan.fields) == 0 {
		return members(v), false
	}
	found := false
	var missing []string
	fields = make([]crawler.Field, len(r.plan.fields))
	for i := range r.plan.fields {
		f := &r.plan.fields[i]
		value, bad := r.value(f, v)
		if bad != nil {
			r.failure(f.Name, bad.value, f.Required, bad.err)
		}
		found = found || value != nil || bad != nil
		if value == nil && f.Required {
			dropped = true
			if bad == nil {
				missing = append(missing, f.Name)
			}
		}
		fields[i] = crawler.Field{Name: f.Name, Value: value}
	}
	if !found {
		return nil, false
	}
	for _, name := range missing {
		r.failure(name, "", true, errMissing)
	}
	return fields, dropped
}

var (
	errMissing   = errors.New("required, but not found")
	errNotNumber = errors.New("the parameter to count up is not a number")
	errNotHTTP   = errors.New("not an http(s) address")
)

// badValue is a value that a field could not take.
type badValue struct {
	value string
	err   error
}

// value is one field's value below v, nil without one.
func (r *reading) value(f *field, v any) (any, *badValue) {
	var list []any
	var bad *badValue
	err := f.query.Each(r.ctx, v, maxResults, func(result any) bool {
		if result == nil {
			return true
		}
		converted, err := r.convert(f, result)
		if err != nil {
			bad = &badValue{value: literal(result), err: err}
			return f.All
		}
		if converted == nil {
			return true
		}
		list = append(list, converted)
		return f.All
	})
	if err != nil {
		return nil, &badValue{err: err}
	}
	switch {
	case len(list) == 0:
		return nil, bad
	case f.All:
		return list, bad
	}
	return list[0], bad
}

// convert makes a record's value of a result.
func (r *reading) convert(f *field, result any) (any, error) {
	switch f.as {
	case "":
		return query.Native(result), nil
	case values.AsJSON:
		return query.Raw(result)
	}
	text, ok := query.Scalar(result)
	if !ok {
		return nil, fmt.Errorf("not a %s but an object or a list (as: json takes it)", f.as)
	}
	if text = f.as.Tidy(text); text == "" {
		return nil, nil
	}
	return f.as.Convert(text, r.page.URL)
}
