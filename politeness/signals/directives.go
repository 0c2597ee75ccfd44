package signals

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Robots is what a page asks of a crawler. The zero value asks nothing.
type Robots struct {
	// NoIndex asks not to keep the page: records are not to be made of it.
	NoIndex bool
	// NoFollow asks not to follow the page's links.
	NoFollow bool
	// NoArchive asks not to keep a copy of the page.
	NoArchive bool
	// UnavailableAfter is the earliest instant stated from which the page is
	// not to be kept, and zero when none is. Once it has passed NoIndex is set.
	UnavailableAfter time.Time
	// From says which directives did it and where they stood, such as
	// "nofollow (meta robots)".
	From []string
	// Problems says what could not be read, and so was taken to restrict.
	Problems []string
}

// maxDirectives bounds the directives and notes of one page.
const maxDirectives = 64

// Directives reads the X-Robots-Tag fields of a response and the meta elements
// of its page for the crawler with a product token, at the time now. What
// speaks to every crawler and what names this one add up, and the most
// restrictive wins: "all", "index" and "follow" take nothing back.
//
// The directives are noindex, nofollow, none (both), noarchive or nocache, and
// unavailable_after; others are ignored. A date that leaves open what it means,
// by its time zone or the order of day and month, is read as the earliest
// instant it can mean, and one that cannot be read as passed. A field that is
// too long, or more directives than are looked at, restricts in every way.
//
// There is no standard. It follows what Google publishes as "Robots meta tag,
// data-nosnippet, and X-Robots-Tag specifications", and draft-illyes-repext in
// that the negative rules of all elements add up. A field such as
// "otherbot: noindex, nofollow" is for that crawler to its end, or to the next
// name in it.
func Directives(agent string, header http.Header, metas []Meta, now time.Time) Robots {
	r := reader{agent: token(agent), now: now}
	for _, field := range header.Values("X-Robots-Tag") {
		r.list(field, "X-Robots-Tag", true)
	}
	for _, m := range metas {
		name := strings.TrimFunc(m.Name, blank)
		if strings.EqualFold(name, "robots") || r.isMe(name) {
			r.list(m.Content, "meta "+strings.ToLower(shown(name, maxName)), false)
		}
	}
	return r.robots
}

// reader gathers the directives of one page.
type reader struct {
	agent  string
	now    time.Time
	seen   int
	robots Robots
}

func (r *reader) isMe(name string) bool {
	t := token(name)
	return t != "" && strings.EqualFold(t, r.agent)
}

// list reads one field or content attribute. Only fields can name crawlers.
func (r *reader) list(list, source string, scoped bool) {
	if len(list) > maxField {
		r.restrict(source, "too long to be read")
		return
	}
	mine := true
	pieces := strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ';' })
	for i, piece := range pieces {
		piece = strings.TrimFunc(piece, blank)
		if name, value, ok := strings.Cut(piece, ":"); ok && scoped && isScope(name, value) {
			mine = r.isMe(strings.TrimFunc(name, blank))
			piece = strings.TrimFunc(value, blank)
		}
		if !mine || piece == "" {
			continue
		}
		if r.seen++; r.seen > maxDirectives {
			r.restrict(source, fmt.Sprintf("more than %d directives", maxDirectives))
			return
		}
		r.directive(piece, pieces[i+1:], source)
	}
}

// directive reads one piece between commas, and for a date what follows it.
// Words beside a directive are looked at too: commas get forgotten.
func (r *reader) directive(piece string, following []string, source string) {
	name, value, valued := strings.Cut(piece, ":")
	words := strings.FieldsFunc(name, blank)
	switch {
	case !valued && r.word(piece, source):
		return
	case valued && plainName(name) == "unavailableafter":
		r.unavailable(value, following, source)
		return
	case valued && len(words) > 0 && plainName(words[len(words)-1]) == "unavailableafter":
		r.unavailable(value, following, source)
		words = words[:len(words)-1]
	default:
		words = append(words, strings.FieldsFunc(value, blank)...)
	}
	for _, word := range words {
		r.word(word, source)
	}
}

