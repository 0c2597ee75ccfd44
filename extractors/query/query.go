package query

import (
	"context"
	"errors"
	"fmt"

	"github.com/itchyny/gojq"
	"github.com/theory/jsonpath"
	"github.com/theory/jsonpath/spec"
)

// maxDescendants bounds the ".." of one JSONPath: each multiplies what a nested
// document can make it visit.
const maxDescendants = 2

var errDescendants = fmt.Errorf("more than %d times .. in one JSONPath", maxDescendants)

// Query is a compiled JSONPath or jq program. It is safe for concurrent use.
type Query struct {
	path *jsonpath.Path
	code *gojq.Code
}

// JSONPath compiles a query of RFC 9535.
func JSONPath(source string) (*Query, error) {
	p, err := jsonpath.Parse(source)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, s := range p.Query().Segments() {
		if s.IsDescendant() {
			n++
		}
	}
	if n > maxDescendants {
		return nil, errDescendants
	}
	return &Query{path: p}, nil
}

// JQ compiles a jq program. It sees no environment, no files and no further
// inputs.
func JQ(source string) (*Query, error) {
	parsed, err := gojq.Parse(source)
	if err != nil {
		return nil, err
	}
	code, err := gojq.Compile(parsed)
	if err != nil {
		return nil, err
	}
	return &Query{code: code}, nil
}

// ErrResults says that a query gave more results than it was asked for at most.
var ErrResults = errors.New("the query gives too many results")

// Each calls yield with each result for a document that Decode made, until yield
// returns false. The document stays as it is; results may be parts of it. It
// stops with an error when ctx ends, when a jq program fails, and with ErrResults
// after max results.
func (q *Query) Each(ctx context.Context, document any, max int, yield func(any) bool) error {
	if q.path != nil {
		for i, v := range q.path.Select(document) {
			if i == max {
				return ErrResults
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
		}
		return nil
	}
	results := q.code.RunWithContext(ctx, document)
	for i := 0; ; i++ {
		v, ok := results.Next()
		if !ok {
			return nil
		}
		if err, failed := v.(error); failed {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if halt := (*gojq.HaltError)(nil); errors.As(err, &halt) && halt.Value() == nil {
				return nil
			}
			return err
		}
		if i == max {
			return ErrResults
		}
		if !yield(v) {
			return nil
		}
	}
}

// Elements says that the query is no more than a way to all elements of one
// array or object: $.data.items[*]. Then ok is true, and names lead there.
func (q *Query) Elements() (names []string, ok bool) {
	if q.path == nil {
		return nil, false
	}
	segments := q.path.Query().Segments()
	for i, s := range segments {
		if s.IsDescendant() || len(s.Selectors()) != 1 {
			return nil, false
		}
		switch selector := s.Selectors()[0].(type) {
		case spec.Name:
			names = append(names, string(selector))
		case spec.WildcardSelector:
			return names, i == len(segments)-1
		default:
			return nil, false
		}
	}
	return nil, false
}
