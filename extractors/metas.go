package extractors

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
)

// maxHead is how far into a page its meta elements are looked for.
const maxHead = 64 << 10

// Meta is one meta element with a name.
type Meta struct{ Name, Content string }

// Metas lists a page's meta elements that have a name, as they stand in its
// first 64 KiB up to the body. The page is not parsed for it. Pages that are not
// HTML have none.
func Metas(p *crawler.Page) []Meta {
	if !p.IsHTML() {
		return nil
	}
	var metas []Meta
	z := html.NewTokenizer(bytes.NewReader(p.Response.Body[:min(len(p.Response.Body), maxHead)]))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return metas
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch {
			case string(name) == "body":
				return metas
			case string(name) == "noscript":
				z.NextIsNotRawText()
			case string(name) == "meta" && more:
				if m := metaOf(z); m.Name != "" {
					metas = append(metas, m)
				}
			}
		}
	}
}

func metaOf(z *html.Tokenizer) (m Meta) {
	for {
		key, value, more := z.TagAttr()
		switch {
		case string(key) == "name" && m.Name == "":
			m.Name = strings.TrimSpace(string(value))
		case string(key) == "content" && m.Content == "":
			m.Content = string(value)
		}
		if !more {
			return m
		}
	}
}
