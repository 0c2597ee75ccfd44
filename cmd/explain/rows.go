package explain

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// explainedRows is how many rows of one URL are shown.
const explainedRows = 5

// explainRows tells where a URL stands in the frontier: as that of rows, each of which
// is a request of its own, as a further page of their answers, and as that of a link.
func explainRows(c *crawl.Crawl, cmd *cobra.Command, row func(string, string, ...any), u urls.URL, call *crawler.Call, kept *crawl.Kept, key urls.Key) error {
	var further func(row uint64) bool
	if kept.Snapshot != nil {
		further = func(row uint64) bool {
			s, err := kept.Snapshot.Lookup(u.Origin(), crawler.KeyOf(key, row))
			return err == nil && s.State != "unknown"
		}
	}
	found, others, err := c.Config.RowsAt(cmd.Context(), u, call, explainedRows, further)
	if err != nil && cmd.Context().Err() == nil {
		return exit.With(exit.Config, err)
	}
	for i, r := range found {
		what := r.Place
		if r.Rows > 1 {
			what = fmt.Sprintf("%s and the %d rows behind it", r.Place, r.Rows-1)
		}
		at := crawler.KeyOf(urls.Key{}, r.Row)
		if r.Further {
			what, at = "the answer to "+what, crawler.KeyOf(key, r.Row)
		}
		row(format.Label(i, "asked for by"), "%s: %s", what, standingOf(kept, u, at))
	}
	switch {
	case len(found) == explainedRows:
		row("", "and perhaps by rows behind these")
	case others:
		row("", "and perhaps by rows that are not looked at: those of a query, or of a long file")
	}
	if len(found) == 0 {
		row("frontier", "%s", standingOf(kept, u, key))
	}
	return nil
}
