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

// seen is how many pages there were, those among them that were not fetched again.
func seen(pages int64, r *revisited) int64 {
	if r == nil {
		return pages
	}
	return max(pages, r.New+r.Changed+r.Unchanged+r.NotDue+r.Kept)
}

// Seen is how many pages the run has dealt with, those among them that were not fetched
// again as they had not changed.
func (l *Live) Seen() int64 { return seen(l.Pages, l.Revisit) }

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
