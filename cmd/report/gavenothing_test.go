package report

import (
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// No record is worth a word where there should be some, not where a run writes changes
// and nothing has changed.
func TestNoRecordIsNoNewsWhereNothingChanged(t *testing.T) {
	for name, c := range map[string]struct {
		revisit *crawler.Revisited
		nothing bool
	}{
		"without revisits":    {nil, true},
		"all records":         {&crawler.Revisited{Writes: "all", RevisitTotals: crawler.RevisitTotals{Unchanged: 9}}, true},
		"nothing has changed": {&crawler.Revisited{Writes: "changes", RevisitTotals: crawler.RevisitTotals{Unchanged: 9}}, false},
		"nothing is due":      {&crawler.Revisited{Writes: "changes", RevisitTotals: crawler.RevisitTotals{NotDue: 9}}, false},
		"the first run":       {&crawler.Revisited{Writes: "changes", RevisitTotals: crawler.RevisitTotals{New: 9}}, true},
		"all has changed":     {&crawler.Revisited{Writes: "changes", RevisitTotals: crawler.RevisitTotals{Changed: 9}}, true},
	} {
		r := Report{Config: "x.yaml", Summary: crawler.Summary{Status: crawler.StatusFinished, Pages: 9, Records: map[string]int64{"book": 0}, Revisit: c.revisit}}
		var out strings.Builder
		r.Print(&out)
		if told := strings.Contains(out.String(), "shows why a page gives no record"); r.GaveNothing() != c.nothing || told != c.nothing {
			t.Errorf("%s: %v\n%s", name, told, &out)
		}
	}
}
