package selectors

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/cascadia"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/markup"
	"github.com/amblecrawl/amble/extractors/values"
)

// plan is a compiled configuration.
type plan struct {
	each       *finder
	fields     []field
	maxRecords int
	wants      []markup.Want // what the fields need of a page; none: its tree
}

type field struct {
	Field
	finder
	regex *regexp.Regexp
	as    values.Type
}

// mistakes collects what is wrong with a configuration.
type mistakes []error

func (m *mistakes) add(hint, msg string, path ...string) {
	*m = append(*m, &crawler.ConfigError{Path: path, Msg: msg, Hint: hint})
}

func compile(x *Extractor) (plan, error) {
	var wrong mistakes
	p := plan{maxRecords: x.MaxRecords}
	if x.MaxRecords < 0 {
		wrong.add("leave it out for the default", "max_records must be at least 1", "max_records")
	}
	if x.MaxRecords == 0 {
		p.maxRecords = DefaultMaxRecords
	}
	if x.Each != nil {
		each := x.Each.compile(&wrong, "each")
		if x.Each.CSS == "" && x.Each.XPath == "" {
			wrong.add("give it css or xpath", "each selects nothing", "each")
		}
		p.each = &each
	}
	if len(x.Fields) == 0 {
		wrong.add("such as title: {css: h1}", "fields are missing: a record needs at least one", "fields")
	}
	names := make(map[string]bool, len(x.Fields))
	for i, f := range x.Fields {
		path := []string{"fields", f.Name}
		if f.Name == "" {
			path = []string{"fields", strconv.Itoa(i)}
		}
		switch {
		case f.Name == "":
			wrong.add("", "a field has no name", path...)
		case strings.HasPrefix(f.Name, "_"):
			wrong.add("names with an underscore in front are for provenance, such as _url",
				fmt.Sprintf("the field name %q is reserved", f.Name), path...)
		case names[f.Name]:
			wrong.add("", fmt.Sprintf("the field %q is given twice", f.Name), path...)
		}
		names[f.Name] = true
		p.fields = append(p.fields, f.compile(&wrong, path))
	}
	if len(wrong) == 0 {
		p.wants = x.wants()
	}
	return p, errors.Join(wrong...)
}

func (f Field) compile(wrong *mistakes, path []string) field {
	at := func(key string) []string { return append(slices.Clone(path), key) }
	out := field{Field: f, finder: f.Selector.compile(wrong, path...), as: values.Type(f.As)}
	out.Attr = strings.ToLower(f.Attr)
	if f.As == "" {
		out.as = values.AsString
	}
	if !slices.Contains(values.Types, out.as) {
		wrong.add("one of "+typeNames(), fmt.Sprintf("%q is not a type", f.As), at("as")...)
	}
	if f.Attr != "" && (out.as == values.AsHTML || out.as == values.AsMarkdown) {
		wrong.add("an attribute is plain text: leave out attr or as",
			fmt.Sprintf("attr and as: %s exclude each other", out.as), at("as")...)
	}
	if f.Regex != "" {
		re, err := regexp.Compile(f.Regex)
		if err != nil {
			wrong.add("the syntax is RE2: no look-around, no back-references",
				fmt.Sprintf("the regular expression does not compile: %v", err), at("regex")...)
		}
		out.regex = re
	}
	return out
}

func typeNames() string {
	names := make([]string, len(values.Types))
	for i, k := range values.Types {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

func (s Selector) compile(wrong *mistakes, path ...string) finder {
	at := func(key string) []string { return append(slices.Clone(path), key) }
	var f finder
	if s.CSS != "" && s.XPath != "" {
		wrong.add("keep one of the two", "css and xpath exclude each other", at("xpath")...)
	}
	if s.CSS != "" {
		match, err := cascadia.ParseGroup(s.CSS)
		if err != nil {
			wrong.add(cssHint(s.CSS), fmt.Sprintf("the CSS selector does not compile: %v", err), at("css")...)
		}
		f.css, f.wide = match, strings.ContainsAny(s.CSS, ":~")
	}
	if s.XPath != "" {
		x, err := compileXPath(s.XPath)
		if err != nil {
			wrong.add(xpathHint(s.XPath), fmt.Sprintf("the XPath does not compile: %v", err), at("xpath")...)
		}
		f.xpath = x
	}
	return f
}

func cssHint(css string) string {
	switch {
	case strings.Contains(css, "::attr("):
		return "the attribute goes into a key of its own, as in attr: href"
	case strings.Contains(css, "::text"):
		return "leave out ::text: text is what a field takes by itself"
	case strings.HasPrefix(css, "/"), strings.HasPrefix(css, "./"):
		return "this looks like XPath: use the key xpath"
	}
	return ""
}

func xpathHint(xpath string) string {
	if len(xpath) > 1 && (xpath[0] == '#' || xpath[0] == '.' && xpath[1] != '/' && xpath[1] != '.') {
		return "this looks like CSS: use the key css"
	}
	return ""
}
