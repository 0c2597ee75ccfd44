package config

import (
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// decodeBlock reads sinks: one-key mappings, or one mapping of them.
func (o *Outputs) decodeBlock(l *loader, n *node, path string) {
	items := []*node{n}
	switch n.kind {
	case nullKind:
		items = nil
	case listKind:
		items = n.items
	}
	for i, item := range items {
		at := path
		if n.kind == listKind {
			at = join(path, strconv.Itoa(i))
		}
		if item.kind == mappingKind && (len(item.entries) == 1 || n.kind == mappingKind) {
			for _, e := range item.entries {
				l.sink(o, e, join(at, e.key))
			}
			continue
		}
		hint := "write - jsonl: out/{type}.jsonl"
		if item.kind == mappingKind && len(item.entries) > 1 {
			hint = "begin each sink with a dash of its own, and indent its options below it"
		}
		l.errorf(item.place, hint, "%s: want one sink; found %s", at, item)
	}
}

func (l *loader) sink(o *Outputs, e entry, path string) {
	sink, ok := crawler.Sinks.New(e.key)
	if !ok {
		l.unknownPlugin(e.place, section(path), crawler.Sinks.Kind(), e.key, crawler.Sinks.IDs())
		return
	}
	before := len(l.found)
	l.decodePlugin(orEmpty(e.value), sink, path, nil)
	if !l.found[before:].Failed() {
		l.checkPlaceholders(sink, e.value)
		l.checkSecrets(sink, e.value, path)
	}
	l.checkPlugin(sink, e.value, path, before)
	*o = append(*o, Output{Name: e.key, Plugin: e.key, Sink: sink})
	l.sinks = append(l.sinks, e)
}

// checkSecrets reports secrets of a sink that stand in the file.
func (l *loader) checkSecrets(sink any, whole *node, path string) {
	own, ok := sink.(interface{ Secrets() []string })
	if !ok || whole == nil || whole.kind != mappingKind {
		return
	}
	for _, key := range own.Secrets() {
		if e := whole.get(key); e != nil && e.value.kind == textKind && e.value.text != "" && !e.value.secret() {
			l.errorf(e.value.place, "write ${NAME} and set that variable", "%s.%s: a secret stands in the file", path, key)
		}
	}
}

// destinations are the values of a plugin's path fields.
func destinations(plugin any) map[string]string {
	v := reflect.ValueOf(plugin)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	found := map[string]string{}
	for _, f := range shapeOf(v.Elem().Type()).fields {
		if f.path && f.typ.Kind() == reflect.String {
			found[f.name] = v.Elem().FieldByIndex(f.index).String()
		}
	}
	return found
}

var (
	placeholder  = regexp.MustCompile(`\{[^{}]*\}?`)
	placeholders = []string{"{type}", "{run}", "{date}"}
)

// checkOutputs also puts the default output in its place and names the sinks.
func (l *loader) checkOutputs(c *Config) {
	switch {
	case len(c.Output) > 0 || !c.yields():
	case l.given("output"):
		if !l.report.found.Failed() {
			l.warnf(l.at("output").place, "remove the key for out/{type}.jsonl", "records are extracted and go nowhere")
		}
	default:
		l.defaultOutput(c)
	}
	taken := map[string]int{}
	defer c.Output.distinguish()
	for i := range c.Output {
		o := &c.Output[i]
		dests := destinations(o.Sink)
		if own, ok := o.Sink.(interface{ Destination() (key, place string) }); ok { // which is no path
			if key, place := own.Destination(); place != "" {
				l.take(taken, i, key, place)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(dests)) {
			dest := dests[key]
			if dest == "" {
				continue
			}
			o.Name = o.Plugin + ":" + l.relative(dest)
			l.take(taken, i, key, filepath.Clean(dest))
		}
	}
}

// take reports a place that another sink writes to.
func (l *loader) take(taken map[string]int, i int, key, place string) {
	n := l.sinkNode(i, key)
	if first, twice := taken[place]; twice && n != nil {
		l.errorf(n.place, "give each sink its own", "output: the path is that of the %s in line %d", l.sinks[first].key, l.sinks[first].place.line)
		return
	}
	taken[place] = i
}

// distinguish numbers outputs that have no file to be told apart by, such as two
// databases, in their order.
func (o Outputs) distinguish() {
	seen := map[string]int{}
	for i := range o {
		name := o[i].Name
		if seen[name]++; seen[name] > 1 {
			o[i].Name = name + ":" + strconv.Itoa(seen[name])
		}
	}
}

// relative is a path below the config's folder as the config would name it,
// so that a moved folder keeps its names.
func (l *loader) relative(path string) string {
	if rel, err := filepath.Rel(l.dir, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

// sinkNode is the value that gave a sink its path, nil for a default.
func (l *loader) sinkNode(i int, key string) *node {
	if i >= len(l.sinks) {
		return nil
	}
	return l.sinks[i].value.below([]string{key})
}

// checkPlaceholders reports braces in a sink's paths that stand for nothing.
func (l *loader) checkPlaceholders(sink any, whole *node) {
	var more []string
	if own, ok := sink.(interface{ Placeholders() []string }); ok { // beside the usual ones
		more = own.Placeholders()
	}
	known := append(slices.Clone(placeholders), more...)
	for _, key := range slices.Sorted(maps.Keys(destinations(sink))) {
		n := whole.below([]string{key})
		if n.kind != textKind {
			continue
		}
		for _, m := range placeholder.FindAllString(n.text, -1) {
			if !slices.Contains(known, m) {
				l.unknownPlaceholder(n, m, known)
			}
		}
	}
}

func (l *loader) unknownPlaceholder(n *node, found string, known []string) {
	last := len(known) - 1
	hint := "there are " + strings.Join(known[:last], ", ") + " and " + known[last]
	if n.secret() {
		l.errorf(n.place, hint, "output: unknown placeholder in %s", n)
		return
	}
	if near := nearest(found, known); near != "" {
		hint = "did you mean " + near + "?"
	}
	l.errorf(n.at(n.text, strings.Index(n.text, found)), hint, "output: unknown placeholder %s", short(found))
}

// defaultOutput writes JSON lines beside the config.
func (l *loader) defaultOutput(c *Config) {
	sink, ok := crawler.Sinks.New("jsonl")
	if !ok {
		return
	}
	path := &node{kind: textKind, text: "out/{type}.jsonl", place: l.root.place}
	l.decodePlugin(path, sink, "output.jsonl", nil)
	c.Output = Outputs{{Name: "jsonl", Plugin: "jsonl", Sink: sink}}
}
