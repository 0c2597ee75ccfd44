package config

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

type kind uint8

const (
	nullKind kind = iota
	boolKind
	numberKind
	textKind
	listKind
	mappingKind
)

// node is a value of a config with its place. Aliases share their node.
type node struct {
	kind    kind
	place   place
	text    string   // of a scalar, variables replaced; of a number as written
	plain   bool     // text without quotes
	from    []string // variables of the environment in text
	written string   // text as it is written, where there are such
	broken  bool     // text lacks a variable: not to be decoded
	lacks   []lack   // why it is broken
	implied bool     // a default
	items   []*node
	entries []entry
	weight  int // nodes below and including this one, aliases counted each time
}

type entry struct {
	key   string
	place place // of the key
	value *node
}

// get is the entry of a key, nil without one.
func (n *node) get(key string) *entry {
	for i := range n.entries {
		if n.entries[i].key == key {
			return &n.entries[i]
		}
	}
	return nil
}

// secret reports whether a scalar's value came from the environment.
func (n *node) secret() bool { return len(n.from) > 0 }

// String describes a value in a message: never one of the environment.
func (n *node) String() string {
	switch {
	case n.secret():
		return "the value of " + strings.Join(n.from, " and ")
	case n.kind == nullKind:
		return "nothing"
	case n.kind == boolKind:
		return n.text
	case n.kind == numberKind:
		return "the number " + short(n.text)
	case n.kind == textKind:
		return fmt.Sprintf("the text %q", short(n.text))
	case n.kind == listKind:
		return "a list"
	}
	return "a mapping"
}

// short cuts a text that is to be quoted in a message.
func short(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// maxWeight bounds a config with its aliases followed.
const maxWeight = 200_000

// builder turns the parser's tree into nodes.
type builder struct {
	*loader
	src     *source
	anchors map[string]*node
	failed  bool // the tree is not what was written
}

func placeOf(src *source, n ast.Node) place {
	tk := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		tk = m.Values[0].Key.GetToken()
	} else if m, ok := n.(*ast.MappingValueNode); ok {
		tk = m.Key.GetToken()
	}
	if tk == nil || tk.Position == nil {
		return place{src, 1, 1}
	}
	return place{src, tk.Position.Line, tk.Position.Column}
}

