package selectors

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/markup"
	"github.com/amblecrawl/amble/extractors/values"
)

// plan is a compiled configuration.
type plan struct {
	each       *finder
	when       *condition
	fields     []field
	maxRecords int
	tree       bool          // HTML pages are read, not JSON
	wants      []markup.Want // what the fields need of a page; none: its tree
	files      []string      // fields whose values lead to files
}

type field struct {
	Field
	path    string // of names, for reports
	sources []source
	each    *finder
	members []field
	as      values.Type
	typed   bool // "as" is given
	locale  values.Locale
	when    *condition
	preset  any // the default
}

// mistakes collects what is wrong with a configuration.
type mistakes []error

func (m *mistakes) add(hint, msg string, path ...string) {
	*m = append(*m, &crawler.ConfigError{Path: path, Msg: msg, Hint: hint})
}

func below(path []string, keys ...string) []string { return append(slices.Clone(path), keys...) }

// compiler turns a configuration into a plan.
type compiler struct {
	wrong mistakes
	tree  bool // the parsed page is looked into
	json  bool // a page that is JSON is
}

func compile(x *Extractor) (plan, error) {
	c := &compiler{}
	p := plan{maxRecords: x.MaxRecords}
	if x.MaxRecords < 0 {
		c.wrong.add("leave it out for the default", "max_records must be at least 1", "max_records")
	}
	if x.MaxRecords == 0 {
		p.maxRecords = DefaultMaxRecords
	}
	p.each = c.each(x.Each, "each")
	if len(x.Fields) == 0 {
		c.wrong.add("such as title: {css: h1}", "fields are missing: a record needs at least one", "fields")
	}
	p.fields = c.fields(x.Fields, []string{"fields"}, "")
	p.files = c.files(x.Fields)
	p.when = c.condition(x.When, names(x.Fields), "when")
	p.tree = c.tree
	if len(c.wrong) == 0 {
		p.wants = x.wants()
	}
	return p, errors.Join(c.wrong...)
}

func names(fields []Field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Name
	}
	return all
}

func (c *compiler) each(s *Selector, path ...string) *finder {
	if s == nil {
		return nil
	}
	if s.empty() {
		c.wrong.add("give it css, xpath, jsonpath or jq", "each selects nothing", path...)
	}
	f := c.finder(*s, "", path...)
	return &f
}

// maxNesting bounds objects within objects.
const maxNesting = 8

// fields compiles the fields of a record, or of an object below prefix.
func (c *compiler) fields(fields []Field, path []string, prefix string) []field {
	if len(path) > 2*maxNesting {
		c.wrong.add("", fmt.Sprintf("objects stand more than %d deep in each other", maxNesting), path...)
		return nil
	}
	out := make([]field, 0, len(fields))
	known := make(map[string]bool, len(fields))
	for i, f := range fields {
		at := below(path, f.Name)
		if f.Name == "" {
			at = below(path, strconv.Itoa(i))
		}
		switch {
		case f.Name == "":
			c.wrong.add("", "a field has no name", at...)
		case strings.HasPrefix(f.Name, "_"):
			c.wrong.add("names with an underscore in front are for provenance, such as _url",
				fmt.Sprintf("the field name %q is reserved", f.Name), at...)
		case known[f.Name]:
			c.wrong.add("", fmt.Sprintf("the field %q is given twice", f.Name), at...)
		}
		known[f.Name] = true
		compiled := c.field(f, at, prefix+f.Name)
		compiled.when = c.condition(f.When, names(fields[:i]), below(at, "when")...)
		out = append(out, compiled)
	}
	return out
}

func (c *compiler) field(f Field, path []string, name string) field {
	out := field{Field: f, path: name, as: values.Type(f.As), typed: f.As != ""}
	if f.As == "" {
		out.as = values.AsString
	}
	if !slices.Contains(values.Types, out.as) {
		c.wrong.add("one of "+typeNames(), fmt.Sprintf("%q is not a type", f.As), below(path, "as")...)
	}
	c.locale(&out, path)
	switch {
	case f.Each != nil && len(f.Fields) == 0:
		c.wrong.add("a list of values is all: true", "each needs fields: it makes a list of objects", below(path, "each")...)
	case len(f.Fields) > 0:
		c.object(&out, path)
		return out
	}
	c.sources(&out, path)
	c.preset(&out, path)
	return out
}

