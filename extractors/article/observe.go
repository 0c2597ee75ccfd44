package article

import (
	"errors"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

var (
	dayInPath = regexp.MustCompile(`[/=](20[0-4]\d|19[89]\d)[/-](0?[1-9]|1[0-2])[/-](0?[1-9]|[12]\d|3[01])(?:[/.?_-]|$)`)
	byWords   = regexp.MustCompile(`(?i)^(?:(?:written |words |story |posted |text )?by|von|par|por|di|av|af|door|autor(?:in)?:?|author:?|auteur:?)[\s:]+`)
	andWords  = regexp.MustCompile(`\s*[;|]\s*|,?\s+(?:and|und|et|y|e|&|og|och|en)\s+`)
)

// sight is what one walk over a page finds for its metadata.
type sight struct {
	title, heading, language, time string

	headings  int
	metas     map[string][]string // by lower-case name or property
	itemDates map[string]string   // by itemprop
	scripts   []string            // of JSON-LD

	itemAuthors, relAuthors, classAuthors []string
}

func observe(root *html.Node) *sight {
	s := &sight{metas: make(map[string][]string), itemDates: make(map[string]string)}
	for n := root; n != nil; n = values.Following(n, root, n.DataAtom != atom.Template) {
		if n.Type == html.ElementNode && n.Namespace == "" {
			s.element(n)
		}
	}
	if s.headings != 1 {
		s.heading = "" // which of them is the article's is not known
	}
	return s
}

func (s *sight) element(n *html.Node) {
	switch n.DataAtom {
	case atom.Html:
		s.language = attribute(n, "lang")
		if s.language == "" {
			s.language = attribute(n, "xml:lang")
		}
	case atom.Title:
		if s.title == "" {
			s.title = shortText(n)
		}
	case atom.H1:
		if text := shortText(n); text != "" {
			s.heading = text
			s.headings++
		}
	case atom.Meta:
		s.metaElement(n)
	case atom.Script:
		if strings.HasPrefix(strings.ToLower(attribute(n, "type")), "application/ld+json") {
			s.scripts = append(s.scripts, textOf(n))
		}
	case atom.Time:
		if s.time == "" || hasAttribute(n, "pubdate") {
			if at := attribute(n, "datetime"); at != "" {
				s.time = at
			}
		}
	}
	s.roles(n)
}

func (s *sight) metaElement(n *html.Node) {
	content := values.Fold(attribute(n, "content"))
	if content == "" {
		return
	}
	for _, key := range []string{"name", "property"} {
		if name := strings.ToLower(attribute(n, key)); name != "" && len(s.metas[name]) < maxAuthors {
			s.metas[name] = append(s.metas[name], content)
		}
	}
	if strings.EqualFold(attribute(n, "http-equiv"), "content-language") && s.language == "" {
		s.language = content
	}
}

// roles keeps what microdata, link relations and class names say of an element.
func (s *sight) roles(n *html.Node) {
	for _, prop := range strings.Fields(attribute(n, "itemprop")) {
		switch prop {
		case "datePublished", "dateModified":
			if s.itemDates[prop] == "" {
				s.itemDates[prop] = itemText(n)
			}
		case "author":
			s.itemAuthors = appendName(s.itemAuthors, itemName(n))
		}
	}
	if n.DataAtom == atom.A && hasWord(attribute(n, "rel"), "author") {
		s.relAuthors = appendName(s.relAuthors, shortText(n))
	}
	for _, class := range strings.Fields(attribute(n, "class")) {
		switch strings.ToLower(class) {
		case "byline", "author", "p-author", "author-name", "byline-name", "byline__name", "post-author", "entry-author":
			s.classAuthors = appendName(s.classAuthors, shortText(n))
		}
	}
}

func appendName(list []string, name string) []string {
	if name = strings.TrimSpace(name); name == "" || len(name) > 200 || len(list) == maxAuthors {
		return list
	}
	return append(list, name)
}

// itemName is the name of an author in microdata: that of the item, or its text.
func itemName(n *html.Node) string {
	left := maxNamed
	for c := n; c != nil && left > 0; c = values.Following(c, n, true) {
		left--
		if c.Type == html.ElementNode && hasWord(attribute(c, "itemprop"), "name") {
			return itemText(c)
		}
	}
	return itemText(n)
}

// authors are those of the first source that names one.
func (s *sight) authors() []string {
	var metas []string
	for _, key := range metaAuthor {
		if metas = append(metas, s.metas[key]...); len(names(metas...)) > 0 {
			return names(metas...)
		}
	}
	for _, list := range [][]string{s.itemAuthors, s.relAuthors} {
		if found := names(list...); len(found) > 0 {
			return found
		}
	}
	if len(s.classAuthors) > 0 { // the others may be those of comments
		return names(s.classAuthors[0])
	}
	return nil
}

// meta is the content of the first of the meta elements that is there.
func (s *sight) meta(keys ...string) string {
	for _, key := range keys {
		if list := s.metas[key]; len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// metaDate is the first of the meta elements that holds a date.
func (s *sight) metaDate(keys ...string) string {
	for _, key := range keys {
		for _, v := range s.metas[key] {
			if d := date(v); d != "" {
				return d
			}
		}
	}
	return ""
}

func attribute(n *html.Node, key string) string {
	v, _ := values.Attribute(n, key)
	return strings.TrimSpace(v)
}

func hasAttribute(n *html.Node, key string) bool {
	_, ok := values.Attribute(n, key)
	return ok
}

func hasWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// maxNamed is how many nodes may stand in an element that gives a name or title.
const maxNamed = 500

var errLong = errors.New("more than a name or title")

// shortText is the text of an element, "" where it holds more than a name or title:
// elements of that kind may stand in each other.
func shortText(n *html.Node) string {
	left := maxNamed
	text, err := values.Text(n, func(nodes int) error {
		if left -= nodes; left < 0 {
			return errLong
		}
		return nil
	})
	if err != nil {
		return ""
	}
	return text
}
