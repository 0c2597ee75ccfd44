package structured

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/query"
	"github.com/amblecrawl/amble/extractors/values"
)

// plan is a compiled configuration.
type plan struct {
	script     cascadia.Selector
	variable   *regexp.Regexp
	each       *query.Query
	fields     []field
	next       *next
	maxRecords int
}

type field struct {
	Field
	query *query.Query
	as    values.Type
}

type next struct {
	Next
	query *query.Query // nil: count
}

// elements is the way to the list of each, where it is no more than that.
func (p *plan) elements() ([]string, bool) {
	if p.each == nil {
		return nil, false
	}
	return p.each.Elements()
}

// types are those that "as" may name: markup is not among them.
var types = []values.Type{
	values.AsString, values.AsRaw, values.AsInteger, values.AsNumber,
	values.AsBoolean, values.AsDate, values.AsURL, values.AsJSON,
}

// mistakes collects what is wrong with a configuration.
type mistakes []error

func (m *mistakes) add(hint, msg string, path ...string) {
	*m = append(*m, &crawler.ConfigError{Path: path, Msg: msg, Hint: hint})
}

func compile(x *JSON) (plan, error) {
	var wrong mistakes
	p := plan{maxRecords: x.MaxRecords}
	if x.MaxRecords < 0 {
		wrong.add("leave it out for the default", "max_records must be at least 1", "max_records")
	}
	if x.MaxRecords == 0 {
		p.maxRecords = DefaultMaxRecords
	}
	if x.Script != "" {
		s, err := cascadia.Compile(x.Script)
		if err != nil {
			wrong.add("such as #__NEXT_DATA__", fmt.Sprintf("the CSS selector does not compile: %v", err), "script")
		}
		p.script = s
	}
	if x.Variable != "" {
		if !variableName.MatchString(x.Variable) {
			wrong.add("such as window.__STATE__", fmt.Sprintf("%q is not the name of a variable", x.Variable), "variable")
		}
		p.variable = regexp.MustCompile(`(?:^|[^\w$.])` + regexp.QuoteMeta(x.Variable) + `\s*=\s*`)
	}
	if x.Each != nil {
		p.each = x.Each.compile(&wrong, "each")
		if *x.Each == (Query{}) {
			wrong.add("give it jsonpath or jq", "each asks for nothing", "each")
		}
	}
	names := make(map[string]bool, len(x.Fields))
	for _, f := range x.Fields {
		path := []string{"fields", f.Name}
		if strings.HasPrefix(f.Name, "_") {
			wrong.add("names with an underscore in front are for provenance, such as _url",
				fmt.Sprintf("the field name %q is reserved", f.Name), path...)
		}
		if names[f.Name] {
			wrong.add("", fmt.Sprintf("the field %q is given twice", f.Name), path...)
		}
		names[f.Name] = true
		p.fields = append(p.fields, f.compile(&wrong, path))
	}
	if x.Next != nil {
		p.next = x.Next.compile(&wrong)
	}
	return p, errors.Join(wrong...)
}

var variableName = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*(\.[\pL_$][\pL\pN_$]*)*$`)

func (f Field) compile(wrong *mistakes, path []string) field {
	out := field{Field: f, query: f.Query.compile(wrong, path...), as: values.Type(f.As)}
	if f.Query == (Query{}) {
		wrong.add("such as $."+f.Name, "the field asks for nothing", path...)
	}
	if f.As != "" && !slices.Contains(types, out.as) {
		wrong.add("", fmt.Sprintf("%q is not a type that JSON can be read as", f.As), append(slices.Clone(path), "as")...)
	}
	return out
}

func (n *Next) compile(wrong *mistakes) *next {
	out := &next{Next: *n, query: n.Query.compile(wrong, "next")}
	switch {
	case n.Rel != "" && (n.Param != "" || n.Step > 0 || n.Query != (Query{})):
		wrong.add("", "rel reads the Link header, and excludes jsonpath, jq, param and step", "next", "rel")
	case n.Rel != "":
	case n.Param == "" && n.Query == (Query{}):
		wrong.add("give it jsonpath or jq for an address, rel for that of the Link header, or param for a number that is counted up", "next leads nowhere", "next")
	case n.Step < 0:
		wrong.add("", "step must be at least 1", "next", "step")
	case n.Step > 0 && (n.Param == "" || n.Query != (Query{})):
		wrong.add("", "step counts up the number in param, and excludes jsonpath and jq", "next", "step")
	}
	if n.Query == (Query{}) {
		out.query = nil
	}
	if out.Step == 0 {
		out.Step = 1
	}
	return out
}

// dashed are names with a dash that stand behind a dot.
var dashed = regexp.MustCompile(`\.[\pL_][\pL\pN_]*-`)

func (q Query) compile(wrong *mistakes, path ...string) *query.Query {
	at := func(key string) []string { return append(slices.Clone(path), key) }
	if q.JSONPath != "" && q.JQ != "" {
		wrong.add("keep one of the two", "jsonpath and jq exclude each other", at("jq")...)
	}
	if q.JSONPath != "" {
		compiled, err := query.JSONPath(q.JSONPath)
		if err != nil {
			hint := ""
			if strings.HasPrefix(q.JSONPath, ".") {
				hint = "this looks like jq: use the key jq"
			} else if !strings.HasPrefix(q.JSONPath, "$") {
				hint = "a JSONPath begins with $"
			} else if dashed.MatchString(q.JSONPath) {
				hint = "a name with a dash stands in brackets, as in $['content-type']"
			}
			wrong.add(hint, fmt.Sprintf("the JSONPath does not compile: %v", err), at("jsonpath")...)
		}
		return compiled
	}
	if q.JQ == "" {
		return nil
	}
	compiled, err := query.JQ(q.JQ)
	if err != nil {
		hint := ""
		if strings.HasPrefix(q.JQ, "$.") || strings.HasPrefix(q.JQ, "$[") {
			hint = "this looks like JSONPath: use the key jsonpath"
		}
		wrong.add(hint, fmt.Sprintf("the jq program does not compile: %v", err), at("jq")...)
	}
	return compiled
}
