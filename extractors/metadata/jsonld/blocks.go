package jsonld

import (
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/markup"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// maxBlocks bounds the script elements of one page.
const maxBlocks = 10_000

// Blocks are the texts of a page's script elements that hold JSON-LD, and the
// address that its references are relative to. Templates are left out.
func Blocks(body []byte, page urls.URL, budget *item.Budget) (blocks []string, base urls.URL, err error) {
	base = page
	z := markup.Scan(body)
	hasBase, inert := false, 0
	for kind := z.Next(); kind != markup.End; kind = z.Next() {
		if err := budget.Step(1); err != nil {
			return blocks, base, err
		}
		if kind == markup.EndTag && inert > 0 && string(z.Name()) == "template" {
			inert--
		}
		if kind != markup.StartTag {
			continue
		}
		switch string(z.Name()) {
		case "template":
			inert++
		case "noscript":
			z.NextIsNotRawText()
		case "base":
			if href, ok := z.Attr("href"); ok && !hasBase && inert == 0 {
				base, hasBase = urls.BaseOf(page, href), true
			}
		case "script":
			if typ, _ := z.Attr("type"); inert == 0 && isJSONLD(typ) && len(blocks) < maxBlocks && z.Next() == markup.Text {
				blocks = append(blocks, z.Text())
			}
		}
	}
	return blocks, base, nil
}

// isJSONLD reads a type with or without parameters.
func isJSONLD(typ string) bool {
	typ, _, _ = strings.Cut(typ, ";")
	return strings.EqualFold(strings.TrimSpace(typ), "application/ld+json")
}
