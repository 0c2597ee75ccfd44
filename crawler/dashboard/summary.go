package dashboard

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/amblecrawl/amble/crawler"
)

// summary is what a page shows of a run's summary. What an older or newer amble has
// written may lack some of it.
type summary struct {
	DurationS  float64            `json:"duration_s"`
	Requests   int64              `json:"requests"`
	Pages      int64              `json:"pages"`
	Records    map[string]int64   `json:"records"`
	Rejected   map[string]int64   `json:"rejected"`
	Failed     int64              `json:"failed"`
	Disallowed int64              `json:"disallowed"`
	Duplicates int64              `json:"duplicates"`
	OutOfScope int64              `json:"out_of_scope"`
	Pending    int64              `json:"pending"`
	Retries    int64              `json:"retries"`
	Bytes      int64              `json:"bytes"`
	Hosts      int64              `json:"hosts"`
	Errors     map[string]int64   `json:"errors"`
	Outputs    []string           `json:"outputs"`
	Revisit    *crawler.Revisited `json:"revisit"`
	Profile    map[string]struct {
		Fields map[string]struct {
			Filled int64   `json:"filled"`
			Fill   float64 `json:"fill"`
		} `json:"fields"`
	} `json:"profile"`
	Drift struct {
		Findings []struct {
			Type    string `json:"type"`
			Field   string `json:"field"`
			Message string `json:"message"`
		} `json:"findings"`
	} `json:"drift"`
}

func summaryOf(data []byte) *summary {
	s := &summary{}
	if len(data) == 0 || json.Unmarshal(data, s) != nil {
		return nil
	}
	return s
}

// typeRow is a record type and how often its fields have a value.
type typeRow struct {
	Type              string
	Records, Rejected int64
	Fields            []fieldRow
}

type fieldRow struct {
	Name string
	Fill float64 // a part of 1
}

// Types are the record types, with those first that have most records.
func (s *summary) Types() []typeRow {
	names := map[string]bool{}
	for name := range s.Records {
		names[name] = true
	}
	for name := range s.Rejected {
		names[name] = true
	}
	var rows []typeRow
	for name := range names {
		row := typeRow{Type: name, Records: s.Records[name], Rejected: s.Rejected[name]}
		fields := s.Profile[name].Fields
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			row.Fields = append(row.Fields, fieldRow{field, fields[field].Fill})
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b typeRow) int { return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Type, b.Type)) })
	return rows
}

// Classes are the errors by class, the most frequent first.
func (s *summary) Classes() []Error {
	var rows []Error
	for class, n := range s.Errors {
		rows = append(rows, Error{Class: class, Count: n})
	}
	slices.SortFunc(rows, func(a, b Error) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class, b.Class)) })
	return rows
}
