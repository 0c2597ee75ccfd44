package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
)

// DefaultExtractor is the extractor of record types that name no plugin.
const DefaultExtractor = "selectors"

// ruleKeys are the keys of a record type that no plugin sees.
type ruleKeys struct {
	Match  *Pattern `yaml:"match" default:"(every page)" doc:"The pages it is read from: a path glob, or {regex: ...}."`
	Plugin string   `yaml:"plugin" default:"selectors" doc:"The extractor; its own keys stand beside this one."`
	// What is asked of the records.
	Required []string     `yaml:"required" doc:"Fields that must have a value; a record without one is rejected."`
	Schema   RecordSchema `yaml:"schema" doc:"A JSON Schema that each record must satisfy: a file, relative to the config, or the schema itself; a record that does not is rejected."`
}

// decodeBlock reads record types: own keys and the extractor's side by side.
func (x *Extract) decodeBlock(l *loader, n *node, path string) {
	if n.kind == nullKind {
		return
	}
	if n.kind != mappingKind {
		l.errorf(n.place, "write the record type as a key: extract: {book: {fields: ...}}", "%s: want a mapping of record types; found %s", path, n)
		return
	}
	for _, e := range n.entries {
		if rule, ok := l.rule(e, join(path, e.key)); ok {
			*x = append(*x, rule)
		}
	}
}

func (l *loader) rule(e entry, path string) (Rule, bool) {
	if why := badType(e.key); why != "" {
		l.errorf(e.place, "use letters, digits, - and _", "%s: %s", path, why)
	}
	if e.value.kind != mappingKind {
		l.errorf(e.value.place, "it needs fields at least", "%s: want a mapping; found %s", path, e.value)
		return Rule{}, false
	}
	shared := ruleKeys{Plugin: DefaultExtractor}
	own := shapeOf(reflect.TypeFor[ruleKeys]())
	rest := &node{kind: mappingKind, place: e.value.place}
	for _, sub := range e.value.entries {
		f := own.get(sub.key)
		if f == nil {
			rest.entries = append(rest.entries, sub)
			continue
		}
		v := reflect.ValueOf(&shared).Elem().FieldByIndex(f.index)
		l.value(sub.value, v, slot{field: *f, path: join(path, sub.key)})
	}
	plugin, ok := crawler.Extractors.New(shared.Plugin)
	if !ok {
		at := e.place
		if named := e.value.get("plugin"); named != nil {
			at = named.value.place
		}
		l.unknownPlugin(at, join(path, "plugin"), crawler.Extractors.Kind(), shared.Plugin, crawler.Extractors.IDs())
		return Rule{}, false
	}
	before := len(l.found)
	l.decodePlugin(rest, plugin, path, own.names())
	l.checkPlugin(plugin, e.value, path, before)
	if !l.found[before:].Failed() {
		l.checkRequired(e.value, shared.Required, plugin, path)
	}
	return Rule{
		Type: e.key, Match: shared.Match, Plugin: shared.Plugin, Extractor: plugin,
		Required: shared.Required, Schema: shared.Schema.compiled,
	}, true
}

// badType says why a name cannot be a record type: it becomes file names and
// the prefix of keys.
func badType(name string) string {
	switch {
	case name == "":
		return "a record type needs a name"
	case strings.HasPrefix(name, "_"):
		return "names that begin with _ are kept for provenance"
	case len(name) > 64:
		return "the name is longer than 64 bytes"
	case strings.IndexFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}) >= 0:
		return "a record type cannot have this name"
	}
	return ""
}

func (l *loader) unknownPlugin(at place, path, kind, id string, known []string) {
	if slices.Contains(later[section(path)], id) {
		l.errorf(at, "", "%s: the %s %s is not yet supported", path, kind, id)
		return
	}
	hint := "amble build --with MODULE compiles others in"
	if near := nearest(id, known); near != "" {
		hint = "did you mean " + near + "?"
	} else if len(known) > 0 && len(known) <= 20 {
		hint = "there are " + strings.Join(known, ", ") + "; " + hint
	}
	l.foreign(at, hint, fmt.Sprintf("%s: there is no %s %s", path, kind, short(id)))
}

