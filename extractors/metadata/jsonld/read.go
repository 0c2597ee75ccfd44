package jsonld

import (
	"encoding/json"
	"fmt"
	"html"
	"reflect"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// A Fault is a block that could not be read, or not to its end.
type Fault struct {
	Text string
	Lost bool // nothing of it could be read
	Err  error
}

// Read gives the things that blocks describe: those that stand by themselves, at
// the top of a block or in a graph, each once. Blocks that cannot be read are
// faults; an error is the budget's.
func Read(blocks []string, base urls.URL, budget *item.Budget) (top []*item.Item, faults []Fault, err error) {
	r := &reader{byID: map[string][]*item.Item{}, listed: map[*item.Item]bool{}, budget: budget}
	for _, text := range blocks {
		all, fault := decode(text, budget)
		if fault != nil {
			faults = append(faults, Fault{text, len(all) == 0, fmt.Errorf("reading the JSON-LD: %w", fault)})
		}
		for _, v := range all {
			r.top(v, &scope{base: base})
		}
		if r.err != nil {
			return r.items, faults, r.err
		}
	}
	r.resolve()
	return r.items, faults, r.err
}

type reader struct {
	items  []*item.Item // at the top
	listed map[*item.Item]bool
	all    []*item.Item
	byID   map[string][]*item.Item
	budget *item.Budget
	err    error
}

func (r *reader) step(n int) bool {
	if r.err == nil {
		r.err = r.budget.Step(n)
	}
	return r.err == nil
}

// top reads what stands by itself.
func (r *reader) top(v any, s *scope) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			r.top(e, s)
		}
	case object:
		if it, ok := r.object(v, s).(*item.Item); ok && !r.listed[it] {
			r.listed[it] = true
			r.items = append(r.items, it)
		}
	}
}

// object reads a JSON object: a thing, a reference, a value or a list.
func (r *reader) object(o object, s *scope) any {
	if !r.step(len(o) + 1) {
		return nil
	}
	if context, ok := o.get("@context"); ok {
		s = s.with(context)
	}
	it := &item.Item{}
	for _, m := range o {
		switch word := s.keyword(m.name); word {
		case "@value":
			return r.literal(m.value, false, s)
		case "@list", "@set":
			return r.values(m.value, false, s)
		case "@id":
			if id, ok := m.value.(string); ok {
				it.ID = s.address(id)
			}
		case "@type":
			r.types(it, m.value, s)
		case "@graph", "@included":
			r.top(m.value, s)
		case "@nest":
		case "@reverse", "":
			name := word // @reverse has names of its own
			if word == "" {
				name = s.name(m.name)
			}
			def, _ := s.terms.get(m.name)
			if found := r.values(m.value, def.isIRI, s); len(found) > 0 && name != "" {
				if urlProperties[name] {
					absolute(found, s)
				}
				it.Add(name, found...)
			}
		}
	}
	if len(it.Types) == 0 && len(it.Props) == 0 {
		if it.ID == "" {
			return nil
		}
		return item.Ref(it.ID)
	}
	return r.known(it)
}

func (r *reader) types(it *item.Item, v any, s *scope) {
	for _, t := range r.values(v, false, s) {
		if text, ok := t.(string); ok && strings.TrimSpace(text) != "" {
			it.AddType(s.name(text))
		}
	}
}

// values are those of a member.
func (r *reader) values(v any, isIRI bool, s *scope) []any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, r.values(e, isIRI, s)...)
		}
		return out
	case object:
		switch found := r.object(v, s).(type) {
		case nil:
			return nil
		case []any:
			return found
		default:
			return []any{found}
		}
	}
	if v = r.literal(v, isIRI, s); v == nil {
		return nil
	}
	return []any{v}
}

// literal is a value that is neither an object nor a list.
func (r *reader) literal(v any, isIRI bool, s *scope) any {
	if !r.step(1) {
		return nil
	}
	switch v := v.(type) {
	case json.Number:
		return values.JSONNumber(string(v))
	case bool:
		return v
	case string:
		if isIRI {
			return item.Ref(s.address(v))
		}
		if strings.Contains(v, "&") {
			v = html.UnescapeString(v)
		}
		return v
	}
	return nil
}

func absolute(found []any, s *scope) {
	for i, v := range found {
		if text, ok := v.(string); ok && strings.TrimSpace(text) != "" {
			found[i] = item.Absolute(s.base, s.compact(text, 0))
		}
	}
}

// known joins a thing with what was said before of the same one.
func (r *reader) known(it *item.Item) *item.Item {
	if it.ID != "" {
		same := r.byID[it.ID]
		for _, before := range same {
			if !sameKind(before, it) {
				continue
			}
			if len(before.Types) == 0 {
				before.Types = it.Types
			}
			for _, p := range it.Props {
				r.join(before, p)
			}
			return before
		}
		if len(same) < maxCompared {
			r.byID[it.ID] = append(same, it)
		}
	}
	r.all = append(r.all, it)
	return it
}

func sameKind(a, b *item.Item) bool {
	if len(a.Types) == 0 || len(b.Types) == 0 {
		return true
	}
	return len(a.Types) == len(b.Types) && !slices.ContainsFunc(a.Types, func(t string) bool { return !slices.Contains(b.Types, t) })
}

// maxCompared bounds how many values, and how many things of one @id, are compared
// with one another.
const maxCompared = 16

// join adds the values of a property that are not there yet.
func (r *reader) join(it *item.Item, p item.Prop) {
	for _, v := range p.Values {
		have := it.Get(p.Name)
		if !r.step(1 + min(len(have), maxCompared)) {
			return
		}
		if len(have) > maxCompared || !slices.ContainsFunc(have, func(h any) bool { return reflect.DeepEqual(h, v) }) {
			it.Add(p.Name, v)
		}
	}
}

// resolve puts things in the place of references to them.
func (r *reader) resolve() {
	for _, it := range r.all {
		for _, p := range it.Props {
			if !r.step(len(p.Values)) {
				return
			}
			for i, v := range p.Values {
				if ref, ok := v.(item.Ref); ok && len(r.byID[string(ref)]) > 0 {
					p.Values[i] = r.byID[string(ref)][0]
				}
			}
		}
	}
}