// word applies a directive without a value, and reports whether it is one.
func (r *reader) word(word, source string) bool {
	name := plainName(word)
	switch name {
	case "noindex":
		r.robots.NoIndex = true
	case "nofollow":
		r.robots.NoFollow = true
	case "none":
		r.robots.NoIndex, r.robots.NoFollow = true, true
	case "noarchive", "nocache":
		r.robots.NoArchive = true
	case "unavailableafter":
		r.unavailable("", nil, source)
	default:
		return false
	}
	r.from(name, source)
	return true
}

// maxDateCommas is how many commas a date can hold: "Friday, June 25, 2027, 15:00".
const maxDateCommas = 3

// unavailable reads a date, which may have been split at its commas.
func (r *reader) unavailable(value string, following []string, source string) {
	longest := 0
	for longest < min(maxDateCommas, len(following)) && !startsDirective(following[longest]) {
		longest++
	}
	for n := longest; n >= 0; n-- {
		date := strings.Join(append([]string{value}, following[:n]...), ",")
		if at, ok := earliestDate(date); ok {
			r.until(at)
			r.from("unavailable_after "+at.UTC().Format(time.RFC3339), source)
			return
		}
	}
	r.until(r.now)
	r.problem(source, "unavailable_after "+quoted(strings.TrimFunc(value, blank))+" is no date that can be read, so it has passed")
}

// until keeps the earliest end; an end that has come forbids to keep the page.
func (r *reader) until(at time.Time) {
	if r.robots.UnavailableAfter.IsZero() || at.Before(r.robots.UnavailableAfter) {
		r.robots.UnavailableAfter = at
	}
	if !at.After(r.now) {
		r.robots.NoIndex = true
	}
}

func (r *reader) restrict(source, problem string) {
	r.robots.NoIndex, r.robots.NoFollow, r.robots.NoArchive = true, true, true
	r.problem(source, problem)
}

func (r *reader) problem(source, problem string) {
	note := source + ": " + problem
	if len(r.robots.Problems) < maxDirectives && !slices.Contains(r.robots.Problems, note) {
		r.robots.Problems = append(r.robots.Problems, note)
	}
}

func (r *reader) from(directive, source string) {
	note := directive + " (" + source + ")"
	if len(r.robots.From) < maxDirectives && !slices.Contains(r.robots.From, note) {
		r.robots.From = append(r.robots.From, note)
	}
}

// known are the directives that crawlers publish, as plainName has them. Those
// that ask nothing of us are here to be told from names of crawlers and from
// parts of dates.
var known = []string{
	"all", "index", "follow", "noindex", "nofollow", "none", "noarchive", "nocache", "nosnippet",
	"noimageindex", "notranslate", "noodp", "noydir", "noai", "noimageai", "indexifembedded", "archive",
	"snippet", "maxsnippet", "maximagepreview", "maxvideopreview", "unavailableafter",
}

// valued are those with a value.
var valued = []string{"maxsnippet", "maximagepreview", "maxvideopreview", "unavailableafter"}

// isScope tells "otherbot: noindex" from a directive with a value: the name of
// a crawler stands before a directive or before nothing. Where neither reading
// is sure the list stays with whom it was for, so that no directive is lost.
func isScope(name, value string) bool {
	name = strings.TrimFunc(name, blank)
	if name == "*" {
		return false
	}
	if token(name) == "" || strings.ContainsFunc(name, blank) || slices.Contains(valued, plainName(name)) {
		return false
	}
	return strings.TrimFunc(value, blank) == "" || startsDirective(value)
}

// startsDirective reports whether a piece begins with a directive, as such or
// behind the name of a crawler.
func startsDirective(piece string) bool {
	for piece != "" {
		word, rest, more := strings.Cut(piece, ":")
		words := strings.FieldsFunc(word, blank)
		if len(words) > 0 && (slices.Contains(known, plainName(words[0])) || slices.Contains(known, plainName(word))) {
			return true
		}
		if !more || len(words) != 1 || token(words[0]) == "" {
			return false
		}
		piece = rest
	}
	return false
}

// plainName makes No-Index, no_index and "no index" one word.
func plainName(s string) string {
	return strings.Map(func(c rune) rune {
		if blank(c) || c == '-' || c == '_' {
			return -1
		}
		return c
	}, strings.ToLower(s))
}