func (b *builder) build(n ast.Node) *node {
	if n == nil {
		return &node{kind: nullKind, place: place{b.src, 1, 1}, weight: 1}
	}
	out := &node{place: placeOf(b.src, n).clamp(), weight: 1}
	switch n := n.(type) {
	case *ast.MappingNode:
		b.mapping(out, n.Values)
	case *ast.MappingValueNode:
		b.mapping(out, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.kind = listKind
		for _, v := range n.Values {
			item := b.address(v)
			if item == nil {
				item = b.build(v)
			}
			out.items = append(out.items, item)
			out.weight += item.weight
		}
	case *ast.AnchorNode:
		value := b.build(n.Value)
		b.anchors[n.Name.GetToken().Value] = value
		return value
	case *ast.AliasNode:
		return b.alias(out, n)
	default:
		b.scalar(out, n)
	}
	if out.weight > maxWeight {
		b.fail(out.place, "", "aliases make this value too large")
		return &node{kind: nullKind, place: out.place, weight: 1}
	}
	return out
}

// address is an item of a list such as socks5://a.example:1080, which the parser takes
// for a pair where the list stands within braces. By YAML 1.2 section 7.3.3 a colon
// parts a pair where a space follows. nil: the item is none.
func (b *builder) address(n ast.Node) *node {
	alone, ok := n.(*ast.MappingNode)
	if !ok || alone.IsFlowStyle || len(alone.Values) != 1 || alone.Values[0].Value == nil {
		return nil
	}
	pair := alone.Values[0]
	key, isText := pair.Key.(*ast.StringNode)
	behind := pair.Value.GetToken()
	if !isText || key.GetToken().Type != token.StringType || behind == nil || behind.Type == token.ImplicitNullType {
		return nil
	}
	switch pair.Value.(type) {
	case *ast.IntegerNode, *ast.StringNode:
	default:
		return nil
	}
	from, to := key.GetToken().Position, behind.Position
	if from == nil || to == nil || from.Line != to.Line || to.Column != from.Column+utf8.RuneCountInString(key.Value)+1 {
		return nil
	}
	out := &node{place: placeOf(b.src, pair).clamp(), weight: 1, plain: true}
	b.textNode(out, key.Value+":"+behind.Value)
	return out
}

func (b *builder) fail(p place, hint, format string, args ...any) {
	b.failed = true
	b.errorf(p, hint, format, args...)
}

func (b *builder) alias(out *node, n *ast.AliasNode) *node {
	name := n.Value.GetToken().Value
	if value, ok := b.anchors[name]; ok {
		return value
	}
	b.fail(out.place, "put text that begins with a star in quotes", "there is no anchor &%s for the alias *%s", short(name), short(name))
	return out
}

func (b *builder) scalar(out *node, n ast.Node) {
	switch n := n.(type) {
	case *ast.NullNode:
		out.kind = nullKind
	case *ast.BoolNode:
		out.kind, out.text = boolKind, strings.ToLower(n.GetToken().Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = numberKind, n.GetToken().Value
	case *ast.StringNode:
		tk := n.GetToken()
		out.plain = tk.Type == token.StringType
		b.textNode(out, n.Value)
	case *ast.LiteralNode:
		b.textNode(out, n.Value.Value)
	default:
		b.fail(out.place, "", "YAML's %s is not supported here", strings.ToLower(n.Type().String()))
	}
}

// textNode replaces the variables of a text.
func (b *builder) textNode(out *node, text string) {
	exp, errs := expand(text, b.env, b.secrets)
	for _, e := range errs {
		out.lacks = append(out.lacks, lack{out.at(text, e.at), e.hint, e.msg})
		out.broken = true
	}
	out.kind, out.text, out.from = textKind, exp.text, exp.from
	if len(exp.from) > 0 {
		out.written = text
	}
}

// mapping adds the entries, each key once, then those of merge keys that are
// not there yet.
func (b *builder) mapping(out *node, values []*ast.MappingValueNode) {
	out.kind = mappingKind
	seen := map[string]place{}
	var merges []*node
	for _, mv := range values {
		value := b.build(mv.Value)
		if mv.Key.IsMergeKey() {
			merges = append(merges, value)
			continue
		}
		at := placeOf(b.src, mv.Key).clamp()
		key, ok := b.key(mv.Key, at)
		if !ok {
			continue
		}
		if first, twice := seen[key]; twice {
			b.errorf(at, fmt.Sprintf("it stands in line %d already", first.line), "%s stands twice", short(key))
			continue
		}
		seen[key] = at
		if mv.Value == nil || mv.Value.GetToken().Type == token.ImplicitNullType {
			value.place = at // nothing to point at
		}
		out.entries = append(out.entries, entry{key, at, value})
		out.weight += 1 + value.weight
	}
	for _, m := range merges {
		b.merge(out, m, seen)
	}
	b.escapeTexts(out)
}

func (b *builder) key(n ast.MapKeyNode, at place) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	b.fail(at, "", "a key must be plain text")
	return "", false
}

// merge copies the entries of a mapping, or of a list of them, behind <<.
func (b *builder) merge(out, from *node, seen map[string]place) {
	switch from.kind {
	case listKind:
		for _, item := range from.items {
			if item.kind == listKind {
				b.fail(item.place, "", "<< takes a mapping or a list of mappings")
				continue
			}
			b.merge(out, item, seen)
		}
	case mappingKind:
		for _, e := range from.entries {
			if _, there := seen[e.key]; there {
				continue
			}
			seen[e.key] = e.place
			out.entries = append(out.entries, e)
			out.weight += 1 + e.value.weight
		}
	default:
		b.fail(from.place, "", "<< takes a mapping or a list of mappings; found %s", from)
	}
}

// at is the place of a byte within a scalar's text, as far as the source shows
// the text as it is; otherwise the scalar's place.
func (n *node) at(text string, offset int) place {
	p := n.place
	line := []rune(p.src.line(p.line))
	if p.column > len(line) || strings.Contains(text, "\n") {
		return p
	}
	rest := string(line[p.column-1:])
	inner := strings.TrimLeft(rest, `"'`)
	if quotes := len(rest) - len(inner); quotes <= 1 && strings.HasPrefix(inner, text) {
		return p.right(quotes + len([]rune(text[:offset])))
	}
	return p
}
