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
// is a request of its own, and as that of a link.
func (c explainer) explainRows(cmd *cobra.Command, row func(string, string, ...any), u urls.URL, call *crawler.Call, kept *crawl.Kept, key urls.Key) error {
	found, others, err := c.Config.RowsAt(cmd.Context(), u, call, explainedRows)
	if err != nil && cmd.Context().Err() == nil {
		return exit.With(exit.Config, err)
	}
	for i, r := range found {
		what := r.Place
		if r.Rows > 1 {
			what = fmt.Sprintf("%s and the %d rows behind it", r.Place, r.Rows-1)
		}
		row(format.Label(i, "asked for by"), "%s: %s", what, standingOf(kept, u, crawler.KeyOf(urls.Key{}, r.Row)))
	}
	switch {
	case len(found) == explainedRows:
		row("", "and perhaps by rows behind these")
	case others:
		row("", "and perhaps by rows of a query, which only a run knows")
	}
	if len(found) == 0 {
		row("frontier", "%s", standingOf(kept, u, key))
	}
	return nil
}
