package crawler

import (
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler/urls"
)

// TrapRules bound what a site can make up without end; docs/traps.md has them
// with their reasons. A zero takes its rule away.
type TrapRules struct {
	Repeats int   // rounds that a path may go
	Facets  int64 // pages of a path with several parameters that combine freely
	Stale   int64 // pages in a row of one pattern, reached through itself, that say nothing new
	Pattern int64 // pages of one pattern, reached through itself
	// NearDuplicates leaves the links of a page alone that says nearly what one
	// before it has said.
	NearDuplicates bool
	// News are record types read from chosen pages only: a page with a record
	// of one of them is never stale.
	News []string
}

// The names of the rules, as reports have them.
const (
	trapRepeats = "repeats"
	trapFacets  = "facets"
	trapStale   = "stale"
	trapPattern = "pattern"
)

const (
	// throughFrom pages of one pattern in a row make a page one that is reached
	// through its own pattern. A few hops are usual: related products.
	throughFrom = 4
	// deepFrom links from a seed a page counts as such too, so that patterns that
	// lead to each other in turn are no way out.
	deepFrom = 100
	// sameEnough pages in a row with a text seen before make a pattern no news to
	// the pages that link to it.
	sameEnough = 16
	// similar is the greatest distance between the prints of nearly the same
	// texts, after Manku, Jain and Das Sarma, "Detecting Near-Duplicates for Web
	// Crawling" (WWW 2007).
	similar = 3
	// fewWords are too few to call two pages near-duplicates.
	fewWords = 32
)

// The bounds of what is kept of one host.
const (
	maxPatterns = 64
	maxPaths    = 32
	maxSets     = 64 // of parameter names of a path
	maxText     = 16 // prints of a pattern
	maxPrints   = 256
	maxName     = 200 // bytes of a pattern's name
)

// trapFind is a URL that a rule cuts.
type trapFind struct {
	rule    string
	pattern string
	why     string
}

func (f *trapFind) detail() string { return f.rule + " " + f.pattern + ": " + f.why }

// hostTraps is what the rules remember of one host. Its lists are in order of
// use, the last used last, and the first goes when one is full.
type hostTraps struct {
	Patterns []patternCount `json:"patterns,omitempty"`
	Paths    []pathCount    `json:"paths,omitempty"`
	Seen     []seenText     `json:"seen,omitempty"`
}

// seenText is the text of one page.
type seenText struct {
	Print uint64 `json:"p"`
	Key   uint64 `json:"k"` // of the page
}

// patternCount is what is known of a pattern that leads to itself.
type patternCount struct {
	Name  string `json:"name"`
	Pages int64  `json:"pages"` // reached through the pattern itself
	Same  int64  `json:"same"`  // of them in a row, with a text seen before
	Stale int64  `json:"stale"` // of them in a row, with nothing new at all
	Text  prints `json:"text,omitempty"`
}

// pathCount is what is known of the parameters of a path.
type pathCount struct {
	Path  string   `json:"path"`
	Names []uint32 `json:"names"`
	Sets  []uint32 `json:"sets"`
	Pages int64    `json:"pages"` // with two parameters or more
}

// prints are texts, the oldest first.
type prints []uint64

// near reports whether one of the prints is nearly p.
func (s prints) near(p uint64) bool {
	return slices.ContainsFunc(s, func(q uint64) bool { return distance(p, q) <= similar })
}

func (s *prints) add(p uint64) {
	if len(*s) >= maxText {
		*s = slices.Delete(*s, 0, 1)
	}
	*s = append(*s, p)
}

// use finds an entry and moves it to the end, or makes it there.
func use[T any](list *[]T, most int, is func(*T) bool, fresh T) *T {
	entry := fresh
	if i := slices.IndexFunc(*list, func(t T) bool { return is(&t) }); i >= 0 {
		entry = (*list)[i]
		*list = slices.Delete(*list, i, i+1)
	} else if len(*list) >= most {
		*list = slices.Delete(*list, 0, 1)
	}
	*list = append(*list, entry)
	return &(*list)[len(*list)-1]
}

func (h *hostTraps) pattern(name string) *patternCount {
	name = cut(name)
	return use(&h.Patterns, maxPatterns, func(p *patternCount) bool { return p.Name == name }, patternCount{Name: name})
}

// known is the entry of a pattern, nil without one.
func (h *hostTraps) known(name string) *patternCount {
	name = cut(name)
	if i := slices.IndexFunc(h.Patterns, func(p patternCount) bool { return p.Name == name }); i >= 0 {
		return &h.Patterns[i]
	}
	return nil
}

func (h *hostTraps) path(path string) *pathCount {
	path = cut(path)
	return use(&h.Paths, maxPaths, func(p *pathCount) bool { return p.Path == path }, pathCount{Path: path})
}

// cut shortens a long name to its beginning and a fingerprint of the whole.
func cut(name string) string {
	if len(name) <= maxName {
		return name
	}
	return fmt.Sprintf("%s...%08x", name[:maxName-11], uint32(xxh3.HashString(name)))
}

// note adds a set of parameter names.
func (p *pathCount) note(names []string) {
	var set uint32
	for _, name := range names {
		h := uint32(xxh3.HashString(name))
		set = set*31 + h
		if len(p.Names) < maxSets && !slices.Contains(p.Names, h) {
			p.Names = append(p.Names, h)
		}
	}
	if len(p.Sets) < maxSets && !slices.Contains(p.Sets, set) {
		p.Sets = append(p.Sets, set)
	}
}

// combine reports whether the parameters combine freely, as the filters of a
// shop do: then sets of them are many more than names. The parameters that
// choose what a program does come in a few sets.
func (p *pathCount) combine() bool {
	return len(p.Names) >= 4 && (2*len(p.Sets) >= 5*len(p.Names) || len(p.Sets) == maxSets)
}

// circles finds paths that go in circles.
func (t *TrapRules) circles(u urls.URL) *trapFind {
	if t.Repeats <= 0 {
		return nil
	}
	r := u.Repetition()
	if r.Times <= t.Repeats {
		return nil
	}
	return &trapFind{
		rule: trapRepeats, pattern: cut(r.Start + r.Unit + r.Unit + "/..."),
		why: fmt.Sprintf("%s stands %d times in a row, more than %d", cut(r.Unit), r.Times, t.Repeats),
	}
}

// facets finds combinations of parameters beyond the bound.
func (t *TrapRules) facets(p *pathCount) *trapFind {
	if t.Facets <= 0 || p.Pages < t.Facets || !p.combine() {
		return nil
	}
	return &trapFind{
		rule: trapFacets, pattern: p.Path + "?...",
		why: fmt.Sprintf("its parameters combine freely, and %d pages with two or more were requested", p.Pages),
	}
}

// through finds what is reached through its own pattern beyond the bounds.
func (t *TrapRules) through(p *patternCount) *trapFind {
	switch {
	case t.Stale > 0 && p.Stale >= t.Stale:
		return &trapFind{
			rule: trapStale, pattern: p.Name,
			why: fmt.Sprintf("%d pages in a row that it led to from its own said nothing new", p.Stale),
		}
	case t.Pattern > 0 && p.Pages >= t.Pattern:
		return &trapFind{
			rule: trapPattern, pattern: p.Name,
			why: fmt.Sprintf("%d pages that it led to from its own were requested", p.Pages),
		}
	}
	return nil
}
