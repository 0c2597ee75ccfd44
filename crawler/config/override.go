package config

import (
	"errors"
	"fmt"
	"strings"
)

// override puts the value of "a.b.c=value" in its place. A key with dots is
// written in double quotes; a position in a list is its number.
func (l *loader) override(arg string) {
	src := newSource("--set", strings.ReplaceAll(arg, "\n", " "))
	start := place{src, 1, 1}
	path, value, ok := strings.Cut(arg, "=")
	if !ok {
		l.errorf(start, "write --set politeness.delay=2s", "an override needs a key and a value")
		return
	}
	keys, err := splitPath(path)
	if err != nil {
		l.errorf(start, "write --set politeness.delay=2s", "%v", err)
		return
	}
	n := l.overrideValue(src, path, value)
	if n == nil {
		return
	}
	into := l.root
	for i, key := range keys {
		last := i == len(keys)-1
		next, err := into.child(key, start)
		switch {
		case err != nil:
			l.errorf(start, "", "%s: %v", strings.Join(keys[:i], "."), err)
			return
		case last:
			*next = n
		case (*next).kind == nullKind:
			*next = &node{kind: mappingKind, place: start, weight: 1}
		default:
			// Aliases share nodes: change a copy, not the other places.
			clone := **next
			clone.entries = append([]entry(nil), clone.entries...)
			clone.items = append([]*node(nil), clone.items...)
			*next = &clone
		}
		into = *next
	}
}

// overrideValue reads the value as a config would; text that is no YAML alone,
// such as a URL with a star, is taken as it is.
func (l *loader) overrideValue(src *source, path, value string) *node {
	sub := &loader{report: &report{secrets: l.secrets}, env: l.env}
	n, ok := sub.parseYAML(src.name, []byte(strings.ReplaceAll(value, "\n", " ")))
	if ok {
		sub.reportLacks(n)
	}
	at := place{src, 1, len([]rune(path)) + 2}
	switch {
	case !ok && strings.ContainsAny(value, "[]{}"):
		l.errorf(at, "", "the value is not valid YAML: %s", sub.found[0].Message)
		return nil
	case !ok:
		n = &node{kind: textKind, text: value, weight: 1}
	case strings.TrimSpace(value) == "":
		n = &node{kind: textKind, weight: 1}
	case sub.found.Failed():
		l.errorf(at, sub.found[0].Hint, "%s", sub.found[0].Message)
		return nil
	}
	n.move(at)
	return n
}

// move gives a subtree one place.
func (n *node) move(p place) {
	n.place = p
	for _, item := range n.items {
		item.move(p)
	}
	for i := range n.entries {
		n.entries[i].place = p
		n.entries[i].value.move(p)
	}
}

// child is where the value of a key or list position is held, made when it is
// not there.
func (n *node) child(key string, at place) (**node, error) {
	switch n.kind {
	case mappingKind:
		if e := n.get(key); e != nil {
			return &e.value, nil
		}
		n.entries = append(n.entries, entry{key, at, &node{kind: nullKind, place: at, weight: 1}})
		return &n.entries[len(n.entries)-1].value, nil
	case listKind:
		for i := range n.items {
			if fmt.Sprint(i) == key {
				return &n.items[i], nil
			}
		}
		return nil, fmt.Errorf("the list has no position %s", short(key))
	}
	return nil, fmt.Errorf("there is %s, which has no key %s", n, short(key))
}

// splitPath cuts at dots outside of double quotes.
func splitPath(path string) ([]string, error) {
	var keys []string
	for rest := strings.TrimSpace(path); ; {
		var key string
		var more bool
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			key, rest, ok = strings.Cut(quoted, `"`)
			if !ok || rest != "" && rest[0] != '.' {
				return nil, errors.New("a quote in the key of an override is not closed")
			}
			rest, more = strings.CutPrefix(rest, ".")
		} else {
			key, rest, more = strings.Cut(rest, ".")
		}
		if key == "" {
			return nil, errors.New("an override needs a key and a value")
		}
		keys = append(keys, key)
		if !more {
			return keys, nil
		}
	}
}
