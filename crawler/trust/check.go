package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/amblecrawl/amble/crawler"
)

// Demand is what is asked of the records of one type.
type Demand struct {
	Schema   *Schema  // nil: none
	Required []string // fields that must have a value; "address.city" in a nested one
}

// errMissing is the reason of a field that must be there.
var errMissing = errors.New("it is required and has no value")

// Check says why a record falls short of a demand, nil when it does not.
func (d *Demand) Check(r *crawler.Record) (problems []crawler.Problem) {
	for _, name := range d.Required {
		if v, there := lookup(r.Fields, name); !there || v == nil {
			problems = append(problems, crawler.Problem{Field: name, Err: errMissing})
		}
	}
	if d.Schema == nil {
		return problems
	}
	missing := len(problems)
	for _, p := range d.Schema.check(r) {
		said := slices.ContainsFunc(problems[:missing], func(o crawler.Problem) bool { return o.Field == p.Field })
		if !said || !errors.Is(p.Err, errMissing) {
			problems = append(problems, p)
		}
	}
	return problems
}

func (s *Schema) check(r *crawler.Record) (problems []crawler.Problem) {
	defer func() {
		if fault := recover(); fault != nil {
			problems = []crawler.Problem{{Err: fmt.Errorf("checking it against the schema failed: %v", fault)}}
		}
	}()
	value := object(r.Fields, 0)
	failed, ok := errors.AsType[*jsonschema.ValidationError](s.compiled.Validate(value))
	if !ok {
		return nil
	}
	for _, leaf := range leaves(failed) {
		if len(problems) == maxLeaves {
			break
		}
		problems = append(problems, problem(leaf, value)...)
	}
	return problems
}

// problem names the fields that a finding is about: what is missing is said of
// the object that lacks it.
func problem(leaf *jsonschema.ValidationError, value any) (problems []crawler.Problem) {
	if missing, ok := leaf.ErrorKind.(*kind.Required); ok {
		for _, name := range missing.Missing {
			path := append(append([]string(nil), leaf.InstanceLocation...), name)
			problems = append(problems, crawler.Problem{Field: strings.Join(path, "."), Err: errMissing})
		}
		return problems
	}
	return []crawler.Problem{{
		Field: strings.Join(leaf.InstanceLocation, "."), Value: found(value, leaf.InstanceLocation),
		Err: errors.New(inWords(leaf)),
	}}
}

// found is the value at a place as text; the whole record is none.
func found(value any, path []string) string {
	if len(path) == 0 {
		return ""
	}
	for _, key := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(v) {
				return ""
			}
			value = v[i]
		}
	}
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

func lookup(fields []crawler.Field, name string) (value any, there bool) {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Value, true
		}
	}
	head, rest, nested := strings.Cut(name, ".")
	if !nested {
		return nil, false
	}
	below, _ := lookup(fields, head)
	inner, _ := below.([]crawler.Field)
	return lookup(inner, rest)
}

// maxDepth bounds the nesting of what a schema is shown, as the sinks bound what
// they write.
const maxDepth = 500

// object is a record's fields as a JSON object; what has no value is left out.
func object(fields []crawler.Field, depth int) map[string]any {
	o := make(map[string]any, len(fields))
	for _, f := range fields {
		if _, twice := o[f.Name]; twice {
			continue // the first one keeps its name in the outputs
		}
		if v := plain(f.Value, depth+1); v != nil {
			o[f.Name] = v
		}
	}
	return o
}

func plain(value any, depth int) any {
	if depth > maxDepth {
		return nil
	}
	switch v := value.(type) {
	case nil, string, bool, int64, int:
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil // as JSON has them
		}
		return v
	case json.RawMessage:
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(v)))
		if err != nil {
			return string(v)
		}
		return doc
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i], depth+1)
		}
		return list
	case []crawler.Field:
		return object(v, depth)
	}
	return fmt.Sprint(value)
}
