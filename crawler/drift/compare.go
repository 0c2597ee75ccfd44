package drift

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Rule says how far a run may fall from the last good one.
type Rule struct {
	// Threshold is the fall that counts, as a part: of the records that have a
	// field and of the records of a page, against what they were; of the values
	// that are of a type or shape as they were.
	Threshold float64
	// MinRecords is how many records, values or pages both runs must have.
	MinRecords int64
}

// Kind is what has fallen.
type Kind string

// The kinds of findings.
const (
	Pages   Kind = "pages"   // no page of the run was looked at for the type any more
	Records Kind = "records" // records per page
	Fill    Kind = "fill"    // records that have the field
	Type    Kind = "type"    // values of the type they had
	Shape   Kind = "shape"   // values of a length and a pattern that they had
)

// Finding is one fall beyond the threshold.
type Finding struct {
	RecordType string  `json:"type"`
	Field      string  `json:"field,omitempty"` // "" for Pages and Records
	Kind       Kind    `json:"kind"`
	Before     float64 `json:"before"` // in the last good run: a share, or records per page
	After      float64 `json:"after"`
	Message    string  `json:"message"`
	BeforePage *Sample `json:"before_page,omitempty"`
	AfterPage  *Sample `json:"after_page,omitempty"`
}

// Name is "type.field", or the type alone.
func (f *Finding) Name() string {
	if f.Field == "" {
		return f.RecordType
	}
	return f.RecordType + "." + f.Field
}

// Run is the profile of a run, by record type.
type Run struct {
	Pages int64 // on which any type was looked for
	Types map[string]*Profile
}

// Compare finds what has fallen from a good run to another, by type and field.
// Only falls count: what there is more of is no finding. skip leaves fields out,
// those that the config no longer has, say; nil leaves none out.
func Compare(good, now Run, rule Rule, skip func(recordType, field string) bool) []Finding {
	var all []Finding
	for _, name := range slices.Sorted(maps.Keys(good.Types)) {
		c := comparison{Rule: rule, name: name, good: good.Types[name], now: now.Types[name]}
		if c.now == nil {
			c.now = &Profile{}
		}
		if c.now.Pages == 0 {
			if c.good.Pages >= rule.MinRecords && now.Pages >= rule.MinRecords {
				c.noPages(now.Pages)
			}
			all = append(all, c.found...)
			continue
		}
		c.perPage()
		for _, field := range slices.Sorted(maps.Keys(c.good.Fields)) {
			if skip == nil || !skip(name, field) {
				c.field(field)
			}
		}
		all = append(all, c.found...)
	}
	return all
}

type comparison struct {
	Rule
	name      string
	good, now *Profile
	found     []Finding
}

func (c *comparison) add(f Finding, before, after []Sample) {
	f.RecordType = c.name
	f.BeforePage, f.AfterPage = pair(before, after)
	c.found = append(c.found, f)
}

// pair picks a page before and a page after, the same one where that can be.
func pair(before, after []Sample) (b, a *Sample) {
	for i := range after {
		for j := range before {
			if after[i].URL == before[j].URL {
				return &before[j], &after[i]
			}
		}
	}
	if len(before) > 0 {
		b = &before[0]
	}
	if len(after) > 0 {
		a = &after[0]
	}
	return b, a
}

func (c *comparison) noPages(others int64) {
	c.add(Finding{
		Kind: Pages, Before: float64(c.good.Pages),
		Message: fmt.Sprintf("was looked for on %d pages, now on none of %d", c.good.Pages, others),
	}, c.good.Full, nil)
}

// perPage compares how many records a page gives. Pages differ, so the fall must
// be larger than their own spread explains.
func (c *comparison) perPage() {
	g, n := c.good, c.now
	expected := g.PerPage() * float64(n.Pages)
	if g.Records < c.MinRecords || expected < float64(c.MinRecords) {
		return
	}
	fall := g.PerPage() - n.PerPage()
	spread := math.Sqrt(g.variance()/float64(g.Pages) + n.variance()/float64(n.Pages))
	if fall <= c.Threshold*g.PerPage() || fall <= significant*spread {
		return
	}
	f := Finding{
		Kind: Records, Before: g.PerPage(), After: n.PerPage(),
		Message: fmt.Sprintf("%.2f records a page, now %.2f", g.PerPage(), n.PerPage()),
	}
	if n.Rejected > 0 {
		f.Message += fmt.Sprintf(", with %d rejected", n.Rejected)
	}
	after := n.Empty
	if len(after) == 0 {
		after = n.Full
	}
	c.add(f, g.Full, after)
}

// variance is that of the records of a page.
func (p *Profile) variance() float64 {
	m := p.PerPage()
	return max(0, ratio(p.Squares, p.Pages)-m*m)
}

