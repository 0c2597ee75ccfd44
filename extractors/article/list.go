package article

import (
	"iter"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

// leastEntries is how many article elements make a list.
const leastEntries = 3

// isList reports a page of at least three article elements whose text is theirs
// and not that of an article: none of them holds half of it, or it is that of one
// whose heading leads elsewhere and which has less than half of what they hold.
// Where other elements of that name stand around an article (comments, what else
// to read) the text is not theirs.
func isList(root *html.Node, text string) bool {
	entries := entriesOf(root)
	if len(entries) < leastEntries {
		return false
	}
	entryOf := make(map[string]int)
	total, own := 0, make([]int, len(entries)) // runs of words, in each entry
	for i, n := range entries {
		text, _ := values.Text(n, nil)
		for run := range runs(text) {
			own[i]++
			total++
			if _, taken := entryOf[run]; !taken {
				entryOf[run] = i
			}
		}
	}
	all, within, by := 0, 0, make([]int, len(entries)) // of the text's, in each entry
	for run := range runs(text) {
		all++
		if i, ok := entryOf[run]; ok {
			within++
			by[i]++
		}
	}
	if 2*within <= all {
		return false
	}
	most, holding := 0, 0
	for i, n := range by {
		if n > 0 {
			holding++
		}
		if n > by[most] {
			most = i
		}
	}
	return holding >= leastEntries && 2*by[most] < all || 2*own[most] < total && leadsElsewhere(entries[most])
}

// entriesOf are the article elements that stand in no other.
func entriesOf(root *html.Node) []*html.Node {
	var out []*html.Node
	for n := root; n != nil; {
		is := n.Type == html.ElementNode && n.DataAtom == atom.Article
		if is {
			out = append(out, n)
		}
		n = values.Following(n, root, !is)
	}
	return out
}

// leadsElsewhere reports an entry whose first heading is in a link or holds one.
func leadsElsewhere(entry *html.Node) bool {
	for n := entry; n != nil; n = values.Following(n, entry, true) {
		switch n.DataAtom {
		case atom.H1, atom.H2, atom.H3, atom.H4:
			if within(n, atom.A) {
				return true
			}
			for c := n; c != nil; c = values.Following(c, n, true) {
				if c.DataAtom == atom.A && hasAttribute(c, "href") {
					return true
				}
			}
			return false
		}
	}
	return false
}

// within reports whether n stands in an element of that name.
func within(n *html.Node, a atom.Atom) bool {
	for n = n.Parent; n != nil; n = n.Parent {
		if n.DataAtom == a {
			return true
		}
	}
	return false
}

// runs are the runs of three words of a text.
func runs(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		words := strings.Fields(text)
		for i := 0; i+3 <= len(words); i++ {
			if !yield(strings.Join(words[i:i+3], " ")) {
				return
			}
		}
	}
}
