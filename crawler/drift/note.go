package drift

import "github.com/amblecrawl/amble/crawler"

// note is what a page gave, for the profiles of its types.
type note struct {
	url   string
	types []typeNote
}

type typeNote struct {
	name     string
	records  [][]crawler.Field // of the records written
	rejects  [][]crawler.Field // of those that were not, where they are known
	rejected int
}

// noteOf gathers a page's records by their types. Types that were not looked for
// on the page, but came, are counted as well.
func noteOf(url string, r *crawler.Result) *note {
	n := &note{url: url}
	for _, name := range r.Matched {
		n.of(name)
	}
	for i := range r.Records {
		t := n.of(r.Records[i].Type)
		t.records = append(t.records, r.Records[i].Fields)
	}
	for i := range r.Rejects {
		t := n.of(r.Rejects[i].Type)
		t.rejected++
		if fields := r.Rejects[i].Fields; fields != nil {
			t.rejects = append(t.rejects, fields)
		}
	}
	return n
}

func (n *note) of(name string) *typeNote {
	for i := range n.types {
		if n.types[i].name == name {
			return &n.types[i]
		}
	}
	n.types = append(n.types, typeNote{name: name})
	return &n.types[len(n.types)-1]
}

// count adds a page to the profile of a type. expected are the fields that are
// missed where they are not in a record.
func (p *Profile) count(url string, t *typeNote, expected []string) {
	written := int64(len(t.records))
	page := Sample{URL: url}
	page.order()
	p.Pages++
	p.Records += written
	p.Rejected += int64(t.rejected)
	p.Squares += written * written
	if written > 0 {
		p.Full = keep(p.Full, page)
	} else {
		p.Empty = keep(p.Empty, page)
	}
	for _, list := range [][][]crawler.Field{t.records, t.rejects} {
		for _, fields := range list {
			p.record(page, fields, expected)
		}
	}
}

func (p *Profile) record(page Sample, fields []crawler.Field, expected []string) {
	p.Read++
	filled := map[string]bool{}
	p.values(page, "", fields, filled, 0)
	for _, name := range expected {
		if !filled[name] {
			f := p.field(name)
			f.Without = keep(f.Without, page)
		}
	}
}

// maxNesting is how deep objects in records are looked into.
const maxNesting = 3

// values counts the values of fields, those in objects under "outer.inner".
func (p *Profile) values(page Sample, prefix string, fields []crawler.Field, filled map[string]bool, depth int) {
	for i := range fields {
		name := prefix + fields[i].Name
		if len(name) > 128 || filled[name] { // a second field of a name is renamed by outputs
			continue
		}
		s, ok := look(fields[i].Value)
		if !ok {
			f := p.field(name)
			f.Without = keep(f.Without, page)
			continue
		}
		filled[name] = true
		p.field(name).value(page, s)
		if inner, nested := fields[i].Value.([]crawler.Field); nested && depth < maxNesting {
			p.values(page, name+".", inner, filled, depth+1)
		}
	}
}

func (f *Field) value(url Sample, s seen) {
	sample := Sample{} // which leaves examples as they are
	if f.takes(url, s) {
		sample = url
		sample.Value = excerpt(s.text)
	}
	f.Filled++
	f.With = keep(f.With, sample)
	f.Types.add(s.kind, 1, sample)
	if s.length != "" {
		f.Lengths.add(s.length, 1, sample)
	}
	if s.pattern != "" {
		f.Patterns.add(s.pattern, 1, sample)
	}
}

// takes reports whether a value on a page may become one of the examples; what it
// looks like in full is then worth its price.
func (f *Field) takes(page Sample, s seen) bool {
	if n := len(f.With); n < maxSamples || page.hash <= f.With[n-1].order() {
		return true
	}
	for _, c := range []struct {
		cells Cells
		name  string
	}{{f.Types, s.kind}, {f.Lengths, s.length}, {f.Patterns, s.pattern}} {
		if cell := c.cells[c.name]; c.name != "" && (cell == nil || !cell.usable() || page.hash <= cell.order()) {
			return true
		}
	}
	return false
}
