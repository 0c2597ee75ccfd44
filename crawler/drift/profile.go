package drift

import (
	"cmp"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"
)

// Bounds of a profile.
const (
	maxFields  = 256 // of a record type, beside those that the config names
	maxSamples = 4
	maxURL     = 1024
	maxValue   = 80 // characters of a value that is shown
)

// Profile is what the records of one type are like.
type Profile struct {
	Pages    int64 `json:"pages"`    // on which they were looked for
	Records  int64 `json:"records"`  // written
	Rejected int64 `json:"rejected"` // not written
	Squares  int64 `json:"squares"`  // of the records written of each page, summed
	// Read counts the records whose fields are known, written or not.
	Read   int64             `json:"read"`
	Full   []Sample          `json:"full,omitempty"`  // pages that gave records
	Empty  []Sample          `json:"empty,omitempty"` // pages that gave none
	Fields map[string]*Field `json:"fields,omitempty"`
}

// Field is what the values of one field are like.
type Field struct {
	Filled   int64    `json:"filled"` // records in which it has a value
	Types    Cells    `json:"types,omitempty"`
	Lengths  Cells    `json:"lengths,omitempty"`
	Patterns Cells    `json:"patterns,omitempty"`
	With     []Sample `json:"with,omitempty"`    // pages on which it has a value
	Without  []Sample `json:"without,omitempty"` // pages on which it has none
}

// Cells count values by a name for what they have in common.
type Cells map[string]*Cell

// Cell counts values and keeps an example of them.
type Cell struct {
	N int64 `json:"n"`
	Sample
}

// Sample is a page, and a value on it.
type Sample struct {
	URL   string `json:"url,omitempty"`
	Value string `json:"value,omitempty"`

	hash uint64 // of the URL, 0 until it is asked for
}

func (s *Sample) order() uint64 {
	if s.hash == 0 {
		s.hash = xxh3.HashString(s.URL)
	}
	return s.hash
}

// compare orders samples by chance, but the same in every run: the examples of a
// run that reads the same pages as the last one come from the same pages.
func (s Sample) compare(o Sample) int {
	if s.URL == o.URL {
		return cmp.Compare(s.Value, o.Value)
	}
	return cmp.Or(cmp.Compare(s.order(), o.order()), cmp.Compare(s.URL, o.URL))
}

// usable reports whether a page can be an example.
func (s Sample) usable() bool { return s.URL != "" && len(s.URL) <= maxURL }

// keep adds a sample to a bounded list, in order, one of each page.
func keep(list []Sample, s Sample) []Sample {
	if !s.usable() {
		return list
	}
	at, found := slices.BinarySearchFunc(list, s, Sample.compare)
	switch {
	case found, at == maxSamples:
		return list
	case at > 0 && list[at-1].URL == s.URL:
		return list // with a value that comes first
	}
	if at < len(list) && list[at].URL == s.URL {
		list[at] = s
		return list
	}
	s.Value = strings.Clone(s.Value) // which may be a part of the page
	list = slices.Insert(list, at, s)
	return list[:min(len(list), maxSamples)]
}

func keepAll(list, more []Sample) []Sample {
	for _, s := range more {
		list = keep(list, s)
	}
	return list
}

// add counts n values with an example.
func (c *Cells) add(name string, n int64, s Sample) {
	if *c == nil {
		*c = Cells{}
	}
	cell := (*c)[name]
	if cell == nil {
		cell = &Cell{}
		(*c)[name] = cell
	}
	cell.N += n
	if s.usable() && (!cell.usable() || s.compare(cell.Sample) < 0) {
		s.Value = strings.Clone(s.Value)
		cell.Sample = s
	}
}

func (c *Cells) merge(o Cells) {
	for name, cell := range o {
		c.add(name, cell.N, cell.Sample)
	}
}

// sum is how many values the cells hold.
func (c Cells) sum() (n int64) {
	for _, cell := range c {
		n += cell.N
	}
	return n
}

// most is the name of the cell with most values among those that fit, "" without
// one.
func (c Cells) most(fits func(name string) bool) (most string) {
	for name, cell := range c {
		if !fits(name) {
			continue
		}
		if most == "" || cell.N > c[most].N || cell.N == c[most].N && name < most {
			most = name
		}
	}
	return most
}

func (c Cells) clone() Cells {
	if c == nil {
		return nil
	}
	copied := make(Cells, len(c))
	for name, cell := range c {
		one := *cell
		copied[name] = &one
	}
	return copied
}

func (f *Field) merge(o *Field) {
	f.Filled += o.Filled
	f.Types.merge(o.Types)
	f.Lengths.merge(o.Lengths)
	f.Patterns.merge(o.Patterns)
	f.With, f.Without = keepAll(f.With, o.With), keepAll(f.Without, o.Without)
}

// merge adds the pages of another profile. known tells the fields that are kept
// whatever their number.
func (p *Profile) merge(o *Profile, known func(field string) bool) {
	p.Pages += o.Pages
	p.Records += o.Records
	p.Rejected += o.Rejected
	p.Squares += o.Squares
	p.Read += o.Read
	p.Full, p.Empty = keepAll(p.Full, o.Full), keepAll(p.Empty, o.Empty)
	for name, f := range o.Fields {
		p.field(name).merge(f)
	}
	p.bound(known)
}

// field is that of a name, which may be new.
func (p *Profile) field(name string) *Field {
	f := p.Fields[name]
	if f == nil {
		if p.Fields == nil {
			p.Fields = map[string]*Field{}
		}
		f = &Field{}
		p.Fields[name] = f
	}
	return f
}

// bound drops fields beyond the bound: those whose names come last in an order by
// chance. A field that is left has been there from its first value, since fewer
// names come before it than are kept, in the whole and so in each part.
func (p *Profile) bound(known func(field string) bool) {
	if len(p.Fields) <= maxFields {
		return
	}
	var others []string
	for name := range p.Fields {
		if !known(name) {
			others = append(others, name)
		}
	}
	if len(others) <= maxFields {
		return
	}
	slices.SortFunc(others, func(a, b string) int {
		return cmp.Or(cmp.Compare(xxh3.HashString(a), xxh3.HashString(b)), cmp.Compare(a, b))
	})
	for _, name := range others[maxFields:] {
		delete(p.Fields, name)
	}
}

func (p *Profile) clone() *Profile {
	if p == nil {
		return &Profile{}
	}
	copied := *p
	copied.Full, copied.Empty = slices.Clone(p.Full), slices.Clone(p.Empty)
	copied.Fields = make(map[string]*Field, len(p.Fields))
	for name, f := range p.Fields {
		one := *f
		one.Types, one.Lengths, one.Patterns = f.Types.clone(), f.Lengths.clone(), f.Patterns.clone()
		one.With, one.Without = slices.Clone(f.With), slices.Clone(f.Without)
		copied.Fields[name] = &one
	}
	return &copied
}

// PerPage is how many records a page gives.
func (p *Profile) PerPage() float64 { return ratio(p.Records, p.Pages) }

// Fill is the share of records that have a value in a field.
func (p *Profile) Fill(field string) float64 {
	f := p.Fields[field]
	if f == nil {
		return 0
	}
	return ratio(f.Filled, p.Read)
}

func ratio(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
