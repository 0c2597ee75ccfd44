package values

import (
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Following is the node after n in document order within the tree below root,
// or nil after the last. Without descend what is below n is left out.
func Following(n, root *html.Node, descend bool) *html.Node {
	if descend && n.FirstChild != nil {
		return n.FirstChild
	}
	for n != root {
		if n.NextSibling != nil {
			return n.NextSibling
		}
		n = n.Parent
	}
	return nil
}

// Attribute is an element's attribute; key is lower case.
func Attribute(n *html.Node, key string) (value string, ok bool) {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			return n.Attr[i].Val, true
		}
	}
	return "", false
}

// BaseURL is what the relative URLs of a document are relative to: its first
// <base href>, or the address of the page.
func BaseURL(root *html.Node, page urls.URL) urls.URL {
	for n := root; n != nil; n = Following(n, root, n.Data != "template") {
		if n.Type != html.ElementNode || n.Data != "base" || n.Namespace != "" {
			continue
		}
		if href, ok := Attribute(n, "href"); ok {
			return urls.BaseOf(page, href)
		}
	}
	return page
}