// object compiles a field that has fields.
func (c *compiler) object(out *field, path []string) {
	f := &out.Field
	for key, given := range map[string]bool{
		"as": f.As != "", "attr": f.Attr != "", "regex": f.Regex != "", "carried": f.Carried != "", "any": len(f.Any) > 0, "default": f.Default != nil,
	} {
		if given {
			c.wrong.add("give it to the fields", key+" and fields exclude each other", below(path, key)...)
		}
	}
	if f.Each != nil && !f.Selector.empty() {
		c.wrong.add("each takes the selector", "each excludes a selector beside it", below(path, "each")...)
	}
	out.each = c.each(f.Each, below(path, "each")...)
	out.sources = []source{c.source(Source{Selector: f.Selector, From: f.From}, path)}
	out.members = c.fields(f.Fields, below(path, "fields"), out.path+".")
}

// sources compiles where a field's value is looked for.
func (c *compiler) sources(out *field, path []string) {
	f := &out.Field
	own := f.own()
	if len(f.Any) == 0 {
		out.sources = []source{c.source(own, path)}
		c.kind(out, own, path)
		return
	}
	if own != (Source{From: own.From}) {
		c.wrong.add("put it among the alternatives", "any excludes a selector beside it", below(path, "any")...)
	}
	for i, s := range f.Any {
		at := below(path, "any", strconv.Itoa(i))
		if s.From == "" {
			s.From = f.From
		}
		if s == (Source{From: s.From}) {
			c.wrong.add("give it css, xpath, jsonpath, jq or carried", "an alternative selects nothing", at...)
		}
		out.sources = append(out.sources, c.source(s, at))
		c.kind(out, s, at)
	}
}

// kind refuses types that a source cannot give.
func (c *compiler) kind(out *field, s Source, path []string) {
	if s.Attr != "" && (out.as == values.AsHTML || out.as == values.AsMarkdown) {
		c.wrong.add("an attribute is plain text: leave out attr or as",
			fmt.Sprintf("attr and as: %s exclude each other", out.as), below(path, "as")...)
	}
}

func (c *compiler) locale(out *field, path []string) {
	tag := out.Field.Locale
	if tag == "" || tag == pageLocale {
		return
	}
	l, ok := values.ParseLocale(tag)
	if !ok {
		c.wrong.add("such as de, en-GB or page", fmt.Sprintf("%q is not a locale", tag), below(path, "locale")...)
	}
	out.locale = l
	switch out.as {
	case values.AsInteger, values.AsNumber, values.AsPrice, values.AsDate:
	default:
		c.wrong.add("give as: number, integer, price or date", "locale says nothing about "+string(out.as), below(path, "locale")...)
	}
}

// pageLocale takes the locale that the page states.
const pageLocale = "page"

// preset converts the default, so that it has the field's type.
func (c *compiler) preset(out *field, path []string) {
	f := &out.Field
	if f.Default == nil {
		return
	}
	at := below(path, "default")
	if f.Required {
		c.wrong.add("keep one of the two", "a required field has no use for a default", at...)
	}
	list, many := f.Default.([]any)
	if !many {
		list = []any{f.Default}
	}
	for i, v := range list {
		text, ok := v.(string)
		if !ok {
			text = fmt.Sprint(v)
		}
		if _, nested := v.(map[string]any); nested {
			c.wrong.add("", "the default is an object", at...)
			return
		}
		converted, err := out.as.ConvertIn(text, values.Setting{Locale: out.locale})
		switch {
		case out.as == values.AsURL && strings.Contains(text, "://"):
			list[i] = text
		case err != nil:
			c.wrong.add("", fmt.Sprintf("the default is no %s: %v", out.as, err), at...)
		case !out.typed && !ok:
			list[i] = plainNumber(v)
		default:
			list[i] = priced(converted)
		}
	}
	switch {
	case f.All:
		out.preset = list
	case many:
		c.wrong.add("give all: true with it", "the default is a list", at...)
	default:
		out.preset = list[0]
	}
}

// plainNumber is a default that is no text as a record holds it.
func plainNumber(v any) any {
	if n, ok := v.(int); ok {
		return int64(n)
	}
	return v
}

func typeNames() string {
	names := make([]string, len(values.Types))
	for i, k := range values.Types {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}