// decodePlugin decodes n into the plugin's struct.
func (l *loader) decodePlugin(n *node, plugin any, path string, others []string) {
	v := reflect.ValueOf(plugin)
	if v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct {
		sh := shapeOf(v.Elem().Type())
		s := slot{path: path, plugin: true}
		if n.kind == mappingKind {
			l.fields(n, v.Elem(), sh, s, others)
		} else {
			l.structure(n, v.Elem(), s)
		}
	} else if len(n.entries) > 0 {
		l.errorf(n.entries[0].place, "", "%s takes no options", path)
	} else if n.kind != mappingKind {
		l.errorf(n.place, "", "%s takes no options", path)
	}
}

// checkPlugin lets a plugin check itself; its findings are shown at their
// places below whole. What was found in whole since before was not read, and
// what the plugin says of that would mislead: only its findings about values
// that were read are shown then.
func (l *loader) checkPlugin(plugin any, whole *node, path string, before int) {
	check, ok := plugin.(crawler.Validator)
	if !ok {
		return
	}
	unread := l.found[before:]
	for _, err := range causes(validate(check), 0) {
		if !whole.broke(err) && (!unread.Failed() || whole.wasRead(err, unread)) {
			l.pluginError(whole, path, err)
		}
	}
}

// broke reports whether a plugin's finding is about a value that could not be made,
// since a variable is not set, say: that has been told.
func (n *node) broke(err error) bool {
	ce, ok := errors.AsType[*crawler.ConfigError](err)
	if !ok || len(ce.Path) == 0 {
		return false
	}
	at := n.below(ce.Path)
	return at.broken || at.lacking()
}

// wasRead reports whether a plugin's finding is about a value that stands in
// the file and has nothing wrong in it so far.
func (n *node) wasRead(err error, found Diagnostics) bool {
	ce, ok := errors.AsType[*crawler.ConfigError](err)
	if !ok || len(ce.Path) == 0 {
		return false
	}
	at := n.below(ce.Path)
	above := n.below(ce.Path[:len(ce.Path)-1])
	if at == above && at.kind >= listKind { // the key is missing
		return false
	}
	return !at.holds(found)
}

// holds reports whether a finding lies in the value.
func (n *node) holds(found Diagnostics) bool {
	if n.broken {
		return true
	}
	for _, e := range n.entries {
		if e.place.among(found, 1) || e.value.holds(found) {
			return true
		}
	}
	for _, item := range n.items {
		if item.holds(found) {
			return true
		}
	}
	width := 1
	if n.kind < listKind {
		width = max(1, utf8.RuneCountInString(n.text))
		if !n.plain {
			width += 2 // its quotes
		}
	}
	return n.place.among(found, width)
}

// among reports whether a finding lies within width characters from p.
func (p place) among(found Diagnostics, width int) bool {
	return slices.ContainsFunc(found, func(d Diagnostic) bool {
		return d.File == p.src.name && d.Line == p.line && p.column <= d.Column && d.Column < p.column+width
	})
}

// validate keeps a panic of a plugin from the user.
func validate(check crawler.Validator) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the plugin failed while checking its configuration: %v", r)
		}
	}()
	return check.Validate()
}

// causes takes joined errors apart.
func causes(err error, depth int) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || depth > 8 {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, causes(e, depth+1)...)
	}
	return all
}

// pluginError shows a plugin's finding at the nearest place that its path
// names; a value that came from the environment is not repeated.
func (l *loader) pluginError(whole *node, path string, err error) {
	ce, ok := errors.AsType[*crawler.ConfigError](err)
	if !ok {
		l.foreign(whole.place, "", path+": "+err.Error())
		return
	}
	at := whole.below(ce.Path)
	for _, key := range ce.Path {
		path = join(path, key)
	}
	l.foreignValue(at, path, ce.Msg, ce.Hint)
}

// below follows keys and list positions as far as they lead. The place of the
// last value found is the answer; a missing key is shown at its mapping.
func (n *node) below(path []string) *node {
	for _, key := range path {
		switch n.kind {
		case mappingKind:
			e := n.get(key)
			if e == nil {
				return n
			}
			n = e.value
		case listKind:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(n.items) {
				return n
			}
			n = n.items[i]
		default:
			return n
		}
	}
	return n
}
