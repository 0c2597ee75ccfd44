package metadata

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// syntaxes say how to read each of extruct's answers, and ours.
var syntaxes = []struct {
	name      string // extruct's
	extractor crawler.Extractor
	theirs    func(any, facts)
	ours      func([]crawler.Field, facts)
}{
	{"json-ld", &JSONLD{}, theirJSONLD, ourThing},
	{"microdata", &Microdata{}, theirMicrodata, ourThing},
	{"rdfa", &RDFa{Untyped: true}, theirRDFa, ourThing},
	{"opengraph", &OpenGraph{}, theirOpenGraph, ourOpenGraph},
	{"microformat", &Microformats2{}, theirMicroformats, ourThing},
}

func ourThing(fields []crawler.Field, f facts) { f.thing(fields) }

func theirJSONLD(found any, f facts) {
	for _, v := range listed(found) {
		f.json(v)
	}
}

// json adds the facts of JSON-LD as it stands in a page.
func (f facts) json(v any) (kind string) {
	object, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	for _, v := range listed(object["@graph"]) {
		f.json(v)
	}
	kind = kindOf(object["@type"])
	if kind != "" {
		f.add(kind, "", "")
	}
	for name, values := range object {
		if strings.HasPrefix(name, "@") && name != "@id" {
			continue
		}
		for _, v := range listed(values) {
			if inner, ok := v.(map[string]any); ok {
				if id, ok := inner["@id"]; ok && len(inner) == 1 {
					v = id // or the thing itself: excused looks
				} else {
					v = "<" + f.json(inner) + ">"
				}
			}
			f.add(kind, item.Plain(name), v)
		}
	}
	return kind
}

func theirMicrodata(found any, f facts) {
	for _, v := range listed(found) {
		f.microdata(v)
	}
}

func (f facts) microdata(v any) (kind string) {
	object, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	kind = kindOf(object["type"])
	f.add(kind, "", "")
	if id, ok := object["id"]; ok {
		f.add(kind, "@id", id)
	}
	properties, _ := object["properties"].(map[string]any)
	for name, values := range properties {
		for _, v := range listed(values) {
			if inner, ok := v.(map[string]any); ok {
				v = "<" + f.microdata(inner) + ">"
			}
			f.add(kind, item.Plain(name), v)
		}
	}
	return kind
}

func theirRDFa(found any, f facts) {
	kinds := map[string]string{}
	for _, v := range listed(found) {
		if node, ok := v.(map[string]any); ok {
			kinds[fmt.Sprint(node["@id"])] = kindOf(node["@type"])
		}
	}
	for _, v := range listed(found) {
		node, _ := v.(map[string]any)
		kind := kindOf(node["@type"])
		for name, values := range node {
			if strings.HasPrefix(name, "@") {
				continue
			}
			for _, v := range listed(values) {
				if object, ok := v.(map[string]any); ok && object["@list"] != nil {
					for _, v := range listed(object["@list"]) {
						f.add(kind, item.Plain(name), rdfValue(v, kinds))
					}
					continue
				}
				f.add(kind, item.Plain(name), rdfValue(v, kinds))
			}
		}
		if node["@type"] != nil {
			f.add(kind, "", "")
		}
	}
}

func rdfValue(v any, kinds map[string]string) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if id, ok := object["@id"]; ok {
		if kind, described := kinds[fmt.Sprint(id)]; described {
			return "<" + kind + ">"
		}
		return id
	}
	return object["@value"]
}

func theirOpenGraph(found any, f facts) {
	for _, v := range listed(found) {
		page, _ := v.(map[string]any)
		for _, p := range listed(page["properties"]) {
			pair, _ := p.([]any)
			if len(pair) == 2 && strings.TrimSpace(fmt.Sprint(pair[1])) != "" {
				name := strings.ToLower(fmt.Sprint(pair[0]))
				f.add("", mediaName(strings.ReplaceAll(name, ":", "_")), pair[1])
			}
		}
	}
}

// mediaName is og_image for og_image_url too.
func mediaName(name string) string {
	switch name {
	case "og_image_url", "og_video_url", "og_audio_url":
		return strings.TrimSuffix(name, "_url")
	}
	return name
}

