package report

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/amblecrawl/amble/cmd/format"
)

// Revisited says what became of the pages that are known over runs, "" where none are.
func (r *Report) Revisited() (pages, records string) {
	v := r.Summary.Revisit
	if v == nil {
		return "", ""
	}
	pages = counted([]countOf{
		{v.New, "new"}, {v.Changed, "changed"}, {v.Unchanged, "unchanged"}, {v.NotDue, "not due"}, {v.Gone, "gone"}, {v.Kept, "kept as they were, as they could not be had"},
	})
	if v.Unlinked > 0 {
		pages += ", " + format.Count(v.Unlinked) + " of them with no link to them"
	}
	records = counted([]countOf{{v.RecordsNew, "new"}, {v.RecordsChanged, "changed"}, {v.RecordsDeleted, "no more"}})
	if v.Writes == "changes" {
		records += "; only these were written"
	}
	return pages, records
}

// GaveNothing tells whether there is no record where there should be some: a run that
// writes changes has none where pages are as they were.
func (r *Report) GaveNothing() bool {
	v := r.Summary.Revisit
	asTheyWere := v != nil && v.Writes == "changes" && v.Unchanged+v.NotDue+v.Kept > 0
	return format.Sum(r.Summary.Records) == 0 && !asTheyWere
}

type countOf struct {
	n    int64
	what string
}

func counted(all []countOf) string {
	var parts []string
	for _, c := range all {
		if c.n > 0 {
			parts = append(parts, format.Count(c.n)+" "+c.what)
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func (r *Report) printRevisited(w *tabwriter.Writer) {
	if pages, records := r.Revisited(); pages != "" {
		fmt.Fprintf(w, "  pages\t%s\n", pages)
		fmt.Fprintf(w, "  of their records\t%s\n", records)
	}
}
