package article

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/extractors/values"
)

// The bounds of the JSON-LD that is read of one page.
const (
	maxLinkedData   = 2 << 20 // bytes
	maxLinkedDepth  = 20
	maxLinkedValues = 20_000
)

// object is one of JSON-LD.
type object = map[string]any

// linkedData is an article in JSON-LD with the objects that it may refer to.
type linkedData struct {
	article object
	byID    map[string]object
}

// linkedData is the first object of a page whose type is that of an article, or
// nil. Members of an object are looked at by their names' order, since they have
// none of their own.
func (s *sight) linkedData() *linkedData {
	search := &search{byID: make(map[string]object), left: maxLinkedValues}
	room := maxLinkedData
	for _, text := range s.scripts {
		if room -= len(text); room < 0 {
			break
		}
		var v any
		if json.Unmarshal([]byte(text), &v) != nil &&
			json.Unmarshal(values.RelaxJSON([]byte(text)), &v) != nil {
			continue
		}
		search.look(v, 0)
	}
	if search.article == nil {
		return nil
	}
	return &linkedData{article: search.article, byID: search.byID}
}

type search struct {
	article object
	byID    map[string]object
	left    int
}

func (s *search) look(v any, depth int) {
	if s.left--; s.left < 0 || depth > maxLinkedDepth {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			s.look(item, depth+1)
		}
	case object:
		if id, ok := v["@id"].(string); ok && len(v) > 1 && s.byID[id] == nil {
			s.byID[id] = v
		}
		if s.article == nil && isArticleType(v["@type"]) {
			s.article = v
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			s.look(v[key], depth+1)
		}
	}
}

// isArticleType tells the types of schema.org under Article, by their names.
func isArticleType(t any) bool {
	switch t := t.(type) {
	case string:
		return strings.HasSuffix(t, "Article") || strings.HasSuffix(t, "Posting") && !strings.HasSuffix(t, "JobPosting") ||
			strings.HasSuffix(t, "Report") || strings.HasSuffix(t, "NewsAnalysis")
	case []any:
		return slices.ContainsFunc(t, isArticleType)
	}
	return false
}

func (m *metadata) fromLinkedData(a *linkedData) {
	get := func(key string) string { return a.text(a.article[key], 0) }
	first(&m.title, get("headline"), get("name"))
	first(&m.description, get("description"))
	first(&m.published, date(get("datePublished")), date(get("dateCreated")))
	first(&m.modified, date(get("dateModified")))
	first(&m.site, a.name(a.article["publisher"]))
	first(&m.image, address(m.base, a.image(a.article["image"], 0)))
	if language := get("inLanguage"); !strings.Contains(language, " ") {
		first(&m.language, language)
	}
	m.authors = names(a.names(a.article["author"], 0)...)
	if len(m.authors) == 0 {
		m.authors = names(a.names(a.article["creator"], 0)...)
	}
	m.body = plain(get("articleBody"))
}

// resolved follows a reference to another object of the page, once.
func (a *linkedData) resolved(v any) any {
	if o, ok := v.(object); ok && len(o) == 1 {
		if id, ok := o["@id"].(string); ok && a.byID[id] != nil {
			return a.byID[id]
		}
	}
	return v
}

// text is the first text of a value. Texts are often escaped as if they were HTML.
func (a *linkedData) text(v any, depth int) string {
	switch v := a.resolved(v).(type) {
	case string:
		return values.Fold(html.UnescapeString(v))
	case []any:
		for _, item := range v {
			if s := a.text(item, depth+1); s != "" && depth < maxLinkedDepth {
				return s
			}
		}
	case object:
		if depth < maxLinkedDepth {
			return a.text(v["@value"], depth+1)
		}
	}
	return ""
}

// name is what a person or organisation is called.
func (a *linkedData) name(v any) string {
	if list := a.names(v, 0); len(list) > 0 {
		return list[0]
	}
	return ""
}

func (a *linkedData) names(v any, depth int) []string {
	if depth > maxLinkedDepth {
		return nil
	}
	switch v := a.resolved(v).(type) {
	case string:
		return []string{a.text(v, depth)}
	case []any:
		var out []string
		for _, item := range v[:min(len(v), maxAuthors)] {
			out = append(out, a.names(item, depth+1)...)
		}
		return out
	case object:
		if name := a.text(v["name"], depth+1); name != "" {
			return []string{name}
		}
		whole := strings.TrimSpace(a.text(v["givenName"], depth+1) + " " + a.text(v["familyName"], depth+1))
		if whole != "" {
			return []string{whole}
		}
	}
	return nil
}

// image is the address of the first image of a value.
func (a *linkedData) image(v any, depth int) string {
	if depth > maxLinkedDepth {
		return ""
	}
	switch v := a.resolved(v).(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			return a.image(v[0], depth+1)
		}
	case object:
		if url := a.text(v["url"], depth+1); url != "" {
			return url
		}
		return a.text(v["contentUrl"], depth+1)
	}
	return ""
}

// plain is a text that may be marked up as HTML.
func plain(text string) string {
	if !strings.Contains(text, "</") {
		return text
	}
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return text
	}
	text, _ = values.Text(root, nil)
	return text
}
