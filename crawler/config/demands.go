package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/trust"
)

// RecordSchema is the JSON Schema of a record type: a file, or the schema itself.
type RecordSchema struct{ compiled *trust.Schema }

// decodeBlock reads and compiles the schema.
func (s *RecordSchema) decodeBlock(l *loader, n *node, path string) {
	switch {
	case n.broken || n.kind == nullKind:
	case n.kind == textKind && n.text != "":
		s.compiled = l.schemaFile(n, path)
	case n.kind == mappingKind:
		text, err := json.Marshal(plain(n))
		if err != nil {
			l.foreign(n.place, "", path+": "+err.Error())
			return
		}
		var wrong error
		s.compiled, wrong = trust.Compile(filepath.Join(l.dir, "schema"), text)
		for _, err := range causes(wrong, 0) {
			l.schemaError(n, path, err)
		}
	default:
		l.errorf(n.place, "name a file, or write the schema itself", "%s: want a JSON Schema; found %s", path, n)
	}
}

// schemaError shows a mistake at its place in a schema that the config holds.
func (l *loader) schemaError(n *node, path string, err error) {
	e, ok := errors.AsType[*trust.SchemaError](err)
	if !ok {
		l.foreign(n.place, "", path+": "+err.Error())
		return
	}
	for _, key := range e.Pointer {
		path = join(path, key)
	}
	l.foreignValue(n.below(e.Pointer), path, e.Msg, e.Hint)
}

// schemaFile compiles a schema that stands in a file; what is wrong with it is
// shown at its place there.
func (l *loader) schemaFile(n *node, path string) *trust.Schema {
	name := n.text
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.dir, name)
	}
	text, err := readSchema(name)
	if err != nil {
		l.foreign(n.place, "give the path of a JSON Schema, relative to the config", path+": cannot read the schema: "+cause(err))
		return nil
	}
	shown := name // as the config's own path is given
	if rel, err := filepath.Rel(l.dir, name); err == nil {
		shown = filepath.Join(filepath.Dir(l.root.place.src.name), rel)
	}
	l.schemas = append(l.schemas, string(text))
	src := newSource(shown, string(text))
	if line, column, msg, broken := trust.SyntaxPosition(text); broken {
		l.foreign(place{src, line, column}, "", path+": not JSON: "+msg)
		return nil
	}
	schema, wrong := trust.Compile(name, text)
	for _, err := range causes(wrong, 0) {
		at, hint := place{src, 1, 1}, ""
		if e, ok := errors.AsType[*trust.SchemaError](err); ok {
			at.line, at.column = trust.Position(text, e.Pointer)
			hint = e.Hint
		}
		l.foreign(at, hint, path+": "+err.Error())
	}
	return schema
}

func readSchema(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	return trust.ReadBounded(f)
}

// checkRequired looks for required fields that the extractor does not have.
func (l *loader) checkRequired(n *node, required []string, plugin crawler.Extractor, path string) {
	lister, ok := plugin.(crawler.FieldLister)
	if !ok {
		return
	}
	known := lister.FieldNames()
	if len(known) == 0 {
		return // only the pages tell
	}
	for i, name := range required {
		head, _, _ := strings.Cut(name, ".")
		if slices.Contains(known, name) || slices.Contains(known, head) {
			continue
		}
		hint := "there are " + strings.Join(known[:min(len(known), 20)], ", ")
		if near := nearest(name, known); near != "" {
			hint = "did you mean " + near + "?"
		}
		at := n.below([]string{"required"})
		if at.kind == listKind && i < len(at.items) {
			at = at.items[i]
		}
		l.errorf(at.place, hint, "%s.required: there is no field %s", path, short(name))
	}
}

// Demands are what is asked of records, by their type.
func (c *Config) Demands() map[string]*trust.Demand {
	demands := map[string]*trust.Demand{}
	for _, r := range c.Extract {
		if r.Schema != nil || len(r.Required) > 0 {
			demands[r.Type] = &trust.Demand{Schema: r.Schema, Required: r.Required}
		}
	}
	for i := range c.Queries {
		q := &c.Queries[i]
		if q.Schema.compiled == nil && len(q.Required) == 0 {
			continue
		}
		// Where pages give records of the type as well, both are asked for.
		d := demands[cmp.Or(q.Type, q.Name)]
		if d == nil {
			d = &trust.Demand{}
			demands[cmp.Or(q.Type, q.Name)] = d
		}
		d.Required = append(slices.Clone(d.Required), q.Required...)
		if d.Schema == nil {
			d.Schema = q.Schema.compiled
		}
	}
	return demands
}

// RejectsName is the name under which the position of the rejects is kept.
const RejectsName = "rejects"

// rejectsFile cannot be that of a record type, since none begins with _.
const rejectsFile = "_rejects.jsonl"

// checkRejects makes the sink of the rejects, where there is something to
// extract.
func (l *loader) checkRejects(c *Config) {
	n := l.at("rejects")
	if !c.yields() && c.Rejects == "" {
		return
	}
	if c.Rejects == "" {
		if l.given("rejects") && n.kind == textKind && !n.broken {
			l.errorf(n.place, "remove the key for "+rejectsFile+" beside the records", "rejects: no path is given")
		}
		c.Rejects = filepath.Join(l.recordsFolder(c), rejectsFile)
		n = &node{kind: textKind, text: c.Rejects, place: l.root.place}
	}
	sink, ok := crawler.Sinks.New("jsonl")
	if !ok {
		return
	}
	before := len(l.found)
	l.decodePlugin(n, sink, "rejects", nil)
	if !l.found[before:].Failed() && n.kind == textKind {
		for _, m := range placeholder.FindAllString(n.text, -1) {
			if !slices.Contains(placeholders, m) {
				l.unknownPlaceholder(n, m, placeholders)
			}
		}
	}
	if lazy, ok := sink.(interface{ OnDemand() }); ok {
		lazy.OnDemand()
	}
	c.rejects = sink
	for i := range c.Output {
		for _, dest := range destinations(c.Output[i].Sink) {
			if dest != "" && filepath.Clean(dest) == filepath.Clean(c.Rejects) && !n.broken {
				l.errorf(n.place, "give them a file of their own", "rejects: the path is that of an output")
			}
		}
	}
}

// recordsFolder is the folder of the first output that writes files.
func (l *loader) recordsFolder(c *Config) string {
	for i := range c.Output {
		for _, dest := range destinations(c.Output[i].Sink) {
			fixed, _, _ := strings.Cut(dest, "{")
			if filepath.IsAbs(fixed) && !strings.HasPrefix(fixed, "/dev/") {
				return filepath.Dir(fixed + "x")
			}
		}
	}
	return filepath.Join(l.dir, "out")
}

// RejectsSink takes the records that are not written with the others; ok is
// false where there can be none.
func (c *Config) RejectsSink() (sink crawler.NamedSink, ok bool) {
	return crawler.NamedSink{Name: RejectsName, Sink: c.rejects, Rejects: true}, c.rejects != nil
}

// AllSinks are the sinks of the output, that of the rejects among them.
func (c *Config) AllSinks() []crawler.NamedSink {
	sinks := c.Sinks()
	if rejects, ok := c.RejectsSink(); ok {
		sinks = append(sinks, rejects)
	}
	return sinks
}
