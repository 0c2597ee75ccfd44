package config

import (
	"reflect"
	"strconv"
)

// blockDecoder is a type of this package that reads its node itself because
// the registries say what may stand in it.
type blockDecoder interface {
	decodeBlock(l *loader, n *node, path string)
}

// slot is where a value goes and what is known about it.
type slot struct {
	field
	path string // for messages: "politeness.delay"
	// plugin: the struct's constructor has set the defaults
	plugin bool
}

func (s slot) below(path string, t reflect.Type) slot {
	return slot{field: field{typ: t, path: s.field.path, enum: s.enum, min: s.min, max: s.max}, path: path, plugin: s.plugin}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// value decodes n into v, reporting every mistake on the way.
func (l *loader) value(n *node, v reflect.Value, s slot) {
	if n.broken {
		return
	}
	if b, ok := v.Addr().Interface().(blockDecoder); ok {
		b.decodeBlock(l, n, s.path)
		return
	}
	if v.Kind() == reflect.Pointer {
		if n.kind == nullKind {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		l.value(n, v.Elem(), s)
		return
	}
	if isScalar(v.Type()) {
		l.scalar(n, v, s)
		return
	}
	if n.kind == nullKind {
		return // "key:" with nothing behind it: empty
	}
	switch v.Kind() {
	case reflect.Struct:
		l.structure(n, v, s)
	case reflect.Slice:
		l.list(n, v, s)
	case reflect.Map:
		l.stringMap(n, v, s)
	case reflect.Interface:
		v.Set(reflect.ValueOf(plain(n)))
	default:
		l.errorf(n.place, "", "%s cannot be given in a config", s.path)
	}
}

func (l *loader) structure(n *node, v reflect.Value, s slot) {
	sh := shapeOf(v.Type())
	if n.kind != mappingKind {
		if sh.scalar == nil || n.kind == listKind {
			l.errorf(n.place, mappingHint(s.path), "%s: want a mapping; found %s", s.path, n)
			return
		}
		l.value(n, v.FieldByIndex(sh.scalar.index), slot{field: *sh.scalar, path: s.path, plugin: s.plugin})
		l.defaults(n, v, sh, s, nil)
		return
	}
	l.fields(n, v, sh, s, nil)
}

// fields decodes the entries of a mapping, except those the caller reads itself.
func (l *loader) fields(n *node, v reflect.Value, sh *shape, s slot, others []string) {
	given := map[string]bool{}
	for _, e := range n.entries {
		f := sh.get(e.key)
		switch {
		case f != nil:
			given[e.key] = true
			l.value(e.value, v.FieldByIndex(f.index), slot{field: *f, path: join(s.path, e.key), plugin: s.plugin})
		case contains(others, e.key):
		default:
			l.unknownKey(e, s.path, append(sh.names(), others...))
		}
	}
	for i := range sh.fields {
		if f := &sh.fields[i]; f.required && !given[f.name] {
			l.errorf(n.place, "", "%s is missing", join(s.path, f.name))
		}
	}
	l.defaults(n, v, sh, s, given)
}

// defaults fills what was not given from the tags. Plugins have set their own.
func (l *loader) defaults(n *node, v reflect.Value, sh *shape, s slot, given map[string]bool) {
	if s.plugin {
		return
	}
	for i := range sh.fields {
		f := &sh.fields[i]
		target := v.FieldByIndex(f.index)
		if given[f.name] || !target.IsZero() {
			continue
		}
		if f.typ.Kind() == reflect.Struct && !takesText(f.typ) && f.def == "" {
			if _, special := target.Addr().Interface().(blockDecoder); !special {
				empty := &node{kind: mappingKind, place: n.place}
				l.defaults(empty, target, shapeOf(f.typ), s, nil)
			}
			continue
		}
		if f.def == "" || f.def[0] == '(' {
			continue
		}
		text := &node{kind: textKind, plain: true, text: f.def, place: n.place, implied: true}
		l.value(text, target, slot{field: *f, path: join(s.path, f.name)})
	}
}

func (l *loader) list(n *node, v reflect.Value, s slot) {
	elem := v.Type().Elem()
	if keyed := keyedElem(v.Type()); keyed != nil && n.kind == mappingKind {
		v.SetZero()
		for _, e := range n.entries {
			item := reflect.New(elem).Elem()
			item.FieldByIndex(keyed.key.index).SetString(e.key)
			l.value(orEmpty(e.value), item, s.below(join(s.path, e.key), elem))
			v.Set(reflect.Append(v, item))
		}
		return
	} else if keyed != nil {
		l.errorf(n.place, mappingHint(s.path), "%s: want a mapping; found %s", s.path, n)
		return
	}
	items := n.items
	if n.kind != listKind {
		items = []*node{n} // a single value is a list of one
	}
	v.SetZero() // replaces a plugin's default list
	for i, in := range items {
		item := reflect.New(elem).Elem()
		path := s.path
		if n.kind == listKind {
			path = join(s.path, strconv.Itoa(i))
			if in.kind == nullKind {
				l.errorf(in.place, "", "%s is empty", path)
				v.Set(reflect.Append(v, item)) // positions stay those of the file
				continue
			}
		}
		l.value(in, item, s.below(path, elem))
		v.Set(reflect.Append(v, item))
	}
}

// orEmpty lets "key:" with nothing behind it stand for an empty mapping.
func orEmpty(n *node) *node {
	if n.kind != nullKind {
		return n
	}
	return &node{kind: mappingKind, place: n.place}
}

func (l *loader) stringMap(n *node, v reflect.Value, s slot) {
	if n.kind != mappingKind {
		l.errorf(n.place, mappingHint(s.path), "%s: want a mapping; found %s", s.path, n)
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range n.entries {
		item := reflect.New(v.Type().Elem()).Elem()
		l.value(e.value, item, s.below(join(s.path, e.key), v.Type().Elem()))
		v.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), item)
	}
}

// plain is a node as Go values, for plugins that take anything.
func plain(n *node) any {
	switch n.kind {
	case nullKind:
		return nil
	case boolKind:
		return n.text == "true"
	case numberKind:
		if i, err := strconv.ParseInt(n.text, 0, 64); err == nil {
			return i
		}
		f, _ := strconv.ParseFloat(n.text, 64)
		return f
	case listKind:
		items := make([]any, len(n.items))
		for i, item := range n.items {
			items[i] = plain(item)
		}
		return items
	case mappingKind:
		entries := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			entries[e.key] = plain(e.value)
		}
		return entries
	}
	return n.text
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
