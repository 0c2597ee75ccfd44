package config

import (
	"encoding"
	"net/netip"
	"reflect"
	"strings"
	"time"
)

// field is one key that a struct takes, as its tags say.
type field struct {
	name     string
	index    []int
	typ      reflect.Type
	doc      string
	def      string // as written in YAML, or a description in parentheses
	enum     []string
	min, max string
	required bool
	path     bool
}

// shape is what a struct takes from YAML.
type shape struct {
	fields []field
	key    *field // takes the key where a mapping fills a slice
	scalar *field // takes a scalar given in place of the mapping
}

func (s *shape) get(name string) *field {
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i]
		}
	}
	return nil
}

func (s *shape) names() []string {
	names := make([]string, len(s.fields))
	for i := range s.fields {
		names[i] = s.fields[i].name
	}
	return names
}

var (
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
	addressType  = reflect.TypeFor[netip.AddrPort]()
)

// takesText reports whether values of t read themselves from a scalar.
func takesText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// shapeOf reads the tags of a struct type.
func shapeOf(t reflect.Type) *shape {
	s := &shape{}
	s.collect(t, nil, 0)
	return s
}

func (s *shape) collect(t reflect.Type, index []int, depth int) {
	for sf := range t.Fields() {
		tag, _ := sf.Tag.Lookup("yaml")
		name, rest, _ := strings.Cut(tag, ",")
		options := strings.Split(rest, ",")
		has := func(option string) bool {
			for _, o := range options {
				if o == option {
					return true
				}
			}
			return false
		}
		at := append(append([]int(nil), index...), sf.Index...)
		inline := has("inline") || sf.Anonymous && name == ""
		if inline && sf.Type.Kind() == reflect.Struct && depth < 8 {
			s.collect(sf.Type, at, depth+1)
			continue
		}
		if !sf.IsExported() || tag == "-" || !decodable(sf.Type) {
			continue
		}
		if name == "" {
			name = strings.ToLower(sf.Name)
		}
		f := field{
			name: name, index: at, typ: sf.Type,
			doc: sf.Tag.Get("doc"), def: sf.Tag.Get("default"),
			min: sf.Tag.Get("min"), max: sf.Tag.Get("max"),
			required: sf.Tag.Get("required") == "true",
			path:     has("path") || name == "path",
		}
		if enum := sf.Tag.Get("enum"); enum != "" {
			f.enum = strings.Split(enum, ",")
		}
		if has("key") {
			s.key = &f
			continue
		}
		if has("scalar") {
			s.scalar = &f
		}
		s.fields = append(s.fields, f)
	}
}

// decodable reports whether YAML can hold a value of this type at all.
func decodable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Uintptr, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Interface:
		return t.NumMethod() == 0
	case reflect.Pointer, reflect.Slice:
		return decodable(t.Elem())
	case reflect.Map:
		return t.Key().Kind() == reflect.String && decodable(t.Elem())
	}
	return true
}

// keyedElem is the shape of a slice's element when a mapping may fill it.
func keyedElem(t reflect.Type) *shape {
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct || takesText(t.Elem()) {
		return nil
	}
	if s := shapeOf(t.Elem()); s.key != nil {
		return s
	}
	return nil
}
