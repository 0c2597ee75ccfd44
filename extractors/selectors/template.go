package selectors

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/query"
)

// template is a text with places for values: {{name}}.
type template struct {
	text  string
	names []string
}

var placeholder = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// theLink is the name of what the selector of a link rule finds.
const theLink = "link"

// template compiles a text whose places take one of the names.
func (c *compiler) template(text string, names []string, path ...string) template {
	t := template{text: text}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			hint := "add it to carry"
			if m[1] == theLink {
				hint = "add a selector"
			}
			c.wrong.add(hint, fmt.Sprintf("there is no value for {{%s}}", m[1]), path...)
		}
		t.names = append(t.names, m[1])
	}
	return t
}

// fill puts the values in their places, each escaped; missing names one that is not
// there.
func (t *template) fill(link string, carry []crawler.Field, escape func(string) string) (text, missing string) {
	if len(t.names) == 0 {
		return t.text, ""
	}
	text = placeholder.ReplaceAllStringFunc(t.text, func(place string) string {
		name := placeholder.FindStringSubmatch(place)[1]
		value, ok := link, link != ""
		if name != theLink {
			value, ok = carriedText(carry, name)
		}
		if !ok {
			missing = name
		}
		return escape(value)
	})
	return text, missing
}

func carriedText(carry []crawler.Field, name string) (string, bool) {
	i := slices.IndexFunc(carry, func(f crawler.Field) bool { return f.Name == name })
	if i < 0 {
		return "", false
	}
	return query.Scalar(carry[i].Value)
}

// Ways to escape a value for where it goes.
func escapeURL(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func escapeJSON(s string) string {
	b, _ := json.Marshal(s) // a string always is JSON
	return string(b[1 : len(b)-1])
}

func escapeHeader(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
