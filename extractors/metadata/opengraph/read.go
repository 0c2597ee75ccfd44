package opengraph

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// Namespaces are those that pages use without declaring them.
var Namespaces = []string{"article", "book", "music", "product", "profile", "video", "fb", "al", "place", "business", "restaurant", "books", "game", "fitness", "twitter"}

// Read gives what a page says of itself, or nil when it says nothing. og's own
// properties are the item's; images, videos and audios are items of their own;
// each other namespace is an item under its name, in whose names further colons
// are underscores. Its errors are the budget's.
func Read(root *html.Node, base urls.URL, budget *item.Budget) (*item.Item, error) {
	r := &reader{base: base, page: &item.Item{}, spaces: map[string]*item.Item{}, known: map[string]bool{}}
	for _, name := range Namespaces {
		r.known[name] = true
	}
	for n := root; n != nil; n = values.Following(n, root, n.DataAtom != atom.Template) {
		if err := budget.Step(1); err != nil {
			return nil, err
		}
		if n.Type != html.ElementNode || n.Namespace != "" {
			continue
		}
		switch n.DataAtom {
		case atom.Html, atom.Head:
			r.declare(n)
		case atom.Meta:
			r.meta(n)
		}
	}
	return r.result(), nil
}

type reader struct {
	base   urls.URL
	page   *item.Item
	media  [3][]*item.Item
	spaces map[string]*item.Item
	known  map[string]bool
}

// The kinds of media, and the names of their lists.
var (
	mediaKinds = []string{"image", "video", "audio"}
	mediaLists = []string{"images", "videos", "audios"}
)

// declare learns the prefixes of a prefix attribute.
func (r *reader) declare(n *html.Node) {
	prefixes, _ := values.Attribute(n, "prefix")
	for word := range strings.FieldsSeq(prefixes) {
		if name, ok := strings.CutSuffix(word, ":"); ok && len(r.known) < 100 {
			r.known[strings.ToLower(name)] = true
		}
	}
}

func (r *reader) meta(n *html.Node) {
	content, ok := values.Attribute(n, "content")
	if content = strings.TrimSpace(content); !ok || content == "" {
		return
	}
	for _, key := range []string{"property", "name"} {
		names, _ := values.Attribute(n, key)
		found := false
		for name := range strings.FieldsSeq(names) {
			found = r.add(strings.ToLower(name), content) || found
		}
		if found {
			return
		}
	}
}

// add takes one property; it is false for names of another kind.
func (r *reader) add(name, content string) bool {
	space, rest, ok := strings.Cut(name, ":")
	rest = strings.Trim(rest, ":")
	if !ok || rest == "" {
		return false
	}
	if space == "og" {
		r.og(rest, content)
		return true
	}
	if !r.known[space] {
		return false
	}
	if r.spaces[space] == nil {
		r.spaces[space] = &item.Item{}
	}
	put(r.spaces[space], strings.ReplaceAll(rest, ":", "_"), r.typed(rest, content), isSingle(space, rest))
	return true
}

func (r *reader) og(name, content string) {
	kind, part, _ := strings.Cut(name, ":")
	if i := slices.Index(mediaKinds, kind); i >= 0 {
		r.medium(i, part, content)
		return
	}
	put(r.page, strings.ReplaceAll(name, ":", "_"), r.typed(name, content), isSingle("og", name))
}

// medium takes og:image or one of its parts; likewise for video and audio. The
// parts belong to the last image, or to the next one when none came before.
func (r *reader) medium(i int, part, content string) {
	list := &r.media[i]
	var last *item.Item
	if n := len(*list); n > 0 {
		last = (*list)[n-1]
	}
	if part == "" || part == "url" {
		part = "url"
		address := item.Absolute(r.base, content)
		if last != nil {
			have := last.Get("url")
			if len(have) == 1 && have[0] == address {
				return // og:image:url says again what og:image said
			}
			if have != nil {
				last = nil
			}
		}
	}
	if last == nil {
		last = &item.Item{}
		*list = append(*list, last)
	}
	put(last, strings.ReplaceAll(part, ":", "_"), r.typed(part, content), true)
}

// put adds a value. What can only be said once keeps its first.
func put(it *item.Item, name string, value any, single bool) {
	have := it.Get(name)
	if single && have != nil || len(have) < 64 && slices.Contains(have, value) {
		return
	}
	it.Add(name, value)
}

// typed makes addresses absolute and sizes numbers.
func (r *reader) typed(name, content string) any {
	last := name[strings.LastIndexByte(name, ':')+1:]
	switch last {
	case "url", "secure_url", "image", "player", "stream", "see_also", "video", "audio", "src":
		return item.Absolute(r.base, content)
	case "width", "height":
		if n, err := strconv.ParseInt(strings.TrimSuffix(content, "px"), 10, 64); err == nil {
			return n
		}
	}
	return content
}

// isSingle tells what a page can say only once.
func isSingle(space, name string) bool {
	switch space {
	case "og":
		switch name {
		case "title", "type", "url", "description", "determiner", "site_name", "locale":
			return true
		}
	case "article":
		switch name {
		case "published_time", "modified_time", "expiration_time", "section":
			return true
		}
	case "twitter":
		return true
	}
	return false
}

func (r *reader) result() *item.Item {
	for i, list := range r.media {
		for _, medium := range list {
			r.page.Add(mediaLists[i], medium)
		}
	}
	order := slices.Clone(Namespaces)
	for name := range r.spaces {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	slices.Sort(order[len(Namespaces):])
	for _, name := range order {
		if it := r.spaces[name]; it != nil {
			r.page.Add(name, it)
		}
	}
	if len(r.page.Props) == 0 {
		return nil
	}
	return r.page
}
