package survey

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Data is structured data of one syntax on a page.
type Data struct {
	Syntax string   // jsonld, microdata, rdfa, microformats2 or opengraph
	Types  []string // what it is about, as written there without the vocabulary
}

// Structured tells the structured data of a page, the syntaxes that say most
// first.
func Structured(root *html.Node) []Data {
	w := &work{left: maxSteps}
	found := map[string]*Data{}
	var order []string
	note := func(syntax string, types ...string) {
		d := found[syntax]
		if d == nil {
			d = &Data{Syntax: syntax}
			found[syntax] = d
			order = append(order, syntax)
		}
		for _, t := range types {
			t = strings.TrimRight(t, "/#")
			t = t[strings.LastIndexAny(t, "/#:")+1:]
			if t != "" && len(d.Types) < 20 && !slices.Contains(d.Types, t) {
				d.Types = append(d.Types, t)
			}
		}
	}
	for n := root; n != nil; n = nextNode(n, root) {
		if w.step(1) != nil {
			break
		}
		if n.Type != html.ElementNode {
			continue
		}
		switch {
		case n.DataAtom == atom.Script && strings.EqualFold(attr(n, "type"), "application/ld+json"):
			note("jsonld", ldTypes(n)...)
		case n.DataAtom == atom.Meta && strings.HasPrefix(attr(n, "property"), "og:"):
			note("opengraph")
			if attr(n, "property") == "og:type" {
				note("opengraph", attr(n, "content"))
			}
		case attr(n, "itemtype") != "":
			note("microdata", strings.Fields(attr(n, "itemtype"))...)
		case attr(n, "typeof") != "":
			note("rdfa", strings.Fields(attr(n, "typeof"))...)
		case strings.Contains(attr(n, "class"), "h-"):
			for c := range strings.FieldsSeq(attr(n, "class")) {
				if kind, ok := strings.CutPrefix(c, "h-"); ok && slices.Contains([]string{"entry", "card", "event", "product", "review", "recipe", "feed", "item"}, kind) {
					note("microformats2", kind)
				}
			}
		}
	}
	var out []Data
	for _, syntax := range []string{"jsonld", "microdata", "rdfa", "microformats2", "opengraph"} {
		if slices.Contains(order, syntax) {
			out = append(out, *found[syntax])
		}
	}
	return out
}

func nextNode(n, root *html.Node) *html.Node {
	if n.FirstChild != nil {
		return n.FirstChild
	}
	for n != root && n.NextSibling == nil {
		n = n.Parent
	}
	if n == root {
		return nil
	}
	return n.NextSibling
}

// maxIsland is the largest JSON that is looked into.
const maxIsland = 4 << 20

// ldTypes are the types of the outermost things in a script of JSON-LD.
func ldTypes(script *html.Node) []string {
	if script.FirstChild == nil || len(script.FirstChild.Data) > maxIsland {
		return nil
	}
	var v any
	if json.Unmarshal([]byte(script.FirstChild.Data), &v) != nil {
		return nil
	}
	var out []string
	var look func(v any, depth int)
	look = func(v any, depth int) {
		if depth > 3 || len(out) > 50 {
			return
		}
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				look(x, depth+1)
			}
		case map[string]any:
			switch t := v["@type"].(type) {
			case string:
				out = append(out, t)
			case []any:
				for _, x := range t {
					if s, ok := x.(string); ok {
						out = append(out, s)
					}
				}
			}
			look(v["@graph"], depth+1)
		}
	}
	look(v, 0)
	return out
}

// Table is a table of data.
type Table struct {
	CSS     string
	Caption string
	Columns []string
	Rows    int
}

// Tables are the tables of a page that have a row of headers and two rows or
// more below.
func Tables(root *html.Node) []Table {
	w := &work{left: maxSteps}
	var out []Table
	w.below(root, func(n *html.Node) bool {
		if n.DataAtom != atom.Table || len(out) == 20 {
			return true
		}
		t := Table{CSS: tableSelector(n)}
		w.below(n, func(c *html.Node) bool {
			switch c.DataAtom {
			case atom.Caption:
				t.Caption = w.text(c)
			case atom.Tr:
				w.row(c, &t)
				return false
			}
			return true
		})
		if len(t.Columns) > 1 && t.Rows > 1 && t.CSS != "" && attr(n, "role") != "presentation" {
			out = append(out, t)
		}
		return true
	})
	return out
}

