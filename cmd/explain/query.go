package explain

import (
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/urls"
)

// explainQuery is explain for the URL of a query, of which no site has a say.
func explainQuery(c *crawl.Crawl, cmd *cobra.Command, w *tabwriter.Writer, row func(string, string, ...any), u urls.URL, standing string) error {
	x := c.Gate.Explain(u.Origin(), u.Fetch())
	what := "query"
	if u.Scheme() == download.Scheme {
		what = "request"
	}
	row("scope", "in: the config names the "+map[string]string{"query": "query", "request": "bucket"}[what])
	if u.Scheme() == download.Scheme {
		place, seed := c.ObjectPlace(u)
		row("seed", "%s", seed)
		if place != "" {
			row("file", "%s", place)
		}
	}
	row("at once", "%s", format.Plural(int64(x.Concurrency), what))
	row("frontier", "%s", standing)
	row("verdict", "would ask the connection %s", u.Hostname())
	if err := w.Flush(); err != nil {
		return err
	}
	if cmd.Context().Err() != nil {
		return exit.Silent(exit.Interrupted)
	}
	return nil
}
