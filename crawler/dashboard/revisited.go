package dashboard

import (
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// revisited is what became of pages that may be known from earlier runs, nil where the
// crawl knows none.
type revisited = crawler.RevisitTotals

// revisitedOf gives the figures of a run that goes on, nil where it has none.
func revisitedOf(t *revisited) *revisited {
	if *t == (revisited{}) {
		return nil
	}
	return t
}

// became says what became of pages, those parts that there are.
func became(r *revisited) string {
	if r == nil {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{
		{r.New, "new"}, {r.Changed, "changed"}, {r.Gone, "gone"}, {r.Unchanged, "unchanged"}, {r.NotDue, "not due"}, {r.Kept, "kept"},
	} {
		if p.n > 0 {
			parts = append(parts, grouped(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}
