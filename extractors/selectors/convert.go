package selectors

import (
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/values"
)

// texts are the texts that one match offers a field, none of them empty: one, or
// with a regex and all every match of the regex.
func (r *reading) texts(f *field, m match) ([]string, error) {
	text, err := r.text(f, m)
	if err != nil || text == "" {
		return nil, err
	}
	if err := r.work.hold(len(text)); err != nil {
		return nil, err
	}
	if f.regex == nil {
		return []string{text}, nil
	}
	n := 1
	if f.All {
		n = -1
	}
	group := min(1, f.regex.NumSubexp())
	var out []string
	for _, at := range f.regex.FindAllStringSubmatchIndex(text, n) {
		if at[2*group] < 0 {
			continue
		}
		s := text[at[2*group]:at[2*group+1]]
		if f.as != values.AsRaw {
			s = strings.TrimSpace(s)
		}
		if s == "" {
			continue
		}
		if err := r.work.hold(len(s)); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// text is what a match holds before the regex.
func (r *reading) text(f *field, m match) (string, error) {
	if m.node == nil {
		if f.Attr != "" {
			return "", nil // an attribute of a text: nothing
		}
		return f.as.Tidy(m.text), nil
	}
	if f.Attr != "" {
		v, ok := values.Attribute(m.node, f.Attr)
		if ok && v == "" && f.as == values.AsBoolean {
			return "true", nil // as in <input checked>
		}
		return f.as.Tidy(v), nil
	}
	switch f.as {
	case values.AsRaw:
		return values.RawText(m.node, r.work.step)
	case values.AsJSON:
		text, err := values.RawText(m.node, r.work.step)
		return strings.TrimSpace(text), err
	case values.AsHTML:
		return values.InnerHTML(m.node)
	case values.AsMarkdown:
		return values.Markdown(m.node, r.baseURL(), r.work.step)
	case values.AsURL:
		if v, ok := ownURL(m.node); ok {
			return strings.TrimSpace(v), nil
		}
	case values.AsDate:
		if v, ok := values.Attribute(m.node, "datetime"); ok && m.node.Data == "time" {
			return values.Fold(v), nil
		}
	}
	return values.Text(m.node, r.work.step)
}

// ownURL is the URL that an element is about.
func ownURL(n *html.Node) (string, bool) {
	if v, ok := values.Attribute(n, "href"); ok {
		return v, true
	}
	return values.Attribute(n, "src")
}

// convert makes a field's value of a text that is not empty. An attribute that
// holds its own name is HTML's other way to say that it is set.
func (r *reading) convert(f *field, text string) (any, error) {
	if f.as == values.AsBoolean && f.Attr != "" && strings.EqualFold(text, f.Attr) {
		return true, nil
	}
	var base urls.URL
	if f.as == values.AsURL {
		base = r.baseURL()
	}
	return f.as.Convert(text, base)
}

// pageBase is the page's base URL, found once.
type pageBase struct{ url urls.URL }

func (r *reading) baseURL() urls.URL {
	if r.base == nil {
		r.base = &pageBase{url: values.BaseURL(r.root, r.page.URL)}
	}
	return r.base.url
}
