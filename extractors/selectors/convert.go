package selectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/query"
	"github.com/amblecrawl/amble/extractors/values"
)

var errStructured = errors.New("an object or a list (as: json takes it)")

// item is one thing that a source offers a field: a text that is not empty, a
// value that has a type already, or texts by name.
type item struct {
	text  string
	value any
	parts []part
	err   error // there was something, but not as asked; text shows it
}

// part is the text of a named group.
type part struct{ name, text string }

// plain is the item as a value to compare.
func (it *item) plain() any {
	if it.value != nil {
		return it.value
	}
	return it.text
}

// context is where a source looks: below the record's element, or in the page.
func (r *reading) context(s *source, at match) match {
	if s.page {
		return r.root
	}
	return at
}

// items gives what a source offers, one after the other, until yield returns
// false. The error ends the page.
func (r *reading) items(f *field, s *source, at match, yield func(item) bool) error {
	if s.carried != "" {
		v := r.carried(s.carried)
		if v == nil {
			return nil
		}
		_, err := r.offer(f, s, v, yield)
		return err
	}
	next := s.find(r.work, r.context(s, at))
	for {
		m, ok, err := next()
		if err != nil || !ok {
			return err
		}
		more := true
		switch {
		case m.bad != nil:
			more = yield(item{err: m.bad})
		case m.isJSON:
			more, err = r.offer(f, s, m.json, yield)
		default:
			var text string
			if text, err = r.text(f, s, m); err == nil && text != "" {
				more, err = r.cut(f, s, text, yield)
			}
		}
		if err != nil || !more {
			return err
		}
	}
}

func (r *reading) carried(name string) any {
	for _, f := range r.page.Request.Carry {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// offer gives a value that has a type already; what has a regex or asks for a
// type is its text.
func (r *reading) offer(f *field, s *source, v any, yield func(item) bool) (more bool, err error) {
	text, scalar := query.Scalar(v)
	_, isText := v.(string)
	switch {
	case f.as == values.AsJSON && s.regex == nil && !isText:
		raw, err := query.Raw(v)
		if _, own := v.([]crawler.Field); own || err != nil {
			return yield(item{err: errStructured}), nil
		}
		return yield(item{value: raw}), r.work.hold(len(raw))
	case s.regex == nil && !f.typed && !isText:
		return yield(item{value: query.Native(v)}), r.work.hold(len(text) + sizeOf(v))
	case !scalar:
		raw, _ := query.Raw(v)
		return yield(item{text: string(raw), err: fmt.Errorf("not a %s but %w", f.as, errStructured)}), nil
	}
	if text = f.as.Tidy(text); text == "" {
		return true, nil
	}
	return r.cut(f, s, text, yield)
}

// sizeOf estimates what a list or an object takes.
func sizeOf(v any) int {
	n := 16
	switch v := v.(type) {
	case string:
		n += len(v)
	case json.Number:
		n += len(v)
	case []any:
		for _, e := range v {
			n += sizeOf(e)
		}
	case map[string]any:
		for name, e := range v {
			n += len(name) + sizeOf(e)
		}
	}
	return n
}

// cut gives the text, or what the regex takes of it: with all, of every match.
func (r *reading) cut(f *field, s *source, text string, yield func(item) bool) (more bool, err error) {
	if err := r.work.hold(len(text)); err != nil {
		return false, err
	}
	if s.regex == nil {
		return yield(item{text: text}), nil
	}
	n := 1
	if f.All {
		n = -1
	}
	for _, at := range s.regex.FindAllStringSubmatchIndex(text, n) {
		it, ok, err := r.groups(f, s, text, at)
		if err != nil {
			return false, err
		}
		if ok && !yield(it) {
			return false, nil
		}
	}
	return true, nil
}

// groups makes an item of one match of the regex; ok is false for an empty one.
func (r *reading) groups(f *field, s *source, text string, at []int) (it item, ok bool, err error) {
	group := func(n int) (string, error) {
		if at[2*n] < 0 {
			return "", nil
		}
		found := text[at[2*n]:at[2*n+1]]
		if f.as != values.AsRaw {
			found = strings.TrimSpace(found)
		}
		return found, r.work.hold(len(found))
	}
	if s.named == nil {
		it.text, err = group(s.group)
		return it, it.text != "", err
	}
	for n, name := range s.named {
		if name == "" {
			continue
		}
		found, err := group(n)
		if err != nil {
			return it, false, err
		}
		ok = ok || found != ""
		it.parts = append(it.parts, part{name, found})
	}
	return it, ok, nil
}

// text is what a match holds before the regex.
func (r *reading) text(f *field, s *source, m match) (string, error) {
	if m.node == nil {
		if s.attr != "" {
			return "", nil // an attribute of a text: nothing
		}
		return f.as.Tidy(m.text), nil
	}
	if s.attr != "" {
		v, ok := values.Attribute(m.node, s.attr)
		if ok && (v == "" || strings.EqualFold(v, s.attr)) && f.as == values.AsBoolean {
			return "true", nil // as in <input checked>, which may be written checked=checked
		}
		return f.as.Tidy(v), nil
	}
	switch f.as {
	case values.AsText:
		return values.Lines(m.node, r.work.step)
	case values.AsRaw:
		return values.RawText(m.node, r.work.step)
	case values.AsJSON:
		text, err := values.RawText(m.node, r.work.step)
		return strings.TrimSpace(text), err
	case values.AsHTML:
		return values.InnerHTML(m.node)
	case values.AsMarkdown:
		return values.Markdown(m.node, r.setting(f).Base, r.work.step)
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

// convert makes a field's value of an item.
func (r *reading) convert(f *field, it item) (any, error) {
	switch {
	case it.err != nil:
		return nil, it.err
	case it.value != nil:
		return it.value, nil
	case it.parts == nil && f.as == values.AsDate:
		return r.date(f, it.text)
	case it.parts == nil:
		v, err := f.as.ConvertIn(it.text, r.setting(f))
		return priced(v), err
	}
	object := make([]crawler.Field, len(it.parts))
	for i, p := range it.parts {
		object[i].Name = p.name
		if p.text == "" {
			continue
		}
		v, err := f.as.ConvertIn(p.text, r.setting(f))
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %q", p.name, err, p.text)
		}
		object[i].Value = priced(v)
	}
	return object, nil
}

// priced is a price as a record holds it.
func priced(v any) any {
	p, ok := v.(values.Price)
	if !ok {
		return v
	}
	object := []crawler.Field{{Name: "amount", Value: p.Amount}, {Name: "currency"}}
	if p.Currency != "" {
		object[1].Value = p.Currency
	}
	return object
}

// setting is what the meaning of a field's text depends on. The page's base and
// language are found once.
func (r *reading) setting(f *field) values.Setting {
	in := values.Setting{Locale: f.locale, Now: r.page.Response.FetchedAt}
	if f.as == values.AsURL || f.as == values.AsMarkdown {
		if !r.based {
			r.based, r.base = true, r.page.URL
			if r.root.node != nil {
				r.base = values.BaseURL(r.root.node, r.page.URL)
			}
		}
		in.Base = r.base
	}
	if f.Locale == pageLocale || f.as == values.AsDate && f.Locale == "" {
		if r.language == nil {
			l := pageLanguage(r.page)
			r.language = &l
		}
		in.Locale = *r.language
	}
	return in
}
