package config

import (
	"reflect"
	"slices"
	"strings"
)

// later are keys, sinks and extractors that are planned and not served yet, by
// the mapping they stand in. They are refused by name, never passed over.
var later = map[string][]string{
	"":       {"schedule", "connections", "browser", "warc", "auth"},
	"seeds":  {"sql", "blob", "connection", "query"},
	"fetch":  {"browser", "proxy", "proxies", "cookies", "headers", "cache"},
	"output": {"parquet", "sqlite", "postgres", "blob", "webhook", "stdout"},
	"extract": {
		"aggregate", "when", "any",
		"jsonld", "microdata", "rdfa", "opengraph", "article", "pdf",
	},
}

// section is the mapping that a path with list positions and names stands in:
// "seeds.3" is "seeds".
func section(path string) string {
	first, _, _ := strings.Cut(path, ".")
	return first
}

// unknownKey reports a key that nothing reads, and what may have been meant.
func (l *loader) unknownKey(e entry, path string, known []string) {
	name := join(path, short(e.key))
	if at := section(path); slices.Contains(later[at], e.key) && (at == "extract" || strings.Count(path, ".") <= 1) {
		l.errorf(e.place, "", "%s is not yet supported", name)
		return
	}
	hint := ""
	if strings.Contains(e.key, "://") {
		hint = "an address is a value: write url: " + short(e.key)
		if strings.Contains(path, "steps.") {
			hint = "a step that is an address stands alone, without braces or a colon: - " + short(e.key)
		}
	} else if near := nearest(e.key, known); near != "" {
		hint = "did you mean " + near + "?"
	} else if homes := homesOf(e.key); len(homes) > 0 {
		hint = "it belongs to " + strings.Join(homes, " or ")
	} else if path == "" || len(known) <= 12 {
		hint = "known here: " + strings.Join(known, ", ")
	}
	l.errorf(e.place, hint, "unknown key %s", name)
}

// homesOf finds the sections of Config that take a key.
func homesOf(key string) []string {
	var homes []string
	for _, f := range shapeOf(reflect.TypeFor[Config]()).fields {
		if f.name == key {
			return []string{"the top level"}
		}
		if f.typ.Kind() == reflect.Struct && shapeOf(f.typ).get(key) != nil {
			homes = append(homes, f.name)
		}
	}
	return homes
}

// nearest is the candidate that word is most likely a slip of, or "".
func nearest(word string, candidates []string) string {
	word = normal(word)
	if len(word) > 40 {
		return ""
	}
	best, least := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if d := distance(word, normal(c)); d < least {
			best, least = c, d
		}
	}
	for _, c := range candidates { // userAgent is the agent
		if n := normal(c); best == "" && len(n) >= 4 && strings.Contains(word, n) {
			best = c
		}
	}
	return best
}

// normal makes maxDepth, max-depth and MAX_DEPTH one word.
func normal(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(s))
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour on the way from a to b (optimal string alignment).
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	next := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}

// mappingHint says how sections are written that people begin by their first value.
func mappingHint(path string) string {
	if path == "login" {
		return "its steps are below login: steps: [https://shop.example/login, ...]"
	}
	return ""
}
