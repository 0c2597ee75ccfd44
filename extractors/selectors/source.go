package selectors

import (
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

var _ crawler.Sourcer = (*Extractor)(nil)

// FieldSource is the selector of a field, as the config has it; that of a field
// within an object is asked for as object.field.
func (x *Extractor) FieldSource(name string) string { return fieldSource(x.Fields, name) }

func fieldSource(fields []Field, name string) string {
	outer, inner, nested := strings.Cut(name, ".")
	for i := range fields {
		f := &fields[i]
		switch {
		case f.Name == name && len(f.Any) > 0:
			return anySource(f.Any)
		case f.Name == name && f.Each != nil:
			return "each " + Source{Selector: *f.Each}.text()
		case f.Name == name:
			return f.own().text()
		case nested && f.Name == outer:
			return fieldSource(f.Fields, inner)
		}
	}
	return ""
}

func anySource(list []Source) string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = s.text()
	}
	return strings.Join(all, " | ")
}

func (s Source) text() string {
	var parts []string
	for _, key := range [][2]string{
		{"css", s.CSS}, {"xpath", s.XPath}, {"jsonpath", s.JSONPath}, {"jq", s.JQ}, {"carried", s.Carried}, {"attr", s.Attr}, {"regex", s.Regex}, {"group", s.Group},
	} {
		if key[1] != "" {
			parts = append(parts, key[0]+": "+key[1])
		}
	}
	return strings.Join(parts, ", ")
}

// problems are why a record is dropped.
func problems(bad []badValue) []crawler.Problem {
	list := make([]crawler.Problem, len(bad))
	for i, b := range bad {
		list[i] = crawler.Problem{Field: b.field.path, Value: b.value, Err: b.err}
	}
	return list
}
