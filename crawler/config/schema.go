package config

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// object is a JSON Schema; its keys are written in sorted order.
type object = map[string]any

// schemaID names the schema; nothing is fetched from it.
const schemaID = "https://github.com/amblecrawl/amble/config.schema.json"

// Schema is the JSON Schema (draft 2020-12) of a config with the extractors
// and sinks that are registered, for editors. It is made of the same struct
// tags as the decoder and takes every config that the decoder takes, but for
// aliases' merge keys; checks that go beyond types are the decoder's alone.
func Schema() ([]byte, error) {
	w := schemaWriter{defs: object{}}
	root := w.structure(reflect.TypeFor[Config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = schemaID
	root["title"] = "amble crawl"
	w.defs["variable"] = object{
		"type": "string", "pattern": `\$\{`, "description": "A value with ${VARIABLES} of the environment.",
	}
	root["$defs"] = w.defs
	text, err := json.MarshalIndent(root, "", "  ")
	return append(text, '\n'), err
}

type schemaWriter struct{ defs object }

// ref defines a struct once, so that types may contain themselves.
func (w *schemaWriter) ref(t reflect.Type) object {
	name := strings.ReplaceAll(t.String(), "/", ".")
	if _, there := w.defs[name]; !there {
		w.defs[name] = object{} // holds the place while the type is walked
		w.defs[name] = w.structure(t)
	}
	return object{"$ref": "#/$defs/" + name}
}

func (w *schemaWriter) structure(t reflect.Type) object {
	sh := shapeOf(t)
	properties, required := object{}, []string{}
	for _, f := range sh.fields {
		properties[f.name] = w.property(f)
		if f.required {
			required = append(required, f.name)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func (w *schemaWriter) property(f field) object {
	s := w.value(f.typ, f)
	if _, shared := s["$ref"]; shared {
		s = object{"allOf": []any{s}}
	}
	if f.doc != "" {
		s["description"] = f.doc
	}
	if f.def != "" && f.def[0] != '(' {
		s["default"] = defaultValue(f)
	}
	return s
}

// defaultValue is the tag's default as JSON.
func defaultValue(f field) any {
	var v any
	if f.typ.Kind() != reflect.String && f.typ != durationType && json.Unmarshal([]byte(f.def), &v) == nil {
		return v
	}
	return f.def
}

func (w *schemaWriter) value(t reflect.Type, f field) object {
	switch t {
	case reflect.TypeFor[Links]():
		return anyOf(object{"const": false}, w.links())
	case reflect.TypeFor[Extract]():
		return w.extract()
	case reflect.TypeFor[Outputs]():
		return w.outputs()
	case reflect.TypeFor[RecordSchema]():
		return object{"type": []string{"string", "object", "null"}}
	case reflect.TypeFor[LoginSteps]():
		return w.steps()
	case reflect.TypeFor[LoginValues]():
		return object{"type": []string{"object", "null"}}
	case reflect.TypeFor[LoginShown]():
		return object{"type": []string{"string", "object", "null"}}
	case durationType:
		return object{"type": "string", "pattern": `^\+?([0-9.]+(ns|us|µs|ms|s|m|h))+$|^\+?0$|\$\{`}
	case sizeType:
		return object{"type": "string", "pattern": `^ *[0-9.]+ *([kKmMgGtT][iI]?)?[bB] *$|\$\{`}
	}
	if takesText(t) {
		return object{"type": []string{"string", "number", "boolean"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.value(t.Elem(), f)
	case reflect.Struct:
		return w.orScalar(t)
	case reflect.Slice:
		return w.list(t, f)
	case reflect.Map:
		return nullable(object{"type": "object", "additionalProperties": w.value(t.Elem(), field{})})
	case reflect.Interface:
		return object{}
	case reflect.Bool:
		return orVariable(object{"type": "boolean"})
	case reflect.String:
		if len(f.enum) > 0 {
			return orVariable(object{"enum": oneOf(f.enum)})
		}
		return object{"type": []string{"string", "number"}}
	case reflect.Float32, reflect.Float64:
		return orVariable(bounded(object{"type": "number"}, f))
	}
	return orVariable(bounded(object{"type": "integer"}, f))
}

func bounded(s object, f field) object {
	for key, text := range map[string]string{"minimum": f.min, "maximum": f.max} {
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			s[key] = n
		}
	}
	return s
}

func anyOf(schemas ...any) object { return object{"anyOf": schemas} }

// orVariable lets a variable stand for a value that is no text.
func orVariable(s object) object { return anyOf(s, object{"$ref": "#/$defs/variable"}) }

// nullable lets "key:" with nothing behind it stand for nothing given.
func nullable(s object) object { return anyOf(s, object{"type": "null"}) }

func (w *schemaWriter) orScalar(t reflect.Type) object {
	sh := shapeOf(t)
	if sh.scalar == nil {
		return nullable(w.ref(t))
	}
	return anyOf(w.ref(t), w.value(sh.scalar.typ, *sh.scalar), object{"type": "null"})
}

func (w *schemaWriter) list(t reflect.Type, f field) object {
	if keyed := keyedElem(t); keyed != nil {
		return nullable(object{"type": "object", "additionalProperties": w.orScalar(t.Elem())})
	}
	item := w.value(t.Elem(), field{enum: f.enum, min: f.min, max: f.max})
	return anyOf(item, object{"type": "array", "items": item}, object{"type": "null"})
}

// plugin is the schema of a plugin's struct with more properties beside its own.
func (w *schemaWriter) plugin(plugin any, more object, required ...string) object {
	s := object{"type": "object", "additionalProperties": false, "properties": more}
	if t := reflect.TypeOf(plugin); t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
		s = w.structure(t.Elem())
		for name, p := range more {
			s["properties"].(object)[name] = p
		}
	}
	if own, _ := s["required"].([]string); len(own)+len(required) > 0 {
		s["required"] = slices.Concat(own, required)
	}
	return s
}

func (w *schemaWriter) links() object {
	own := object{}
	for _, f := range shapeOf(reflect.TypeFor[LinkRule]()).fields {
		own[f.name] = w.property(f)
	}
	rule := object{"type": []string{"string", "object"}}
	if finder, ok := crawler.LinkFinders.New(linkFinder); ok {
		rule = anyOf(object{"type": []string{"string", "number"}}, w.plugin(finder, own))
	}
	return anyOf(rule, object{"type": "array", "items": rule}, object{"type": "null"})
}

func (w *schemaWriter) steps() object {
	step := object{"type": []string{"string", "object"}}
	if finder, ok := crawler.LinkFinders.New(linkFinder); ok {
		step = anyOf(object{"type": "string"}, w.plugin(finder, object{}))
	}
	return anyOf(step, object{"type": "array", "items": step})
}

func (w *schemaWriter) extract() object {
	var branches []any
	own := shapeOf(reflect.TypeFor[ruleKeys]())
	for _, id := range crawler.Extractors.IDs() {
		plugin, _ := crawler.Extractors.New(id)
		more := object{"plugin": object{"const": id, "description": own.get("plugin").doc}}
		for _, key := range []string{"match", "required", "schema"} {
			more[key] = w.property(*own.get(key))
		}
		if id == DefaultExtractor {
			branches = append(branches, w.plugin(plugin, more))
			continue
		}
		branches = append(branches, w.plugin(plugin, more, "plugin"))
	}
	if len(branches) == 0 {
		branches = []any{object{"type": "object"}}
	}
	return nullable(object{"type": "object", "additionalProperties": anyOf(branches...)})
}

func (w *schemaWriter) outputs() object {
	sinks := object{}
	for _, id := range crawler.Sinks.IDs() {
		plugin, _ := crawler.Sinks.New(id)
		t := reflect.TypeOf(plugin)
		if t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
			sinks[id] = w.orScalar(t.Elem())
			continue
		}
		sinks[id] = object{"type": "null"}
	}
	one := object{"type": "object", "properties": sinks, "additionalProperties": false, "minProperties": 1, "maxProperties": 1}
	several := object{"type": "object", "properties": sinks, "additionalProperties": false}
	return anyOf(object{"type": "array", "items": one}, several, object{"type": "null"})
}

// oneOf are the values of an enum. Those that look like numbers may be written as
// such.
func oneOf(enum []string) []any {
	var values []any
	for _, e := range enum {
		values = append(values, e)
		if n, err := strconv.ParseFloat(e, 64); err == nil {
			values = append(values, n)
		}
	}
	return values
}