// row counts a row of a table, or takes the names of the columns from it.
func (w *work) row(tr *html.Node, t *Table) {
	var heads []string
	cells := 0
	for c := tr.FirstChild; c != nil; c = c.NextSibling {
		switch c.DataAtom {
		case atom.Th:
			heads = append(heads, w.text(c))
		case atom.Td:
			cells++
		}
	}
	switch {
	case cells > 0:
		t.Rows++
	case t.Columns == nil && len(heads) > 1:
		t.Columns = heads
	}
}

func tableSelector(n *html.Node) string {
	if h := handle(n); h != "" {
		return "table" + h
	}
	for up := n.Parent; up != nil; up = up.Parent {
		if h := handle(up); h != "" && h != "body" {
			return h + " table"
		}
	}
	return "table"
}

// List is a list of objects in a JSON document.
type List struct {
	Path   string   // JSONPath of its elements
	Fields []string // names that most of them have and whose values are no objects
	Count  int
	Next   string // JSONPath of the address of the next page, "" for none
	Name   string // of the member that holds it
}

// JSON finds the largest list of objects in a JSON document. ok is false when it
// has none.
func JSON(body []byte) (list List, ok bool) {
	if len(body) > maxIsland {
		return List{}, false
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return List{}, false
	}
	findList(v, "$", "", 0, &list)
	if list.Count == 0 {
		return List{}, false
	}
	if top, isObject := v.(map[string]any); isObject {
		list.Next = nextPath(top)
	}
	return list, true
}

// isPlain reports whether a path can name a member without quotes. JSONPath's reader
// takes the three words for values.
func isPlain(member string) bool {
	return plainMember.MatchString(member) && member != "true" && member != "false" && member != "null"
}

func findList(v any, path, name string, depth int, best *List) {
	if depth > 12 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if isPlain(k) {
				findList(v[k], path+"."+k, k, depth+1, best)
			}
		}
	case []any:
		fields := memberNames(v)
		if weight := len(v) * len(fields); weight > best.Count*len(best.Fields) {
			*best = List{Path: path + "[*]", Fields: fields, Count: len(v), Name: name}
		}
	}
}

// memberNames are the members that most objects of a list have, in no order of
// the document: it does not keep one.
func memberNames(list []any) []string {
	counts := map[string]int{}
	objects := 0
	for _, x := range list[:min(len(list), 50)] {
		o, ok := x.(map[string]any)
		if !ok {
			continue
		}
		objects++
		for k, v := range o {
			if _, nested := v.(map[string]any); !nested && isPlain(k) {
				counts[k]++
			}
		}
	}
	var names []string
	for k, n := range counts {
		if n*2 >= objects && objects > 0 {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxFields)]
}

// nextPath is where an answer of an API has the address of its next page.
func nextPath(top map[string]any) string {
	for _, k := range []string{"next", "next_page", "nextPage", "next_url", "nextUrl"} {
		if v, ok := top[k]; ok {
			if s, text := v.(string); text && strings.ContainsAny(s, "/?") || v == nil {
				return "$." + k
			}
		}
	}
	for _, box := range []string{"links", "_links", "paging", "pagination", "meta"} {
		inner, ok := top[box].(map[string]any)
		if !ok {
			continue
		}
		switch next := inner["next"].(type) {
		case string:
			return "$." + box + ".next"
		case map[string]any:
			if _, ok := next["href"].(string); ok {
				return "$." + box + ".next.href"
			}
		}
	}
	return ""
}

// Island is a script of a page that holds JSON.
type Island struct {
	CSS string
	List
}

// Islands are the scripts of JSON that hold a list of objects.
func Islands(root *html.Node) []Island {
	var out []Island
	for n := root; n != nil && len(out) < 5; n = nextNode(n, root) {
		id := attr(n, "id")
		if n.DataAtom != atom.Script || n.FirstChild == nil || !plainName.MatchString(id) || !strings.HasSuffix(strings.ToLower(attr(n, "type")), "json") {
			continue
		}
		if list, ok := JSON([]byte(n.FirstChild.Data)); ok {
			out = append(out, Island{"#" + id, list})
		}
	}
	return out
}
