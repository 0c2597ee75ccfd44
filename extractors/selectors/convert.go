package selectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler/urls"
)

var (
	errBoolean = errors.New("not a boolean (true, yes, on, 1 or their opposites)")
	errJSON    = errors.New("not valid JSON")
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
		if f.as != kindRaw {
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
		return tidy(f.as, m.text), nil
	}
	if f.Attr != "" {
		v, ok := attribute(m.node, f.Attr)
		if ok && v == "" && f.as == kindBoolean {
			return "true", nil // as in <input checked>
		}
		return tidy(f.as, v), nil
	}
	switch f.as {
	case kindRaw:
		return r.work.rawText(m.node)
	case kindJSON:
		text, err := r.work.rawText(m.node)
		return strings.TrimSpace(text), err
	case kindHTML:
		return innerHTML(m.node)
	case kindMarkdown:
		return r.work.markdown(m.node, r.baseURL())
	case kindURL:
		if v, ok := ownURL(m.node); ok {
			return strings.TrimSpace(v), nil
		}
	case kindDate:
		if v, ok := attribute(m.node, "datetime"); ok && m.node.Data == "time" {
			return fold(v), nil
		}
	}
	return r.work.foldedText(m.node)
}

func tidy(as kind, s string) string {
	switch as {
	case kindRaw, kindHTML, kindMarkdown:
		return s
	case kindURL, kindJSON:
		return strings.TrimSpace(s)
	}
	return fold(s)
}

// ownURL is the URL that an element is about.
func ownURL(n *html.Node) (string, bool) {
	if v, ok := attribute(n, "href"); ok {
		return v, true
	}
	return attribute(n, "src")
}

// convert makes a field's value of a text that is not empty.
func (r *reading) convert(f *field, text string) (any, error) {
	switch f.as {
	case kindInteger:
		return orNil(ParseInteger(text))
	case kindNumber:
		return orNil(ParseNumber(text))
	case kindBoolean:
		return orNil(parseBoolean(text, f.Attr))
	case kindDate:
		return orNil(ParseDate(text))
	case kindURL:
		u, err := r.baseURL().Resolve(text)
		if err != nil {
			return nil, fmt.Errorf("not a URL: %w", err)
		}
		return u.String(), nil
	case kindJSON:
		var b bytes.Buffer
		if json.Compact(&b, []byte(text)) != nil {
			return nil, errJSON
		}
		return json.RawMessage(b.Bytes()), nil
	}
	return text, nil
}

func orNil[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// parseBoolean reads a word; an attribute that holds its own name is HTML's
// other way to say that it is set.
func parseBoolean(text, attr string) (bool, error) {
	word := strings.ToLower(text)
	switch word {
	case "true", "yes", "y", "on", "1":
		return true, nil
	case "false", "no", "n", "off", "0":
		return false, nil
	}
	if attr != "" && word == attr {
		return true, nil
	}
	return false, errBoolean
}

// pageBase is the page's base URL, found once.
type pageBase struct{ url urls.URL }

func (r *reading) baseURL() urls.URL {
	if r.base == nil {
		r.base = &pageBase{url: r.page.URL}
		for n := r.root; n != nil; n = following(n, r.root, n.Data != "template") {
			if n.Type != html.ElementNode || n.Data != "base" || n.Namespace != "" {
				continue
			}
			if href, ok := attribute(n, "href"); ok {
				r.base.url = urls.BaseOf(r.page.URL, href)
				break
			}
		}
	}
	return r.base.url
}
