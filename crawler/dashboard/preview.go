package dashboard

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/amblecrawl/amble/crawler/monitor"
)

// previewColumns bounds a table of records.
const previewColumns = 12

// table shows records of one type, the newest first.
type table struct {
	Type    string
	Columns []string
	Rows    []tableRow
}

type tableRow struct {
	URL   string
	Cells []string
}

// tableOf lays records out by their fields.
func tableOf(t Type) table {
	out := table{Type: t.Type}
	at := map[string]int{}
	for _, r := range slices.Backward(t.Records) {
		row := tableRow{URL: r.URL, Cells: make([]string, len(out.Columns), previewColumns)}
		for _, f := range r.Fields {
			i, known := at[f.Name]
			if !known {
				if len(out.Columns) == previewColumns {
					continue
				}
				i = len(out.Columns)
				at[f.Name] = i
				out.Columns = append(out.Columns, f.Name)
				row.Cells = append(row.Cells, "")
			}
			row.Cells[i] = f.Value
		}
		out.Rows = append(out.Rows, row)
	}
	for i := range out.Rows {
		for len(out.Rows[i].Cells) < len(out.Columns) {
			out.Rows[i].Cells = append(out.Rows[i].Cells, "")
		}
	}
	return out
}

// typesOf puts records by type in the order of the types' names.
func typesOf(latest map[string][]monitor.Preview) []Type {
	all := make([]Type, 0, len(latest))
	for _, name := range slices.Sorted(maps.Keys(latest)) {
		all = append(all, Type{name, latest[name]})
	}
	return all
}

// runDetail is what the history keeps of a run beside its summary. What an older or a
// newer amble has written may lack some of it.
type runDetail struct {
	monitor.HostList
	Latest map[string][]monitor.Preview `json:"latest"`
}

func detailOf(data []byte) *runDetail {
	d := &runDetail{}
	if len(data) == 0 || json.Unmarshal(data, d) != nil {
		return nil
	}
	return d
}

// Types are the records that came last.
func (d *runDetail) Types() []Type { return typesOf(d.Latest) }

// pauseOf is the mean of what was paid before a request, in seconds; owedOf of what was
// owed.
func pauseOf(h monitor.HostFigures) float64 {
	return h.PaidS / float64(cmp.Or(max(h.Requests-1, 0), 1))
}

func owedOf(h monitor.HostFigures) float64 { return h.OwedS / float64(cmp.Or(max(h.Requests-1, 0), 1)) }