func ourOpenGraph(fields []crawler.Field, f facts) {
	lists := map[string]string{"images": "og_image", "videos": "og_video", "audios": "og_audio"}
	for _, field := range fields {
		for _, v := range listed(field.Value) {
			inner, nested := v.([]crawler.Field)
			prefix, isMedium := lists[field.Name]
			switch {
			case isMedium:
				for _, part := range inner {
					f.add("", mediaName(prefix+"_"+part.Name), part.Value)
				}
			case field.Name == "more":
				ourOpenGraph(inner, f)
			case nested:
				for _, part := range inner {
					for _, v := range listed(part.Value) {
						f.add("", field.Name+"_"+part.Name, v)
					}
				}
			default:
				f.add("", "og_"+field.Name, v)
			}
		}
	}
}

func theirMicroformats(found any, f facts) {
	for _, v := range listed(found) {
		f.microformat(v)
	}
}

func (f facts) microformat(v any) (kind string) {
	object, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	kind = kindOf(object["type"])
	f.add(kind, "", "")
	properties, _ := object["properties"].(map[string]any)
	all := map[string]any{"children": object["children"]}
	for name, values := range properties {
		all[name] = values
	}
	for name, values := range all {
		for _, v := range listed(values) {
			if inner, ok := v.(map[string]any); ok {
				if inner["type"] == nil { // HTML, or a picture
					for part, v := range inner {
						f.add("", part, v)
					}
					v = "<>"
				} else {
					v = "<" + f.microformat(inner) + ">"
				}
			}
			f.add(kind, name, v)
		}
	}
	return kind
}

// excused are the differences that are meant:
//   - addresses are absolute here, and relative to the base element; extruct
//     leaves those of JSON-LD and Open Graph as they stand and knows no base;
//   - microdata: a link without an address has no value;
//   - rdfa: the statement that a vocabulary is used, and the attribute role, which
//     is ARIA's, say nothing of a thing;
//   - rdfa: extruct takes the text of a time element that has a datetime, against
//     HTML+RDFa (section 3.1);
//   - json-ld: a reference is here the thing that it refers to, and what a context
//     in the page says of names is followed;
//   - opengraph: of a title that is there twice the first counts, as ogp.me has it,
//     and the unit px is not part of a number;
//   - microformat: the classes of style sheets are no types; addresses in HTML are
//     absolute here; the older formats imply no names, and those of reviews become
//     the names that h-review has.
func excused(page, syntax, fact string, ours facts) bool {
	parts := strings.SplitN(fact, " | ", 3)
	kind, name, value := parts[0], parts[1], parts[2]
	has := func(good func(string) bool) bool {
		for f := range ours {
			if rest, ok := strings.CutPrefix(f, kind+" | "+name+" | "); ok && good(rest) {
				return true
			}
		}
		return false
	}
	if has(func(v string) bool { return sameAddress(v, value) }) {
		return true
	}
	switch syntax {
	case "rdfa":
		return strings.HasSuffix(name, "rdfa#usesVocabulary") || strings.HasSuffix(name, "vocab#role") ||
			has(func(v string) bool { return day.MatchString(v) && !day.MatchString(value) })
	case "microdata":
		return name == "nohref"
	case "json-ld":
		return strings.HasSuffix(page, "/x-context.html") || has(func(v string) bool { return strings.HasPrefix(v, "<") })
	case "opengraph":
		return name == "og_title" && has(func(string) bool { return true }) || strings.HasSuffix(value, "px")
	case "microformat":
		return kind == "h-full" || name == "html" && has(func(string) bool { return true }) ||
			kind == "h-adr" && name == "name" || kind == "h-review" && oldNames[name]
	}
	return false
}

var oldNames = map[string]bool{"name": true, "reviewed": true, "description": true}

// sameAddress tells whether ours is an address that theirs may be relative to.
func sameAddress(ours, theirs string) bool {
	base, err := url.Parse(where)
	if err != nil || !strings.HasPrefix(ours, "https://") {
		return false
	}
	whole, err := base.Parse(theirs)
	return err == nil && whole.String() == ours || path.Base(ours) == path.Base("/"+theirs)
}

var day = regexp.MustCompile(`^\d{4}-\d\d-\d\d`)
