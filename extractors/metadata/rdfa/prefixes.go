package rdfa

import (
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// initial are prefixes that a page need not declare: those of the initial context
// (https://www.w3.org/2011/rdfa-context/rdfa-1.1), and those of Open Graph and
// Twitter cards, which nobody declares.
var initial = map[string]string{
	"article": "http://ogp.me/ns/article#",
	"as":      "https://www.w3.org/ns/activitystreams#",
	"book":    "http://ogp.me/ns/book#",
	"cc":      "http://creativecommons.org/ns#",
	"ctag":    "http://commontag.org/ns#",
	"dc":      "http://purl.org/dc/terms/",
	"dc11":    "http://purl.org/dc/elements/1.1/",
	"dcat":    "http://www.w3.org/ns/dcat#",
	"dcterms": "http://purl.org/dc/terms/",
	"fb":      "http://ogp.me/ns/fb#",
	"foaf":    "http://xmlns.com/foaf/0.1/",
	"gr":      "http://purl.org/goodrelations/v1#",
	"ical":    "http://www.w3.org/2002/12/cal/icaltzd#",
	"music":   "http://ogp.me/ns/music#",
	"og":      "http://ogp.me/ns#",
	"org":     "http://www.w3.org/ns/org#",
	"owl":     "http://www.w3.org/2002/07/owl#",
	"profile": "http://ogp.me/ns/profile#",
	"prov":    "http://www.w3.org/ns/prov#",
	"qb":      "http://purl.org/linked-data/cube#",
	"rdf":     "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
	"rdfa":    "http://www.w3.org/ns/rdfa#",
	"rdfs":    "http://www.w3.org/2000/01/rdf-schema#",
	"rev":     "http://purl.org/stuff/rev#",
	"schema":  "http://schema.org/",
	"sioc":    "http://rdfs.org/sioc/ns#",
	"skos":    "http://www.w3.org/2004/02/skos/core#",
	"twitter": "https://dev.twitter.com/cards#",
	"v":       "http://rdf.data-vocabulary.org/#",
	"vcard":   "http://www.w3.org/2006/vcard/ns#",
	"video":   "http://ogp.me/ns/video#",
	"void":    "http://rdfs.org/ns/void#",
	"wdr":     "http://www.w3.org/2007/05/powder#",
	"wdrs":    "http://www.w3.org/2007/05/powder-s#",
	"xhv":     "http://www.w3.org/1999/xhtml/vocab#",
	"xml":     "http://www.w3.org/XML/1998/namespace",
	"xsd":     "http://www.w3.org/2001/XMLSchema#",
}

// initialTerms are the terms that need no vocabulary.
var initialTerms = map[string]string{
	"describedby": "http://www.w3.org/2007/05/powder-s#describedby",
	"license":     "http://www.w3.org/1999/xhtml/vocab#license",
	"role":        "http://www.w3.org/1999/xhtml/vocab#role",
}

// maxPrefixes bounds those in force at a place.
const maxPrefixes = 200

// names are the vocabulary and prefixes in force.
type names struct {
	vocab    string
	prefixes map[string]string // beside the initial ones; never changed once made
}

// declare adds the mappings of a prefix attribute.
func (n *names) declare(attr string) {
	words := strings.Fields(attr)
	if len(words) < 2 {
		return
	}
	prefixes := make(map[string]string, len(n.prefixes)+len(words)/2)
	for k, v := range n.prefixes {
		prefixes[k] = v
	}
	for i := 0; i+1 < len(words) && len(prefixes) < maxPrefixes; i += 2 {
		name, ok := strings.CutSuffix(words[i], ":")
		if !ok {
			i-- // a stray word
			continue
		}
		if name != "_" && name != "" {
			prefixes[strings.ToLower(name)] = words[i+1]
		}
	}
	n.prefixes = prefixes
}

// curie expands prefix:reference where the prefix is known.
func (n *names) curie(text string) (string, bool) {
	prefix, rest, ok := strings.Cut(text, ":")
	if !ok || strings.HasPrefix(rest, "//") {
		return "", false
	}
	if prefix == "_" {
		return text, true
	}
	prefix = strings.ToLower(prefix)
	to, ok := n.prefixes[prefix]
	if !ok {
		to, ok = initial[prefix]
	}
	return to + rest, ok
}

// term is a name of typeof, property, rel, rev or datatype; "" where it means
// nothing.
func (n *names) term(text string) string {
	if strings.Contains(text, ":") {
		if iri, ok := n.curie(text); ok {
			return iri
		}
		return text
	}
	if n.vocab != "" {
		return n.vocab + text
	}
	return initialTerms[strings.ToLower(text)]
}

// terms are those of an attribute, by their plain names.
func (n *names) terms(attr string) []string {
	var out []string
	for word := range strings.FieldsSeq(attr) {
		if t := n.term(word); t != "" {
			out = append(out, item.Plain(t))
		}
	}
	return out
}

// resource is the value of about or resource: a CURIE, in brackets or not, or an
// address.
func (n *names) resource(text string, base urls.URL) string {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "["); ok {
		iri, ok := n.curie(strings.TrimSuffix(inner, "]"))
		if !ok {
			return ""
		}
		return iri
	}
	if iri, ok := n.curie(text); ok {
		return iri
	}
	return item.Absolute(base, text)
}
