package jsonld

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// maxBlocks bounds the script elements of one page.
const maxBlocks = 10_000

// Blocks are the texts of a page's script elements that hold JSON-LD, and the
// address that its references are relative to. Templates are left out.
func Blocks(body []byte, page urls.URL, budget *item.Budget) (blocks []string, base urls.URL, err error) {
	base = page
	z := html.NewTokenizer(bytes.NewReader(body))
	hasBase, inert := false, 0
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return blocks, base, nil
		}
		if err := budget.Step(1); err != nil {
			return blocks, base, err
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken && kind != html.EndTagToken {
			continue
		}
		name, more := z.TagName()
		switch string(name) {
		case "template":
			if kind == html.StartTagToken {
				inert++
			} else if kind == html.EndTagToken && inert > 0 {
				inert--
			}
		case "noscript":
			z.NextIsNotRawText()
		case "base":
			if href, ok := attribute(z, more, "href"); ok && !hasBase && inert == 0 {
				base, hasBase = urls.BaseOf(page, href), true
			}
		case "script":
			typ, _ := attribute(z, more, "type")
			if kind == html.StartTagToken && inert == 0 && isJSONLD(typ) && z.Next() == html.TextToken && len(blocks) < maxBlocks {
				blocks = append(blocks, string(z.Text()))
			}
		}
	}
}

// isJSONLD reads a type with or without parameters.
func isJSONLD(typ string) bool {
	typ, _, _ = strings.Cut(typ, ";")
	return strings.EqualFold(strings.TrimSpace(typ), "application/ld+json")
}

func attribute(z *html.Tokenizer, more bool, name string) (value string, ok bool) {
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		if string(k) == name {
			return string(v), true
		}
	}
	return "", false
}
