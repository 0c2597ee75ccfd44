package xmldoc

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// plan is a compiled configuration.
type plan struct {
	each       path
	fields     []field
	maxRecords int
}

type field struct {
	Field
	xpath *expression
	as    values.Type
}

// path is a way to elements by their names.
type path struct {
	names    []string // "*" is any
	anywhere bool     // it begins at any element, not at the top
}

// matches reports whether the elements from the top down to one end on the path.
func (p path) matches(open []string) bool {
	if len(open) < len(p.names) || !p.anywhere && len(open) != len(p.names) {
		return false
	}
	open = open[len(open)-len(p.names):]
	for i, name := range p.names {
		if name != "*" && name != open[i] {
			return false
		}
	}
	return true
}

var pathForm = regexp.MustCompile(`^(//|/)?[\pL_*][\pL\pN_.:*-]*(/[\pL_*][\pL\pN_.:*-]*)*$`)

func parsePath(s string) (path, error) {
	if s == "" {
		return path{names: []string{"*"}}, nil
	}
	if !pathForm.MatchString(s) {
		return path{}, fmt.Errorf("%q is not a path of element names", s)
	}
	anywhere := !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//")
	return path{names: strings.Split(strings.TrimLeft(s, "/"), "/"), anywhere: anywhere}, nil
}

// types are those that "as" may name: markup is not among them.
var types = []values.Type{
	values.AsString, values.AsRaw, values.AsInteger, values.AsNumber,
	values.AsBoolean, values.AsDate, values.AsURL, values.AsJSON,
}

func compile(x *XML) (plan, error) {
	var wrong []error
	add := func(hint, msg string, path ...string) {
		wrong = append(wrong, &crawler.ConfigError{Path: path, Msg: msg, Hint: hint})
	}
	p := plan{maxRecords: x.MaxRecords}
	if x.MaxRecords < 0 {
		add("leave it out for the default", "max_records must be at least 1", "max_records")
	}
	if x.MaxRecords == 0 {
		p.maxRecords = DefaultMaxRecords
	}
	each, err := parsePath(x.Each)
	if err != nil {
		add("such as /catalogue/book or //book; conditions go into the XPath of a field that is required", err.Error(), "each")
	}
	p.each = each
	names := make(map[string]bool, len(x.Fields))
	for _, f := range x.Fields {
		at := []string{"fields", f.Name}
		switch {
		case strings.HasPrefix(f.Name, "_"):
			add("names with an underscore in front are for provenance, such as _url",
				fmt.Sprintf("the field name %q is reserved", f.Name), at...)
		case names[f.Name]:
			add("", fmt.Sprintf("the field %q is given twice", f.Name), at...)
		}
		names[f.Name] = true
		out := field{Field: f, as: values.Type(f.As)}
		if f.As == "" {
			out.as = values.AsString
		}
		if !slices.Contains(types, out.as) {
			add("", fmt.Sprintf("%q is not a type that XML can be read as", f.As), append(slices.Clone(at), "as")...)
		}
		if out.xpath, err = compileXPath(f.XPath); err != nil {
			add("such as title or @id", fmt.Sprintf("the XPath does not compile: %v", err), append(slices.Clone(at), "xpath")...)
		}
		p.fields = append(p.fields, out)
	}
	return p, errors.Join(wrong...)
}

// expression is a compiled XPath. The library's expressions keep state while they
// are evaluated, so each evaluation takes one of its own from the pool.
type expression struct{ pool sync.Pool }

func compileXPath(source string) (*expression, error) {
	first, err := xpath.Compile(source)
	if err != nil {
		return nil, err
	}
	x := &expression{}
	x.pool.New = func() any { return xpath.MustCompile(source) } // it compiled before
	x.pool.Put(first)
	return x, nil
}

// texts are the results at n that are not empty: one, or all. A panic is an error:
// the library has them for arguments that it cannot use, which the document may give.
func (x *expression) texts(n *xmlquery.Node, all bool) (out []string, err error) {
	defer func() {
		if v := recover(); v != nil {
			out, err = nil, fmt.Errorf("evaluating the XPath: %v", v)
		}
	}()
	expr := x.pool.Get().(*xpath.Expr)             // not put back after a panic
	nav := xmlquery.CreateXPathNavigator(n.Parent) // so that the root is above the element
	nav.MoveToChild()
	found := expr.Evaluate(nav)
	defer x.pool.Put(expr)
	nodes, ok := found.(*xpath.NodeIterator)
	if !ok {
		if text := scalar(found); strings.TrimSpace(text) != "" {
			out = append(out, text)
		}
		return out, nil
	}
	room := MaxText
	for nodes.MoveNext() {
		text := nodes.Current().Value()
		if strings.TrimSpace(text) == "" {
			continue
		}
		if room -= len(text); room < 0 {
			return nil, errTooLarge
		}
		out = append(out, text)
		if !all {
			break
		}
	}
	return out, nil
}

// scalar is the text of a result that is no node-set. NaN is no value.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
