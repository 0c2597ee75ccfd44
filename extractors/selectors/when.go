package selectors

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/query"
	"github.com/amblecrawl/amble/extractors/values"
)

// condition is a compiled Condition.
type condition struct {
	source *source // nil: none
	field  string
	equals []string
	above  *float64
	below  *float64
	not    *condition
	any    []condition
	reads  bool // a field of the record, here or further down
}

// condition compiles c; fields are those of the record that it may name.
func (c *compiler) condition(given *Condition, fields []string, path ...string) *condition {
	if given == nil {
		return nil
	}
	out := &condition{field: given.Field, equals: given.Equals, above: given.Above, below: given.Below, reads: given.Field != ""}
	own := given.Source
	if own != (Source{}) {
		s := c.source(own, path)
		out.source = &s
	}
	value := out.source != nil || out.field != ""
	switch {
	case out.source != nil && out.field != "":
		c.wrong.add("keep one of the two", "field excludes a selector", below(path, "field")...)
	case out.field != "" && !slices.Contains(fields, out.field):
		c.wrong.add("", fmt.Sprintf("no field %q stands above", out.field), below(path, "field")...)
	case !value && (len(out.equals) > 0 || out.above != nil || out.below != nil):
		c.wrong.add("add css, xpath, jsonpath, jq, carried or field", "there is nothing to compare", path...)
	case !value && given.Not == nil && len(given.Any) == 0:
		c.wrong.add("such as when: {css: .sale}", "the condition is empty", path...)
	}
	if out.not = c.condition(given.Not, fields, below(path, "not")...); out.not != nil {
		out.reads = out.reads || out.not.reads
	}
	for i := range given.Any {
		one := c.condition(&given.Any[i], fields, below(path, "any", strconv.Itoa(i))...)
		out.any = append(out.any, *one)
		out.reads = out.reads || one.reads
	}
	return out
}

// holds tells whether the condition holds for a record's element and its fields so
// far. The error ends the page.
func (r *reading) holds(c *condition, at match, fields []crawler.Field) (bool, error) {
	if c == nil {
		return true, nil
	}
	if c.source != nil || c.field != "" {
		ok, err := r.compare(c, at, fields)
		if err != nil || !ok {
			return false, err
		}
	}
	if c.not != nil {
		if ok, err := r.holds(c.not, at, fields); err != nil || ok {
			return false, err
		}
	}
	if len(c.any) == 0 {
		return true, nil
	}
	for i := range c.any {
		if ok, err := r.holds(&c.any[i], at, fields); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// compare looks whether one of the values that the condition is about is as asked.
func (r *reading) compare(c *condition, at match, fields []crawler.Field) (ok bool, err error) {
	alone := len(c.equals) == 0 && c.above == nil && c.below == nil
	if c.field != "" {
		i := slices.IndexFunc(fields, func(f crawler.Field) bool { return f.Name == c.field })
		if i < 0 || fields[i].Value == nil {
			return false, nil
		}
		return alone || c.fits(fields[i].Value), nil
	}
	if alone && c.source.bare && c.source.query == nil {
		_, ok, err := c.source.find(r.work, r.context(c.source, at))()
		return ok, err
	}
	plain := &field{as: values.AsString}
	err = r.items(plain, c.source, at, func(it item) bool {
		ok = it.err == nil && (alone || c.fits(it.plain()))
		return !ok
	})
	return ok, err
}

// fits compares a value, or one of a list.
func (c *condition) fits(v any) bool {
	if list, many := v.([]any); many {
		return slices.ContainsFunc(list, c.fits)
	}
	if object, ok := v.([]crawler.Field); ok && len(object) > 0 {
		v = object[0].Value // of a price, the amount
	}
	text, ok := query.Scalar(v)
	if !ok || len(c.equals) > 0 && !slices.Contains(c.equals, text) {
		return false
	}
	if c.above == nil && c.below == nil {
		return true
	}
	n, err := values.ParseNumber(text)
	return err == nil && (c.above == nil || n > *c.above) && (c.below == nil || n < *c.below)
}
