package extractors

import (
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/markup"
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
	z := markup.Scan(p.Response.Body[:min(len(p.Response.Body), maxHead)])
	for {
		switch z.Next() {
		case markup.End:
			return h
		case markup.StartTag:
			switch name := z.Name(); {
			case string(name) == "body":
				return h
			case string(name) == "noscript":
				z.NextIsNotRawText()
			case z.HasAttributes():
				h.element(name, z)
			}
		}
	}
}

func (h *Head) element(name []byte, z *markup.Scanner) {
	switch string(name) {
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

// attributesOf reads attributes of the current tag.
func attributesOf(z *markup.Scanner, names ...string) []string {
	values := make([]string, len(names))
	for i, name := range names {
		values[i], _ = z.Attr(name)
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
