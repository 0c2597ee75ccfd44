package survey

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Words of class names that say how a field looks and not what it is.
var emptyWords = []string{
	"color", "colour", "text", "txt", "wrapper", "wrap", "box", "label", "value", "val", "item", "block", "container", "inner", "content", "pod", "card",
	"tile", "cell", "row", "col", "list", "entry", "el", "element", "body", "field", "div", "span", "big", "small", "main", "the", "c", "js", "u", "l", "o", "view",
	"page", "details", "detail", "star", "single", "component", "module", "section", "group", "area", "holder", "info", "line", "field-item",
}

// Names for what sites call otherwise.
var knownNames = map[string]string{
	"headline": "title", "heading": "title", "headline_title": "title", "img": "image", "picture": "image", "photo": "image", "thumb": "image", "thumbnail": "image",
	"datepublished": "published", "date_published": "published", "datemodified": "modified", "date_modified": "modified", "datecreated": "created",
	"creator": "author", "byline": "author",
	"articlebody": "text", "article_body": "text", "ratingvalue": "rating", "pricecurrency": "currency", "price_currency": "currency", "href": "url", "link": "url",
}

var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// words cuts a name of HTML into lower-case words.
func words(name string) []string {
	name = camel.ReplaceAllString(name, "${1}_$2")
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// fieldName makes a field's name of a class, an itemprop or a label. around are
// the words of the block that it stands in, which it need not repeat.
func fieldName(name string, around []string) string {
	all := words(name)
	kept := slices.DeleteFunc(slices.Clone(all), func(w string) bool { return slices.Contains(emptyWords, w) || slices.Contains(around, w) })
	if len(kept) == 0 {
		kept = slices.DeleteFunc(slices.Clone(all), func(w string) bool { return slices.Contains(around, w) })
	}
	if len(kept) == 0 {
		kept = all
	}
	if len(kept) > 4 {
		kept = kept[:4]
	}
	out := strings.Join(kept, "_")
	if known, ok := knownNames[out]; ok {
		return known
	}
	if out == "" {
		return "value"
	}
	if out[0] >= '0' && out[0] <= '9' {
		return "n_" + out
	}
	return clipped(out, 40)
}

func clipped(s string, n int) string {
	r := []rune(s)
	if len(r) > n {
		return strings.TrimRight(string(r[:n]), "_")
	}
	return s
}

// typeName makes a record type's name of a class, a schema.org type or a part of
// an address; "" when nothing is left that means anything.
func typeName(name string) string {
	kept := slices.DeleteFunc(words(name), func(w string) bool {
		return slices.Contains(emptyWords, w) || strings.Trim(w, "0123456789") == "" || len(w) < 2
	})
	if len(kept) == 0 {
		return ""
	}
	if len(kept) > 3 {
		kept = kept[len(kept)-3:]
	}
	last := len(kept) - 1
	kept[last] = singular(kept[last])
	out := strings.Join(kept, "_")
	for _, r := range out {
		if r > unicode.MaxASCII {
			return ""
		}
	}
	if out[0] >= '0' && out[0] <= '9' {
		return ""
	}
	return clipped(out, 40)
}

// singular is the singular of an English plural, by its ending.
func singular(w string) string {
	switch {
	case w == "news" || w == "series" || strings.HasSuffix(w, "ss") || strings.HasSuffix(w, "us") || strings.HasSuffix(w, "is"):
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		return w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "shes") || strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "sses"):
		return w[:len(w)-2]
	case strings.HasSuffix(w, "s") && len(w) > 3:
		return w[:len(w)-1]
	}
	return w
}

// plural is the name of a list of what a name names.
func plural(name string) string {
	switch {
	case strings.HasSuffix(name, "s"):
		return name
	case strings.HasSuffix(name, "y") && len(name) > 2 && !strings.ContainsRune("aeiou", rune(name[len(name)-2])):
		return name[:len(name)-1] + "ies"
	}
	return name + "s"
}

// TypeName makes a record type's name of a word that a site uses; "" when it does
// not make one.
func TypeName(name string) string { return typeName(name) }
