package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// Reference is a table of every key of a config in Markdown, made of the same
// struct tags as the decoder.
func Reference() string {
	var b strings.Builder
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	referenceRows(&b, reflect.TypeFor[Config](), "", nil)
	referenceRows(&b, reflect.TypeFor[ruleKeys](), "extract.TYPE.", nil)
	return b.String()
}

// LinkReference is a table of the keys of link rules, as far as they are those of
// a plugin; empty without one.
func LinkReference() string {
	var b strings.Builder
	if finder, ok := crawler.LinkFinders.New(linkFinder); ok {
		referencePlugin(&b, "links", finder)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// OutputReference is a table of keys for every registered sink.
func OutputReference() string {
	var b strings.Builder
	for _, id := range crawler.Sinks.IDs() {
		plugin, _ := crawler.Sinks.New(id)
		referencePlugin(&b, id, plugin)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// ExtractorReference is the table of keys of one extractor; ok is false when
// none has this ID.
func ExtractorReference(id string) (text string, ok bool) {
	plugin, ok := crawler.Extractors.New(id)
	if !ok {
		return "", false
	}
	var b strings.Builder
	referencePlugin(&b, id, plugin)
	return strings.TrimSuffix(b.String(), "\n"), true
}

func referencePlugin(b *strings.Builder, id string, plugin any) {
	fmt.Fprintf(b, "### %s\n\n", id)
	t := reflect.TypeOf(plugin)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		b.WriteString("It takes no options.\n\n")
		return
	}
	if len(shapeOf(t.Elem()).fields) == 0 {
		b.WriteString("It takes no options.\n\n")
		return
	}
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	referenceRows(b, t.Elem(), "", nil)
	b.WriteString("\n")
}

// referenceRows writes the keys of a struct and of those within it; within are the
// structs that it stands in, whose keys are not written again.
func referenceRows(b *strings.Builder, t reflect.Type, prefix string, within []reflect.Type) {
	within = append(slices.Clip(within), t)
	for _, f := range shapeOf(t).fields {
		def := f.def
		switch {
		case f.required:
			def = "required"
		case strings.HasPrefix(def, "("):
			def = strings.TrimSuffix(def[1:], ")")
		case def != "":
			def = "`" + def + "`"
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, f.name, cell(valueWords(f)), cell(def), cell(f.doc))
		if inner, suffix := innerStruct(f.typ); inner != nil && !slices.Contains(within, inner) {
			referenceRows(b, inner, prefix+f.name+suffix+".", within)
		}
	}
}

// innerStruct is the struct whose keys stand below a key, and what stands
// between the two.
func innerStruct(t reflect.Type) (reflect.Type, string) {
	suffix := ""
	if keyedElem(t) != nil {
		suffix = ".NAME"
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t == reflect.TypeFor[Links]() {
		t = reflect.TypeFor[LinkRule]()
	}
	if t.Kind() != reflect.Struct || takesText(t) || t == reflect.TypeFor[Rule]() || t == reflect.TypeFor[Output]() || t == reflect.TypeFor[RecordSchema]() || t == reflect.TypeFor[LoginSteps]() || t == reflect.TypeFor[LoginValues]() || t == reflect.TypeFor[LoginShown]() {
		return nil, ""
	}
	return t, suffix
}

func valueWords(f field) string {
	words := typeWords(f.typ)
	if len(f.enum) > 0 {
		words = strings.Join(f.enum, ", ")
	}
	switch {
	case f.min != "" && f.max != "":
		words += ", " + f.min + " to " + f.max
	case f.min != "":
		words += ", at least " + f.min
	case f.max != "":
		words += ", at most " + f.max
	}
	return words
}

func typeWords(t reflect.Type) string {
	switch {
	case t == durationType:
		return "duration"
	case t == sizeType:
		return "size"
	case t == addressType:
		return "ip:port"
	case t == reflect.TypeFor[Links]():
		return "selector, list or false"
	case t == reflect.TypeFor[Outputs](), t == reflect.TypeFor[LoginSteps]():
		return "list"
	case t == reflect.TypeFor[RecordSchema]():
		return "file or mapping"
	case t == reflect.TypeFor[LoginShown]():
		return "selector or mapping"
	case t == reflect.TypeFor[Extract](), t.Kind() == reflect.Map, keyedElem(t) != nil:
		return "mapping"
	case takesText(t):
		return "text"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeWords(t.Elem())
	case reflect.Slice:
		return "list"
	case reflect.Struct:
		if sh := shapeOf(t); sh.scalar != nil {
			return typeWords(sh.scalar.typ) + " or mapping"
		}
		return "mapping"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Interface:
		return "anything"
	case reflect.Float32, reflect.Float64:
		return "number"
	}
	return "whole number"
}

var markdown = strings.NewReplacer("|", `\|`, "*", `\*`, "<", `\<`)

// cell escapes what means something in a table's cell, but for code.
func cell(s string) string {
	if strings.HasPrefix(s, "`") {
		return strings.ReplaceAll(s, "|", `\|`)
	}
	return markdown.Replace(s)
}
