package sink

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
)

// extraName is the last column of a CSV file. It is kept free in every format,
// since a record has the same names in all of them.
const extraName = "_extra"

// fewFields is up to where comparing each name with each is the fastest.
const fewFields = 16

// recordNames gives the names under which a record's fields are written, or
// nil when they can stand as they are. No two names of a record are equal and
// none is a provenance name: a name already taken gets _2, _3 and so on, so
// that no value is lost.
func recordNames(fields []crawler.Field) []string { return distinct(fields, true) }

// FieldNames are the names under which every format writes a record's fields,
// nil when they can stand as they are: see recordNames.
func FieldNames(fields []crawler.Field) []string { return recordNames(fields) }

// memberNames does the same for a nested object, which has no provenance.
func memberNames(fields []crawler.Field) []string { return distinct(fields, false) }

func distinct(fields []crawler.Field, provenance bool) []string {
	if namesStand(fields, provenance) {
		return nil
	}
	names := make([]string, len(fields))
	used := make(map[string]int, len(fields)) // name to the last suffix tried for it
	for i := range fields {
		base := cleanUTF8(fields[i].Name)
		name := base
		n := max(used[base], 1)
		for taken(used, name) || provenance && isReserved(name) {
			n++
			name = base + "_" + strconv.Itoa(n)
		}
		used[base] = n
		if name != base {
			used[name] = 1
		}
		names[i] = name
	}
	return names
}

func taken(used map[string]int, name string) bool { _, ok := used[name]; return ok }

func namesStand(fields []crawler.Field, provenance bool) bool {
	var seen map[string]struct{}
	if len(fields) > fewFields {
		seen = make(map[string]struct{}, len(fields))
	}
	for i := range fields {
		name := fields[i].Name
		if provenance && isReserved(name) || !utf8.ValidString(name) {
			return false
		}
		if seen != nil {
			if _, dup := seen[name]; dup {
				return false
			}
			seen[name] = struct{}{}
			continue
		}
		for j := range i {
			if fields[j].Name == name {
				return false
			}
		}
	}
	return true
}

func isReserved(name string) bool {
	return strings.HasPrefix(name, "_") && (name == extraName || name == crawler.DeletedName || slices.Contains(crawler.ProvenanceNames, name))
}

// cleanUTF8 replaces each byte that is not UTF-8 by U+FFFD, as JSON strings do.
func cleanUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