// significant is how many standard deviations a fall must have: one in about a
// thousand is as large by chance.
const significant = 3

// fell reports whether a share, of x of n before and y of m after, has fallen
// beyond what chance explains (the test of two proportions).
func fell(x, n, y, m int64) bool {
	before, after := ratio(x, n), ratio(y, m)
	both := ratio(x+y, n+m)
	spread := math.Sqrt(both * (1 - both) * (1/float64(n) + 1/float64(m)))
	return before-after > significant*spread
}

func (c *comparison) field(name string) {
	g, n := c.good.Fields[name], c.now.Fields[name]
	if n == nil {
		n = &Field{}
	}
	if c.good.Read < c.MinRecords || c.now.Read < c.MinRecords {
		return
	}
	before, after := ratio(g.Filled, c.good.Read), ratio(n.Filled, c.now.Read)
	if before-after > c.Threshold*before && fell(g.Filled, c.good.Read, n.Filled, c.now.Read) {
		off := n.Without
		if len(off) == 0 { // it is in no record
			off = slices.Concat(c.now.Full, c.now.Empty)
		}
		c.add(Finding{
			Field: name, Kind: Fill, Before: before, After: after,
			Message: fmt.Sprintf("in %s of records, now in %s", percent(before), percent(after)),
		}, g.With, off)
	}
	if g.Filled < c.MinRecords || n.Filled < c.MinRecords {
		return
	}
	if !c.types(name, g, n) {
		c.shape(name, g, n)
	}
}

// types compares how many values are of each type.
func (c *comparison) types(field string, g, n *Field) (found bool) {
	for _, name := range slices.Sorted(maps.Keys(g.Types)) {
		x, y := g.Types[name].N, g.of(n.Types, name)
		before, after := ratio(x, g.Filled), ratio(y, n.Filled)
		if before-after <= c.Threshold || !fell(x, g.Filled, y, n.Filled) {
			continue
		}
		// What there is more of in their place.
		instead := n.Types.most(func(t string) bool {
			return t != name && ratio(n.Types[t].N, n.Filled) > ratio(g.of(g.Types, t), g.Filled)
		})
		f := Finding{
			Field: field, Kind: Type, Before: before, After: after,
			Message: fmt.Sprintf("%s %s, now %s", percent(before), name, percent(after)),
		}
		if instead != "" {
			f.Message += ", and " + instead
		}
		c.add(f, examples(g.Types, name), examples(n.Types, instead))
		return true
	}
	return false
}

// of is how many values a cell holds, none where it is missing.
func (*Field) of(cells Cells, name string) int64 {
	if cell := cells[name]; cell != nil {
		return cell.N
	}
	return 0
}

func examples(cells Cells, name string) []Sample {
	if cell := cells[name]; cell != nil && cell.usable() {
		return []Sample{cell.Sample}
	}
	return nil
}

// rare is the share below which a shape does not count as known.
const rare = 0.02

// shape compares how many values look as values did: their pattern, and their
// length give or take a class.
func (c *comparison) shape(field string, g, n *Field) {
	patterns := func(name string) bool { return ratio(g.of(g.Patterns, name), g.Filled) >= rare }
	lengths := func(name string) bool {
		for known, cell := range g.Lengths {
			if d := place(known) - place(name); -1 <= d && d <= 1 && ratio(cell.N, g.Filled) >= rare {
				return true
			}
		}
		return false
	}
	for _, s := range []struct {
		before, after Cells
		known         func(string) bool
	}{{g.Patterns, n.Patterns, patterns}, {g.Lengths, n.Lengths, lengths}} {
		total, was := s.after.sum(), s.before.sum()
		if total < c.MinRecords || was < c.MinRecords {
			continue
		}
		x, y := s.before.count(s.known), s.after.count(s.known)
		before, after := ratio(x, was), ratio(y, total)
		if before-after <= c.Threshold || !fell(x, was, y, total) {
			continue
		}
		usual := s.before.most(s.known)
		odd := s.after.most(func(name string) bool { return !s.known(name) })
		c.add(Finding{
			Field: field, Kind: Shape, Before: before, After: after,
			Message: fmt.Sprintf("%s of values look as they did (%s), others are %s", percent(after), usual, odd),
		}, examples(s.before, usual), examples(s.after, odd))
		return
	}
}

func (c Cells) count(fits func(name string) bool) (n int64) {
	for name, cell := range c {
		if fits(name) {
			n += cell.N
		}
	}
	return n
}

// percent is a share for people; what is not all is never shown as all, and what
// is not nothing never as nothing.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.01:
		return "less than 1%"
	case share < 1 && share > 0.99:
		return "more than 99%"
	}
	return fmt.Sprintf("%.0f%%", share*100)
}
