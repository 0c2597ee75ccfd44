package microformats

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/extractors/values"
)

// The value class pattern: https://microformats.org/wiki/value-class-pattern

// pieces are the values below an element that its classes value and value-title
// mark, joined by sep.
func (r *reader) pieces(n *html.Node, sep string) (text string, ok bool, err error) {
	all, err := r.marked(n, nil)
	if err != nil || len(all) == 0 {
		return "", false, err
	}
	return strings.Join(all, sep), true, nil
}

// marked gathers the pieces below n that belong to no other property.
func (r *reader) marked(n *html.Node, times map[atom.Atom]string) (all []string, err error) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := r.budget.Step(1); err != nil {
			return nil, err
		}
		if c.Type != html.ElementNode {
			continue
		}
		classes := classesOf(c)
		switch {
		case slices.Contains(classes, "value-title"):
			all = append(all, attribute(c, "title"))
		case slices.Contains(classes, "value"):
			text, err := r.piece(c, times)
			if err != nil {
				return nil, err
			}
			all = append(all, text)
		default:
			if types, _ := rootTypes(c); types != nil || propertiesOf(c, nil) != nil {
				continue
			}
			below, err := r.marked(c, times)
			if err != nil {
				return nil, err
			}
			all = append(all, below...)
		}
	}
	return all, nil
}

var pieceKeys = map[atom.Atom]string{atom.Img: "alt", atom.Area: "alt", atom.Data: "value", atom.Abbr: "title"}

// timeKeys are the attributes that hold a date.
var timeKeys = map[atom.Atom]string{atom.Time: "datetime", atom.Ins: "datetime", atom.Del: "datetime"}

func (r *reader) piece(n *html.Node, times map[atom.Atom]string) (string, error) {
	if text, ok := first(n, times); ok {
		return strings.TrimSpace(text), nil
	}
	if text, ok := first(n, pieceKeys); ok {
		return strings.TrimSpace(text), nil
	}
	return r.budget.Keep(values.Text(n, r.budget.Step))
}

// moment is the value of a dt- property.
func (r *reader) moment(n *html.Node, f *found) (any, error) {
	pieces, err := r.marked(n, timeKeys)
	if err != nil {
		return nil, err
	}
	if len(pieces) > 0 {
		if when := joined(pieces, f); when != "" {
			return when, nil
		}
	}
	text, ok := first(n, timeKeys)
	if !ok {
		text, ok = first(n, map[atom.Atom]string{atom.Abbr: "title", atom.Data: "value", atom.Input: "value"})
	}
	if !ok {
		if text, err = r.text(n); err != nil {
			return nil, err
		}
	}
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	if timeOnly.MatchString(text) && f.date != "" { // the date of the item's other moment
		return joined([]string{text}, f), nil
	}
	if d := datePart.FindString(text); d != "" {
		f.date = d
	}
	return text, nil
}

var (
	datePart = regexp.MustCompile(`^\d{4}-(?:\d{2}-\d{2}|\d{3})`)
	dateOnly = regexp.MustCompile(`^\d{4}-(?:\d{2}-\d{2}|\d{3})$`)
	timeOnly = regexp.MustCompile(`^(\d{1,2})(?::(\d{2}))?(?::(\d{2}))? ?([AaPp]\.?[Mm]\.?)? ?(Z|[+-]\d{1,2}(?::?\d{2})?)?$`)
	zoneOnly = regexp.MustCompile(`^(Z|[+-]\d{1,2}(?::?\d{2})?)$`)
)

// joined is a date and time of their pieces; without one, the date is that of the
// item's moment before.
func joined(pieces []string, f *found) string {
	var date, clock, zone string
	for _, p := range pieces {
		p = strings.TrimSpace(p)
		switch {
		case zoneOnly.MatchString(p):
			zone = or(zone, p)
		case dateOnly.MatchString(p):
			date = or(date, p)
		case timeOnly.MatchString(p):
			t, z := clockOf(p)
			clock, zone = or(clock, t), or(zone, z)
		case len(p) > 10 && datePart.MatchString(p): // whole
			f.date = datePart.FindString(p)
			return p
		}
	}
	if date == "" {
		date = f.date
	} else {
		f.date = date
	}
	switch {
	case date == "":
		return ""
	case clock == "":
		return date
	}
	return date + " " + clock + zone
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// clockOf writes a time with two digits each: 7:30pm is 19:30.
func clockOf(text string) (clock, zone string) {
	m := timeOnly.FindStringSubmatch(text)
	hour, _ := strconv.Atoi(m[1])
	switch half := strings.ToLower(m[4]); {
	case strings.HasPrefix(half, "p") && hour < 12:
		hour += 12
	case strings.HasPrefix(half, "a") && hour == 12:
		hour = 0
	}
	clock = fmt.Sprintf("%02d:%s", hour, or(m[2], "00"))
	if m[3] != "" {
		clock += ":" + m[3]
	}
	return clock, m[5]
}
