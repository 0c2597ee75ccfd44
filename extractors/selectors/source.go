package selectors

import "github.com/amblecrawl/amble/crawler"

var _ crawler.Sourcer = (*Extractor)(nil)

// FieldSource is the selector of a field, as the config has it.
func (x *Extractor) FieldSource(name string) string {
	for i := range x.Fields {
		if f := &x.Fields[i]; f.Name == name {
			return f.source()
		}
	}
	return ""
}

func (f *Field) source() string {
	text := ""
	switch {
	case f.CSS != "":
		text = "css: " + f.CSS
	case f.XPath != "":
		text = "xpath: " + f.XPath
	}
	if f.Attr != "" {
		text += ", attr: " + f.Attr
	}
	if f.Regex != "" {
		text += ", regex: " + f.Regex
	}
	return text
}

// problems are why a record is dropped.
func problems(bad []badValue) []crawler.Problem {
	list := make([]crawler.Problem, len(bad))
	for i, b := range bad {
		list[i] = crawler.Problem{Field: b.field.Name, Value: b.value, Err: b.err}
	}
	return list
}
