package jsonld

import (
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// scope is what the contexts in force say of names.
type scope struct {
	schema bool // schema.org's terms
	vocab  string
	base   urls.URL
	terms  *terms
}

// terms are those of one object's context, and of those around it.
type terms struct {
	own   map[string]term
	outer *terms
}

func (t *terms) get(name string) (term, bool) {
	for ; t != nil; t = t.outer {
		if found, ok := t.own[name]; ok {
			return found, true
		}
	}
	return term{}, false
}

type term struct {
	iri     string
	isIRI   bool   // its texts are addresses
	keyword string // it stands for one
}

// with is the scope within an object that has this context.
func (s *scope) with(context any) *scope {
	inner := *s
	inner.terms = &terms{own: map[string]term{}, outer: s.terms}
	inner.apply(context, 0)
	return &inner
}

func (s *scope) apply(context any, depth int) {
	switch c := context.(type) {
	case nil:
		*s = scope{base: s.base, terms: &terms{own: map[string]term{}}}
	case string:
		if isSchemaOrg(c) {
			s.schema, s.vocab = true, ""
		}
	case []any:
		for _, part := range c {
			if depth < 4 && part != nil {
				s.apply(part, depth+1)
			}
		}
	case object:
		s.define(c)
	}
}

func (s *scope) define(c object) {
	own := s.terms.own
	for _, m := range c {
		text, isText := m.value.(string)
		switch {
		case m.name == "@vocab" && isText:
			s.vocab, s.schema = text, isSchemaOrg(text)
			if s.schema {
				s.vocab = ""
			}
		case m.name == "@base" && isText:
			if b, err := s.base.Resolve(text); err == nil {
				s.base = b
			}
		case strings.HasPrefix(m.name, "@"):
		case isText && strings.HasPrefix(text, "@"):
			own[m.name] = term{keyword: text}
		case isText:
			own[m.name] = term{iri: text}
		default:
			if def, ok := m.value.(object); ok {
				own[m.name] = defined(def)
			}
		}
	}
}

func defined(def object) term {
	var t term
	id, _ := def.get("@id")
	t.iri, _ = id.(string)
	if strings.HasPrefix(t.iri, "@") {
		return term{keyword: t.iri}
	}
	kind, _ := def.get("@type")
	t.isIRI = kind == "@id" || kind == "@vocab"
	return t
}

// isSchemaOrg knows schema.org's context in the spellings of pages.
func isSchemaOrg(context string) bool {
	_, rest, ok := strings.Cut(strings.TrimSpace(context), "://")
	if !ok {
		rest = strings.TrimPrefix(strings.TrimSpace(context), "//")
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(rest), "www."), "/")
	host, _, _ = strings.Cut(host, "#")
	return host == "schema.org"
}

// keyword is the one that a member's name stands for, or "".
func (s *scope) keyword(name string) string {
	if strings.HasPrefix(name, "@") {
		return name
	}
	if t, ok := s.terms.get(name); ok {
		return t.keyword
	}
	if s.schema && (name == "id" || name == "type") { // schema.org's context says so
		return "@" + name
	}
	return ""
}

// name is that of a property or type.
func (s *scope) name(written string) string {
	written = strings.TrimSpace(written)
	if t, ok := s.terms.get(written); ok && t.iri != "" {
		return item.Plain(s.compact(t.iri, 0))
	}
	if strings.Contains(written, ":") {
		return item.Plain(s.compact(written, 0))
	}
	return item.Plain(s.vocab + written)
}

// compact makes prefix:name an address where the prefix is known.
func (s *scope) compact(iri string, depth int) string {
	prefix, rest, ok := strings.Cut(iri, ":")
	if !ok || strings.HasPrefix(rest, "//") || depth > 4 {
		return iri
	}
	if t, known := s.terms.get(prefix); known && t.iri != "" {
		return s.compact(t.iri, depth+1) + rest
	}
	if prefix == "schema" {
		return "https://schema.org/" + rest
	}
	return iri
}

// address is an @id made absolute.
func (s *scope) address(id string) string {
	id = strings.TrimSpace(id)
	if id == "" || strings.HasPrefix(id, "_:") {
		return id
	}
	return item.Absolute(s.base, s.compact(id, 0))
}
