package fetch

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// headBytes is how far into a document its <meta> elements are looked for.
const headBytes = 4 << 10

// metaCharset finds the encoding that HTML declares. The tokenizer is asked
// only where the word occurs at all.
func metaCharset(body []byte) string {
	head := body[:min(len(body), headBytes)]
	if indexFold(head, "charset") < 0 {
		return ""
	}
	found := ""
	eachElement(head, func(name string, attr func(string) string) bool {
		if name != "meta" {
			return true
		}
		found = attr("charset")
		if found == "" && strings.EqualFold(attr("http-equiv"), "content-type") {
			found = charsetAfter(attr("content"))
		}
		if enc, _ := known(found); enc == nil {
			found = ""
		}
		return found == ""
	})
	return found
}

// metaRefresh finds the first <meta http-equiv=refresh>, and the <base> that
// its URL is relative to.
func metaRefresh(body []byte) (content, base string) {
	head := body[:min(len(body), headBytes)]
	if indexFold(head, "http-equiv") < 0 || indexFold(head, "refresh") < 0 {
		return "", ""
	}
	eachElement(head, func(name string, attr func(string) string) bool {
		switch {
		case name == "base" && base == "":
			base = attr("href")
		case name == "meta" && content == "" && strings.EqualFold(attr("http-equiv"), "refresh"):
			content = attr("content")
		}
		return true
	})
	return content, base
}

// eachElement calls f with the start tags of head until f returns false.
// Comments, and the contents of elements that scripts would have read or that
// only count without scripts, hold no elements.
func eachElement(head []byte, f func(name string, attr func(string) string) bool) {
	z := html.NewTokenizer(bytes.NewReader(head))
	template := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "template" && template > 0 {
				template--
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			if token.Data == "template" {
				template++
			}
			if template > 0 {
				continue
			}
			attr := func(key string) string {
				for _, a := range token.Attr {
					if a.Key == key {
						return a.Val
					}
				}
				return ""
			}
			if !f(token.Data, attr) {
				return
			}
		}
	}
}
