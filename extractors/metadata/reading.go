package metadata

import (
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/values"
)

// How the values of items are read as one kind, whichever way they were said.

// texts are values as texts: those of things are their names.
func texts(all []any) []string {
	var out []string
	for _, v := range all {
		switch v := v.(type) {
		case string:
			if t := values.Fold(v); t != "" {
				out = append(out, t)
			}
		case int64:
			out = append(out, strconv.FormatInt(v, 10))
		case float64:
			out = append(out, strconv.FormatFloat(v, 'f', -1, 64))
		case bool:
			out = append(out, strconv.FormatBool(v))
		case *item.Item:
			for _, name := range []string{"name", "value", "@value", "text", "headline"} {
				if t := plainText(v.Get(name)); t != "" {
					out = append(out, t)
					break
				}
			}
		case []any:
			out = append(out, texts(v)...)
		}
	}
	return out
}

// plainText is the first text that is there already, without a look into things.
func plainText(all []any) string {
	for _, v := range all {
		if _, isItem := v.(*item.Item); !isItem {
			if t := texts([]any{v}); len(t) > 0 {
				return t[0]
			}
		}
	}
	return ""
}

func text(it *item.Item, names ...string) string {
	for _, name := range names {
		if t := texts(it.Get(name)); len(t) > 0 {
			return t[0]
		}
	}
	return ""
}

// addresses are values as absolute URLs: those of things are their url, or what
// they contain.
func addresses(all []any) []string {
	var out []string
	for _, v := range all {
		switch v := v.(type) {
		case string:
			if isAddress(v) {
				out = append(out, v)
			}
		case item.Ref:
			if isAddress(string(v)) {
				out = append(out, string(v))
			}
		case *item.Item:
			for _, name := range []string{"contentUrl", "url", "value"} {
				if a := plainAddress(v.Get(name)); a != "" {
					out = append(out, a)
					break
				}
			}
		case []any:
			out = append(out, addresses(v)...)
		}
	}
	return out
}

func plainAddress(all []any) string {
	for _, v := range all {
		if _, isItem := v.(*item.Item); !isItem {
			if a := addresses([]any{v}); len(a) > 0 {
				return a[0]
			}
		}
	}
	return ""
}

func isAddress(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

func address(it *item.Item, names ...string) string {
	for _, name := range names {
		if a := addresses(it.Get(name)); len(a) > 0 {
			return a[0]
		}
	}
	return ""
}

// things are the values that are items.
func things(all []any) []*item.Item {
	var out []*item.Item
	for _, v := range all {
		switch v := v.(type) {
		case *item.Item:
			out = append(out, v)
		case []any:
			out = append(out, things(v)...)
		}
	}
	return out
}

// list is texts as a value, each once; nil for none.
func list(all []string) any {
	var out []any
	seen := map[string]bool{}
	for _, t := range all {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// A reading converts values of one page and reports those that are not as they
// should be.
type reading struct {
	e      *crawler.Emitter
	origin string
}

// number is a value as a number; nil without one.
func (r *reading) number(field string, it *item.Item, names ...string) any {
	for _, name := range names {
		for _, v := range it.Get(name) {
			switch v := v.(type) {
			case int64:
				return float64(v)
			case float64:
				return v
			case string:
				if v = strings.TrimSpace(v); v == "" {
					continue
				}
				n, err := values.ParseNumber(v)
				if err == nil {
					return n
				}
				r.e.FieldError(field, v, false, err)
			}
		}
	}
	return nil
}

// count is a value as a whole number; nil without one.
func (r *reading) count(field string, it *item.Item, names ...string) any {
	for _, name := range names {
		for _, v := range it.Get(name) {
			switch v := v.(type) {
			case int64:
				return v
			case string:
				if v = strings.TrimSpace(v); v == "" {
					continue
				}
				n, err := values.ParseInteger(v)
				if err == nil {
					return n
				}
				r.e.FieldError(field, v, false, err)
			}
		}
	}
	return nil
}

// date is a value as RFC 3339 has it; nil without one.
func (r *reading) date(field string, it *item.Item, names ...string) any {
	for _, name := range names {
		for _, t := range texts(it.Get(name)) {
			date, err := values.ParseDate(t)
			if err == nil {
				return date
			}
			r.e.FieldError(field, t, false, err)
		}
	}
	return nil
}

// member is the name of one of schema.org's fixed values, such as InStock, by its
// address or by words that mean it.
func member(known map[string]string, words string) any {
	words = words[strings.LastIndexAny(words, "/#")+1:]
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(words))
	if plain == "" {
		return nil
	}
	if name, ok := known[plain]; ok {
		return name
	}
	return nil
}

// members are fixed values by their own names in small letters.
func members(names string, others map[string]string) map[string]string {
	all := map[string]string{}
	for name := range strings.FieldsSeq(names) {
		all[strings.ToLower(name)] = name
	}
	for words, name := range others {
		all[words] = name
	}
	return all
}
