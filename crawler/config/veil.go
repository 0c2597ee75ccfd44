package config

import (
	"cmp"
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
)

// leastHidden is the shortest value that a Veil hides: a shorter one is found
// in many texts that have nothing to do with it, and is guessed anyway.
const leastHidden = 8

// Veil hides the values that seeds and link rules got from the environment, in every spelling
// that a URL or a message gives them. The zero value hides nothing. It is safe
// for concurrent use.
type Veil struct {
	shown *strings.Replacer // spelling to ${NAME}
	forms []spelling
}

// spelling is one way in which a value stands in a URL.
type spelling struct{ text, name, kind string }

// Veil hides what the seeds' URLs got from the environment behind their hosts (keys
// in a query, tokens in a path, credentials), what link rules send, and what hosts
// are sent beside (fetch.auth, fetch.hosts), since they may echo it in a link.
func (c *Config) Veil() *Veil {
	v := &Veil{}
	if c.secrets == nil {
		return v
	}
	var pairs []string
	for _, s := range c.secrets.values {
		if s.spelt {
			continue // spellings has it
		}
		forms := spellings(s)
		if !c.seeded(forms) && !c.linked(forms) && !c.credits(forms) {
			continue
		}
		for _, f := range forms {
			v.forms = append(v.forms, f)
			pairs = append(pairs, f.text, f.name, quotedText(f.text), f.name)
			if inJSON, err := json.Marshal(f.text); err == nil {
				pairs = append(pairs, strings.Trim(string(inJSON), `"`), f.name)
			}
		}
	}
	// The longest first, so that one value inside another leaves no rest.
	slices.SortStableFunc(v.forms, func(a, b spelling) int { return cmp.Compare(len(b.text), len(a.text)) })
	if len(pairs) > 0 {
		v.shown = strings.NewReplacer(byLength(pairs)...)
	}
	return v
}

// spellings are the ways in which a value may stand in a URL and in a message.
func spellings(s secret) []spelling {
	name := strings.TrimSuffix(strings.TrimPrefix(s.name, "${"), "}")
	forms := []spelling{{s.value, s.name, name + ".r"}}
	add := func(kind, text string) {
		if len(text) >= leastHidden && !slices.ContainsFunc(forms, func(f spelling) bool { return f.text == text }) {
			forms = append(forms, spelling{text, s.name, name + "." + kind})
		}
	}
	if u, err := urls.Parse("http://h/?" + s.value); err == nil {
		add("q", u.Query())
	}
	if u, err := urls.Parse("http://h/" + s.value); err == nil {
		add("p", strings.TrimPrefix(u.Path(), "/"))
	}
	if u, err := urls.Parse("http://" + s.value + "@h/"); err == nil {
		add("u", u.Username())
	}
	add("f", url.QueryEscape(s.value))
	add("e", url.PathEscape(s.value))
	add("j", jsonText(s.value))
	add("b", inURL("", s.value))
	if len(s.value) < leastHidden {
		return nil
	}
	return forms
}

// seeded reports whether a value stands in a seed behind its host.
func (c *Config) seeded(forms []spelling) bool {
	if c.queried(forms) {
		return true
	}
	for _, s := range c.Seeds {
		if !s.Rows.empty() {
			if s.holds(forms) {
				return true
			}
			continue
		}
		u, err := urls.Parse(cmp.Or(s.URL, s.Sitemap))
		if err != nil {
			continue
		}
		for _, part := range []string{u.Username(), u.Password(), u.Path(), u.Query(), u.Fragment()} {
			for _, f := range forms {
				if strings.Contains(part, f.text) {
					return true
				}
			}
		}
	}
	return false
}

// linked reports whether a value stands in a link rule, which may send it.
func (c *Config) linked(forms []spelling) bool {
	return slices.ContainsFunc(c.Links.Rules, func(r LinkRule) bool {
		return r.Finder != nil && holdsText(reflect.ValueOf(r.Finder), forms, 0)
	})
}

// credits reports whether a value is sent to hosts by the config itself.
func (c *Config) credits(forms []spelling) bool {
	return slices.ContainsFunc([]any{c.Fetch.Auth, c.Fetch.Hosts, c.Fetch.Headers, c.Fetch.Proxy, c.Login}, func(part any) bool {
		return holdsText(reflect.ValueOf(part), forms, 0)
	})
}

// holdsText looks through the exported fields of a plugin.
func holdsText(v reflect.Value, forms []spelling, depth int) bool {
	if depth > 16 {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		return slices.ContainsFunc(forms, func(f spelling) bool { return strings.Contains(v.String(), f.text) })
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && holdsText(v.Elem(), forms, depth+1)
	case reflect.Slice:
		for i := range v.Len() {
			if holdsText(v.Index(i), forms, depth+1) {
				return true
			}
		}
	case reflect.Map:
		for _, e := range v.Seq2() {
			if holdsText(e, forms, depth+1) {
				return true
			}
		}
	case reflect.Struct:
		for f, e := range v.Fields() {
			if f.IsExported() && holdsText(e, forms, depth+1) {
				return true
			}
		}
	}
	return false
}

// byLength sorts pairs of old and new by the length of the old, the longest
// first: a Replacer takes the first that fits.
func byLength(pairs []string) []string {
	type pair struct{ from, to string }
	sorted := make([]pair, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		sorted = append(sorted, pair{pairs[i], pairs[i+1]})
	}
	slices.SortStableFunc(sorted, func(a, b pair) int { return cmp.Compare(len(b.from), len(a.from)) })
	out := make([]string, 0, len(pairs))
	for _, p := range sorted {
		out = append(out, p.from, p.to)
	}
	return out
}

// Empty tells that nothing is hidden.
func (v *Veil) Empty() bool { return v.shown == nil }

// Hide puts the variables' names in the place of their values.
func (v *Veil) Hide(text string) string {
	if v.Empty() {
		return text
	}
	return v.shown.Replace(text)
}

// Seal hides the values in a URL in a way that Unseal reverses, perhaps with
// other values by then. The mark tells what was sealed from what only looks like
// it: who does not know it can write no URL that Unseal fills in.
func (v *Veil) Seal(href, mark string) string {
	for _, f := range v.forms {
		href = strings.ReplaceAll(href, f.text, sealed(f, mark))
	}
	return href
}

// Unseal reverses Seal.
func (v *Veil) Unseal(href, mark string) string {
	if !strings.Contains(href, mark) {
		return href
	}
	for _, f := range v.forms {
		href = strings.ReplaceAll(href, sealed(f, mark), f.text)
	}
	return href
}

// sealed stands for a value. It is made of characters that no URL escapes.
func sealed(f spelling, mark string) string { return "~" + mark + "~" + f.kind + "~" }
