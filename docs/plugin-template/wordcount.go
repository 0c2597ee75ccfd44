// Package wordcount is a plugin to start from: it counts the words of an element
// of each page. Copy the folder, name the module and the plugin as you like.
package wordcount

import (
	"context"
	"strings"

	"github.com/andybalholm/cascadia"

	"github.com/amblecrawl/amble/extractors"
)

func init() {
	extractors.Register("wordcount", func() extractors.Extractor { return &Counter{CSS: "body"} })
}

// Counter is the plugin and its configuration: the keys of a crawl's rule are
// the struct's tags, which amble lint, schema and plugins read too.
type Counter struct {
	CSS  string `yaml:"css" default:"body" doc:"the element to count in"`
	Link bool   `yaml:"link" default:"false" doc:"follow the links of that element"`

	selector cascadia.Selector
}

// Validate is called once, before the first page. It is optional.
func (c *Counter) Validate() error {
	selector, err := cascadia.Compile(c.CSS)
	if err != nil {
		return &extractors.ConfigError{Path: []string{"css"}, Msg: err.Error(), Hint: "a CSS selector is expected"}
	}
	c.selector = selector
	return nil
}

// FieldNames are the columns of formats that have columns. It is optional.
func (c *Counter) FieldNames() []string { return []string{"title", "words"} }

// Extract reads one page. It is called for several pages at a time. The tree is
// shared with other extractors: read it, do not change it.
func (c *Counter) Extract(_ context.Context, page *extractors.Page, emit *extractors.Emitter) error {
	doc, err := page.Document()
	if err != nil {
		return err
	}
	found := doc.FindMatcher(c.selector).First()
	if found.Length() == 0 {
		return nil // this page has none: no record, no error
	}
	emit.Record(
		extractors.Field{Name: "title", Value: strings.TrimSpace(doc.Find("title").First().Text())},
		extractors.Field{Name: "words", Value: int64(len(strings.Fields(found.Text())))},
	)
	if !c.Link {
		return nil
	}
	for _, a := range found.Find("a[href]").EachIter() {
		if target, err := page.URL.Resolve(a.AttrOr("href", "")); err == nil {
			emit.Link(extractors.Link{URL: target})
		}
	}
	return nil
}
