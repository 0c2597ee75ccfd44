package parquet

import (
	"encoding/json"
	"errors"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/amblecrawl/amble/crawler/rows"
)

// node is a column, or a part of one that is nested. Its values stand in the file as
// those of its leaves, each with two levels (Parquet's "Nested Encoding", after
// Dremel): by the definition level one tells what is null, by the repetition level
// where an item of a list begins.
type node struct {
	name               string
	optional, repeated bool
	definition         int // level of what is there
	repetition         int // level of a further item
	children           []*node
	leaf               func(parquet.Value) (any, error)
	leaves             int // at or below it
	list, dictionary   bool
}

func newNode(c *parquet.Column) *node {
	n := &node{
		name: c.Name(), optional: c.Optional(), repeated: c.Repeated(),
		definition: c.MaxDefinitionLevel(), repetition: c.MaxRepetitionLevel(),
	}
	if c.Leaf() {
		if n.leaf = leafOf(c); n.leaf != nil {
			n.leaves = 1
		}
		return n
	}
	for _, child := range c.Columns() {
		below := newNode(child)
		if below.leaves == 0 {
			return n
		}
		n.children = append(n.children, below)
	}
	for _, child := range n.children {
		n.leaves += child.leaves
	}
	if t := c.Type().LogicalType(); t != nil && len(n.children) == 1 && n.children[0].repeated {
		_, n.list = t.Value.(*format.ListType)
		_, n.dictionary = t.Value.(*format.MapType)
	}
	return n
}

// nested reports whether its values are more than single ones.
func (n *node) nested() bool { return n.repeated || n.leaf == nil }

// cursor is what is left of the values of a node's leaves.
type cursor struct {
	values [][]parquet.Value
	items  int
}

// maxItems bounds the items of lists in one row.
const maxItems = rows.MaxRow / 8

var errLevels = errors.New("the values do not fit the columns")

// read takes one value of the node, whose first leaf is the one numbered from.
func (n *node) read(c *cursor, from int) (any, error) {
	if from >= len(c.values) || len(c.values[from]) == 0 {
		return nil, errLevels
	}
	there := c.values[from][0].DefinitionLevel() >= n.definition
	if !n.repeated {
		if n.optional && !there {
			return nil, c.skip(from, n.leaves)
		}
		return n.one(c, from)
	}
	list := []any{}
	if !there {
		return list, c.skip(from, n.leaves)
	}
	for {
		v, err := n.one(c, from)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if c.items++; c.items > maxItems {
			return nil, errTooLong
		}
		if rest := c.values[from]; len(rest) == 0 || rest[0].RepetitionLevel() != n.repetition {
			return list, nil
		}
	}
}

// skip passes over the values that stand for a null, one in each leaf.
func (c *cursor) skip(from, leaves int) error {
	for i := from; i < from+leaves; i++ {
		if i >= len(c.values) || len(c.values[i]) == 0 {
			return errLevels
		}
		c.values[i] = c.values[i][1:]
	}
	return nil
}

// one takes the value of a node that is there.
func (n *node) one(c *cursor, from int) (any, error) {
	if n.leaf != nil {
		v := c.values[from][0]
		c.values[from] = c.values[from][1:]
		if v.IsNull() {
			return nil, nil
		}
		return n.leaf(v)
	}
	group := make(map[string]any, len(n.children))
	var only any
	for _, child := range n.children {
		v, err := child.read(c, from)
		if err != nil {
			return nil, err
		}
		group[child.name], only = v, v
		from += child.leaves
	}
	switch {
	case n.list:
		return items(n.children[0], only), nil
	case n.dictionary:
		return dictionary(n.children[0], only), nil
	}
	return group, nil
}

// items are those of a list, without the group that the format puts around each
// (Parquet's "Logical Types", "Lists").
func items(repeated *node, v any) any {
	list, ok := v.([]any)
	if !ok || len(repeated.children) != 1 {
		return v
	}
	for i, item := range list {
		if group, ok := item.(map[string]any); ok {
			list[i] = group[repeated.children[0].name]
		}
	}
	return list
}

// dictionary is an object where the keys are texts.
func dictionary(repeated *node, v any) any {
	list, ok := v.([]any)
	if !ok || len(repeated.children) != 2 {
		return v
	}
	object := make(map[string]any, len(list))
	for _, item := range list {
		pair, _ := item.(map[string]any)
		key, ok := pair[repeated.children[0].name].(string)
		if !ok {
			return v
		}
		object[key] = pair[repeated.children[1].name]
	}
	return object
}

func asJSON(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return json.RawMessage(text), nil
}

// finite refuses numbers that JSON has not.
func finite(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, nil
	}
	return f, nil
}
