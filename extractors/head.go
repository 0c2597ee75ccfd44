package extractors

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// maxHead is how far into a page its head is read.
const maxHead = 64 << 10

// maxHeadLinks bounds the link elements that are kept of one page.
const maxHeadLinks = 256

// Head is what a page says about itself before its body.
type Head struct {
	Metas []Meta
	Links []HeadLink
	base  string
}

// Meta is one meta element with a name.
type Meta struct{ Name, Content string }

// HeadLink is one link element with a relation and a reference, which is as it
// was written.
type HeadLink struct{ Rel, Type, Ref string }

// HeadOf reads the meta elements that have a name, and the link elements with
// rel and href, as they stand in a page's first 64 KiB up to the body. The page
// is not parsed for it. Pages that are not HTML have none.
func HeadOf(p *crawler.Page) Head {
	var h Head
	if !p.IsHTML() {
		return h
	}
	z := html.NewTokenizer(bytes.NewReader(p.Response.Body[:min(len(p.Response.Body), maxHead)]))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return h
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			switch {
			case string(name) == "body":
				return h
			case string(name) == "noscript":
				z.NextIsNotRawText()
			case more:
				h.element(string(name), z)
			}
		}
	}
}

func (h *Head) element(name string, z *html.Tokenizer) {
	switch name {
	case "meta":
		a := attributesOf(z, "name", "content")
		if m := (Meta{strings.TrimSpace(a[0]), a[1]}); m.Name != "" {
			h.Metas = append(h.Metas, m)
		}
	case "link":
		a := attributesOf(z, "rel", "type", "href")
		if l := (HeadLink{a[0], a[1], strings.TrimSpace(a[2])}); l.Rel != "" && l.Ref != "" && len(h.Links) < maxHeadLinks {
			h.Links = append(h.Links, l)
		}
	case "base":
		if h.base == "" {
			h.base = attributesOf(z, "href")[0]
		}
	}
}

// attributesOf reads attributes of the current tag; the first of each counts.
func attributesOf(z *html.Tokenizer, names ...string) []string {
	values := make([]string, len(names))
	for more := true; more; {
		var key, value []byte
		key, value, more = z.TagAttr()
		for i, name := range names {
			if string(key) == name && values[i] == "" {
				values[i] = string(value)
			}
		}
	}
	return values
}

// Base is the URL that the references of a page are relative to.
func (h *Head) Base(page urls.URL) urls.URL {
	if h.base == "" {
		return page
	}
	return urls.BaseOf(page, h.base)
}
