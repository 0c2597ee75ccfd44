package drift

import (
	"maps"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Figures are a profile in numbers, as the summary has it.
type Figures struct {
	Pages          int64                   `json:"pages"`
	Records        int64                   `json:"records"`
	Rejected       int64                   `json:"rejected"`
	RecordsPerPage float64                 `json:"records_per_page"`
	Fields         map[string]FieldFigures `json:"fields"`
}

// FieldFigures are those of one field. Fill is Filled against the records whose
// fields are known; Types counts the values of these, null for those without.
type FieldFigures struct {
	Filled int64            `json:"filled"`
	Fill   float64          `json:"fill"`
	Types  map[string]int64 `json:"types"`
}

// Figures are those of the run, by record type. It may be called while the run goes on,
// by anybody.
func (t *Tally) Figures() map[string]Figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[string]Figures{}
	for _, rt := range t.opt.Types {
		p := t.now.Types[rt.Name].clone()
		for _, name := range rt.Fields {
			p.field(name)
		}
		all[rt.Name] = p.figures()
	}
	for name, p := range t.now.Types {
		if _, there := all[name]; !there {
			all[name] = p.figures()
		}
	}
	return all
}

func (p *Profile) figures() Figures {
	f := Figures{
		Pages: p.Pages, Records: p.Records, Rejected: p.Rejected, RecordsPerPage: p.PerPage(),
		Fields: make(map[string]FieldFigures, len(p.Fields)),
	}
	for name, field := range p.Fields {
		types := make(map[string]int64, len(field.Types)+1)
		for kind, cell := range field.Types {
			types[kind] = cell.N
		}
		if missing := p.Read - field.Filled; missing > 0 {
			types["null"] = missing
		}
		f.Fields[name] = FieldFigures{Filled: field.Filled, Fill: ratio(field.Filled, p.Read), Types: types}
	}
	return f
}

// Bounds of what is kept of past runs.
const (
	maxPast       = 20
	maxPastFields = 200
)

// Past are the figures of a run that has finished.
type Past struct {
	ID       string              `json:"run"`
	Started  time.Time           `json:"started"`
	Types    map[string]PastType `json:"types"`
	Findings int                 `json:"findings"` // falls from the last good run
	Accepted bool                `json:"accepted"` // it was taken as good all the same
}

// PastType are those of one record type.
type PastType struct {
	Pages    int64              `json:"pages"`
	Records  int64              `json:"records"`
	Rejected int64              `json:"rejected"`
	Fill     map[string]float64 `json:"fill"`
}

func pastOf(run crawler.RunState, now Run, findings int, accepted bool) Past {
	past := Past{ID: run.ID, Started: run.Started, Types: map[string]PastType{}, Findings: findings, Accepted: accepted && findings > 0}
	left := maxPastFields
	for _, name := range slices.Sorted(maps.Keys(now.Types)) {
		p := now.Types[name]
		one := PastType{Pages: p.Pages, Records: p.Records, Rejected: p.Rejected, Fill: map[string]float64{}}
		for _, field := range slices.Sorted(maps.Keys(p.Fields)) {
			if left--; left < 0 {
				break
			}
			one.Fill[field] = p.Fill(field)
		}
		past.Types[name] = one
	}
	return past
}
