package survey

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// handles are the classes and ids in a CSS selector.
var handles = regexp.MustCompile(`[.#][A-Za-z_-][A-Za-z0-9_-]*`)

// maxNames bounds the classes and ids that are compared with a selector's.
const maxNames = 5000

// Nearest is a CSS selector like one that finds nothing below root, and which does:
// with a class or id that the page has for one that it lacks, or without what
// stands in front. "" when none is near.
func Nearest(root *html.Node, css string) string {
	w := &work{left: maxSteps}
	css = strings.TrimSpace(css)
	if len(css) > 500 || len(w.matching(root, css, 1)) > 0 {
		return ""
	}
	names := w.names(root)
	tried := css
	for _, h := range handles.FindAllString(css, 10) {
		if slices.Contains(names, h) {
			continue
		}
		near := nearestName(h, names)
		if near == "" {
			continue
		}
		tried = strings.Replace(tried, h, near, 1)
		if len(w.matching(root, tried, 1)) > 0 {
			return tried
		}
	}
	parts := strings.Fields(tried)
	for i := 1; i < len(parts); i++ {
		if short := strings.TrimLeft(strings.Join(parts[i:], " "), "> +~"); short != "" && len(w.matching(root, short, 1)) > 0 {
			return short
		}
	}
	return ""
}

// names are the classes and ids below root, as selectors.
func (w *work) names(root *html.Node) []string {
	seen := map[string]bool{}
	var out []string
	put := func(name string) {
		if plainName.MatchString(name[1:]) && !seen[name] && len(out) < maxNames {
			seen[name] = true
			out = append(out, name)
		}
	}
	w.below(root, func(n *html.Node) bool {
		for c := range strings.FieldsSeq(attr(n, "class")) {
			put("." + c)
		}
		if id := attr(n, "id"); id != "" {
			put("#" + id)
		}
		return true
	})
	return out
}

// nearestName is the name that is most like another, by its letters or by a word
// that both have.
func nearestName(name string, all []string) string {
	want := words(name)
	for i := range want {
		want[i] = singular(want[i])
	}
	best, least := "", max(2, len(name)/3)+1
	for _, candidate := range all {
		d := edits(strings.ToLower(name[1:]), strings.ToLower(candidate[1:]))
		if slices.ContainsFunc(words(candidate), func(word string) bool { return len(word) > 2 && slices.Contains(want, singular(word)) }) {
			d = min(d, 2) // price_color and product-price
		}
		if d < least {
			best, least = candidate, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two names.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			before, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, before+cost)
		}
	}
	return row[len(b)]
}

// ByText is a selector of the smallest element below root that has this text, ""
// when there is none.
func ByText(root *html.Node, text string) string {
	w := &work{left: maxSteps}
	text = cmp.Or(strings.Join(strings.Fields(text), " "), "\x00")
	css := ""
	w.below(root, func(n *html.Node) bool {
		own := w.text(n)
		if own == text {
			if s := Selector(n); s != "" {
				css = s // one further in is smaller
			}
		}
		return strings.Contains(own, text)
	})
	return css
}
