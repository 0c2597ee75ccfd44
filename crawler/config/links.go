package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// linkFinder is the ID of the finder of link rules.
const linkFinder = DefaultExtractor

// decodeBlock reads a rule, a selector alone, a list of these, or false.
func (k *Links) decodeBlock(l *loader, n *node, path string) {
	switch {
	case n.kind == nullKind:
	case n.kind == boolKind && n.text == "false":
		k.Off = true
	case n.kind == boolKind:
		l.errorf(n.place, "remove the key to follow all links", "%s: want a selector, a list of them or false; found true", path)
	case n.kind != listKind:
		k.Rules = append(k.Rules, l.linkRule(n, path))
	default:
		for i, item := range n.items {
			k.Rules = append(k.Rules, l.linkRule(item, join(path, strconv.Itoa(i))))
		}
		k.Off = len(n.items) == 0
	}
}

// linkRule reads a rule: own keys and the finder's side by side.
func (l *loader) linkRule(n *node, path string) LinkRule {
	var rule LinkRule
	if n.kind == nullKind || n.kind == listKind {
		l.errorf(n.place, "", "%s: want a selector or a mapping; found %s", path, n)
		return rule
	}
	finder, ok := crawler.LinkFinders.New(linkFinder)
	if !ok {
		l.errorf(n.place, "", "%s: this program finds no links by rules", path)
		return rule
	}
	rule.Finder = finder
	own := shapeOf(reflect.TypeFor[LinkRule]())
	rest := n
	if n.kind == mappingKind {
		rest = &node{kind: mappingKind, place: n.place}
		for _, sub := range n.entries {
			f := own.get(sub.key)
			if f == nil {
				rest.entries = append(rest.entries, sub)
				continue
			}
			l.value(sub.value, reflect.ValueOf(&rule).Elem().FieldByIndex(f.index), slot{field: *f, path: join(path, sub.key)})
		}
	}
	before := len(l.found)
	l.decodePlugin(rest, finder, path, own.names())
	l.checkPlugin(finder, n, path, before)
	return rule
}

// checkLinks looks at what a rule says beyond its finder.
func (l *loader) checkLinks(c *Config) {
	whole := l.at("links")
	for i, r := range c.Links.Rules {
		n, path := whole, "links"
		if whole.kind == listKind {
			n, path = whole.below([]string{strconv.Itoa(i)}), fmt.Sprintf("links.%d", i)
		}
		for _, list := range []struct {
			key      string
			patterns []Pattern
		}{{"match", r.Match}, {"exclude", r.Exclude}} {
			for j, p := range list.patterns {
				at := n.below([]string{list.key})
				if at.kind == listKind {
					at = at.below([]string{strconv.Itoa(j)})
				}
				l.checkPatternAt(p, at, join(path, list.key))
			}
		}
		for _, name := range r.LeadsTo {
			if slices.ContainsFunc(c.Extract, func(x Rule) bool { return x.Type == name }) {
				continue
			}
			hint := "add it to extract"
			if near := nearest(name, c.Extract.types()); near != "" {
				hint = "did you mean " + near + "?"
			}
			l.errorf(n.below([]string{"leads_to"}).place, hint, "%s: there is no record type %s", join(path, "leads_to"), short(name))
		}
	}
}

func (x Extract) types() []string {
	names := make([]string, len(x))
	for i, r := range x {
		names[i] = r.Type
	}
	return names
}

// Takes tells which URLs the rule is for; nil means all.
func (r *LinkRule) Takes() (func(urls.URL) bool, error) {
	if len(r.Match)+len(r.Exclude) == 0 {
		return nil, nil
	}
	scope, err := urls.NewScope(urls.ScopeRules{Include: patterns(r.Match), Exclude: patterns(r.Exclude)})
	if err != nil {
		return nil, err
	}
	return func(u urls.URL) bool { return scope.Check(u, 1).In }, nil
}

// leadTo reports whether a rule leads to a record type.
func (k *Links) leadTo(recordType string) bool {
	return slices.ContainsFunc(k.Rules, func(r LinkRule) bool { return slices.Contains(r.LeadsTo, recordType) })
}
