package survey

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Match selects the pages of one kind by their addresses: a path glob, or a
// regular expression where numbers tell more than a glob can. The zero Match is
// none.
type Match struct{ Glob, Regex string }

// MatchOf is what the paths, or paths with queries, have in common that lead to
// pages of one kind, with as few others as may be. Of paths of different depths it
// follows the most; kept are the places of these.
func MatchOf(paths []string) (m Match, kept []int) {
	byDepth := map[int][]int{}
	depth := 0
	split := make([][]string, len(paths))
	for i, p := range paths {
		path, query, _ := strings.Cut(p, "?")
		parts := strings.Split(path, "/")
		if query != "" {
			parts[len(parts)-1] += "?" + query
		}
		split[i] = parts
		byDepth[len(parts)] = append(byDepth[len(parts)], i)
		if n := len(byDepth[len(parts)]); n > len(byDepth[depth]) || n == len(byDepth[depth]) && len(parts) > depth {
			depth = len(parts)
		}
	}
	if kept = byDepth[depth]; len(kept) == 0 || depth < 2 {
		return Match{}, nil
	}
	glob, regex := make([]string, depth), make([]string, depth)
	numbers := false
	own := depth - 1 // the segment that is a single page's own
	if index := split[kept[0]][own]; depth > 2 && (index == "" || strings.HasPrefix(index, "index.")) {
		own--
	}
	if strings.Trim(paths[kept[0]], "/") == "" {
		return Match{}, kept // the front page is like no other
	}
	for i := range depth {
		column := make([]string, len(kept))
		for j, at := range kept {
			column[j] = split[at][i]
		}
		s := segment{parts: column, last: i == depth-1, own: i == own && len(kept) == 1}
		glob[i] = s.glob()
		var number bool
		regex[i], number = s.regex()
		numbers = numbers || number && !s.last
	}
	if numbers && !strings.Contains(glob[depth-1], "?") {
		return Match{Regex: strings.Join(regex, "/")}, kept
	}
	return Match{Glob: strings.Join(glob, "/")}, kept
}

// segment is the same segment of several paths.
type segment struct {
	parts []string
	last  bool
	own   bool // of a single page, and not of others like it
}

var (
	numeric = regexp.MustCompile(`^[0-9]{1,10}$`)
	escapes = strings.NewReplacer("*", `\*`, "{", `\{`, "}", `\}`, `\`, `\\`, "#", "%23")
)

// all reports whether every part fits.
func (s segment) all(fits func(string) bool) bool {
	return !slices.ContainsFunc(s.parts, func(p string) bool { return !fits(p) })
}

// fixed reports whether all parts are one word.
func (s segment) fixed() bool {
	first := s.parts[0]
	return !s.own && !numeric.MatchString(first) && s.all(func(p string) bool { return p == first })
}

// ending is the file ending that all parts have, "" for none.
func (s segment) ending() string {
	first := s.parts[0]
	dot := strings.LastIndexByte(first, '.')
	if !s.last || dot < 0 || !s.all(func(p string) bool { return strings.HasSuffix(p, first[dot:]) }) {
		return ""
	}
	return first[dot:]
}

func (s segment) glob() string {
	path, query, hasQuery := strings.Cut(s.parts[0], "?")
	if hasQuery {
		if !s.all(func(p string) bool { return strings.HasPrefix(p, path+"?") }) {
			return "*"
		}
		name, _, _ := strings.Cut(query, "=")
		if !plainName.MatchString(name) || !s.all(func(p string) bool { return strings.HasPrefix(p, path+"?"+name+"=") }) {
			return escapes.Replace(path) + "?*"
		}
		return escapes.Replace(path) + "?" + name + "=*"
	}
	if s.fixed() {
		return escapes.Replace(s.parts[0])
	}
	return "*" + escapes.Replace(s.ending())
}

// regex is the segment as a regular expression; number tells that it says of
// digits that they are.
func (s segment) regex() (re string, number bool) {
	switch {
	case s.fixed():
		return regexp.QuoteMeta(s.parts[0]), false
	case s.all(numeric.MatchString):
		n := len(s.parts[0])
		if s.all(func(p string) bool { return len(p) == n }) && (n == 2 || n == 4) {
			return fmt.Sprintf(`\d{%d}`, n), true
		}
		return `\d+`, true
	}
	return `[^/]+` + regexp.QuoteMeta(s.ending()), false
}

// PathType names a kind of page by what its addresses match: the last folder
// that is a word. "" when none is.
func (m Match) PathType() string {
	path, _, query := strings.Cut(m.Glob+m.Regex, "?")
	parts := strings.Split(path, "/")
	if !query {
		parts = parts[:len(parts)-1]
	}
	for _, p := range slices.Backward(parts) {
		p, _, _ = strings.Cut(p, ".")
		if !strings.ContainsAny(p, `*\[`) && len(p) > 2 {
			if t := typeName(p); t != "" {
				return t
			}
		}
	}
	return ""
}
