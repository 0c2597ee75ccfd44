package rdfa

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// element is what one element says, by its attributes.
type element struct {
	names
	base                   urls.URL
	attr                   map[string]string // those present
	rel, rev               []string          // as names
	hasRel                 bool              // rel or rev counts
	typeof                 string
	hasTypeof, atTop       bool
	subject, object, typed string
	resource, about        string // what the attributes point to, "" without them
}

var attributeNames = []string{"vocab", "prefix", "typeof", "property", "resource", "about", "rel", "rev", "href", "src", "content", "datatype", "datetime", "inlist"}

// attributes reads those of RDFa, steps 1 to 3.
func (g *graph) attributes(n *html.Node, c *context) *element {
	e := &element{names: c.names, base: g.base, attr: map[string]string{}}
	for _, name := range attributeNames {
		if v, ok := values.Attribute(n, name); ok {
			e.attr[name] = v
		}
	}
	if vocab, ok := e.attr["vocab"]; ok {
		e.vocab = strings.TrimSpace(vocab)
	}
	var prefixes strings.Builder
	for i := range n.Attr {
		if name, ok := strings.CutPrefix(n.Attr[i].Key, "xmlns:"); ok {
			prefixes.WriteString(name + ": " + strings.TrimSpace(n.Attr[i].Val) + " ")
		}
	}
	e.declare(prefixes.String() + e.attr["prefix"])
	e.typeof, e.hasTypeof = e.attr["typeof"]
	e.atTop = n.DataAtom == atom.Head || n.DataAtom == atom.Body
	if about, ok := e.attr["about"]; ok {
		e.about = e.names.resource(about, e.base)
	}
	if v, ok := e.attr["resource"]; ok {
		e.resource = e.names.resource(v, e.base)
	}
	if e.resource == "" {
		for _, name := range []string{"href", "src"} {
			if v, ok := e.attr[name]; ok && e.resource == "" {
				e.resource = item.Absolute(e.base, v)
			}
		}
	}
	e.relations()
	return e
}

// relations reads rel and rev. Beside property, the link types of HTML, which are
// neither CURIE nor address, do not count (HTML+RDFa, section 3.1).
func (e *element) relations() {
	_, hasProperty := e.attr["property"]
	read := func(key string) []string {
		var names []string
		for word := range strings.FieldsSeq(e.attr[key]) {
			if hasProperty && !strings.Contains(word, ":") {
				continue
			}
			names = append(names, e.terms(word)...)
		}
		return names
	}
	e.rel, e.rev = read("rel"), read("rev")
	e.hasRel = len(e.rel) > 0 || len(e.rev) > 0
	if !hasProperty {
		_, rel := e.attr["rel"]
		_, rev := e.attr["rev"]
		e.hasRel = rel || rev
	}
}

func (e *element) has(name string) bool { _, ok := e.attr[name]; return ok }

// subjects finds what the element is about, steps 5 and 6. It is true for an
// element that says nothing of its own.
func (e *element) subjects(g *graph, c *context, root bool) (skip bool) {
	parent := c.object
	switch {
	case e.hasRel:
		e.subject = or(e.about, parent)
		e.object = e.resource
		if e.hasTypeof {
			if e.about != "" {
				e.typed = e.about
			} else {
				e.object = or(e.object, g.blank())
				e.typed = e.object
			}
		}
	case e.has("property") && !e.has("content") && !e.has("datatype"):
		e.subject = or(e.about, parent)
		if e.hasTypeof {
			e.typed = e.about
			if e.typed == "" && root {
				e.typed = parent
			}
			e.typed = or(e.typed, e.resource)
			if e.typed == "" {
				e.typed = g.blank()
			}
			e.object = e.typed
		}
	default:
		e.subject = or(e.about, e.resource)
		switch {
		case e.subject != "":
		case root || e.atTop:
			e.subject = parent
		case e.hasTypeof:
			e.subject = g.blank()
		default:
			e.subject = parent
			skip = !e.has("property")
		}
		if e.hasTypeof {
			e.typed = e.subject
		}
	}
	return skip
}

// arcs says what rel and rev do, steps 9 and 10.
func (e *element) arcs(g *graph, inner *context) {
	if !e.hasRel {
		return
	}
	complete := e.object != ""
	for _, name := range e.rel {
		switch {
		case e.has("inlist") && complete:
			list := inner.lists.of(name)
			*list = append(*list, item.Ref(e.object))
		case e.has("inlist"):
			inner.incomplete = append(inner.incomplete, arc{name: name, list: inner.lists.of(name)})
		case complete:
			g.say(e.subject, name, item.Ref(e.object))
		default:
			inner.incomplete = append(inner.incomplete, arc{name: name, forward: true})
		}
	}
	for _, name := range e.rev {
		if complete {
			g.say(e.object, name, item.Ref(e.subject))
		} else {
			inner.incomplete = append(inner.incomplete, arc{name: name})
		}
	}
	if !complete && len(e.rel)+len(e.rev) > 0 {
		e.object = g.blank()
	}
}

// property says what the attribute property does, step 11.
func (e *element) property(g *graph, n *html.Node, l *lists) error {
	names := e.terms(e.attr["property"])
	if len(names) == 0 {
		return nil
	}
	value, err := e.value(g, n)
	if err != nil {
		return err
	}
	for _, name := range names {
		if e.has("inlist") {
			list := l.of(name)
			*list = append(*list, value)
		} else {
			g.say(e.subject, name, value)
		}
	}
	return nil
}

func (e *element) value(g *graph, n *html.Node) (any, error) {
	datatype := ""
	if words := e.terms(e.attr["datatype"]); len(words) > 0 {
		datatype = words[0]
	}
	switch {
	case strings.HasSuffix(datatype, "rdf-syntax-ns#XMLLiteral"), strings.HasSuffix(datatype, "rdf-syntax-ns#HTML"):
		return g.budget.Keep(values.InnerHTML(n))
	case e.has("content"):
		return strings.TrimSpace(e.attr["content"]), nil
	case e.has("datetime"):
		return strings.TrimSpace(e.attr["datetime"]), nil
	case e.has("datatype"):
		return text(n, g.budget)
	case !e.hasRel && e.resource != "":
		return item.Ref(e.resource), nil
	case e.hasTypeof && e.about == "":
		return item.Ref(e.typed), nil
	}
	return text(n, g.budget)
}
