package try

import (
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// tryObject shows what would become of an object, of which nothing but the header is
// fetched.
func tryObject(c *crawl.Crawl, cmd *cobra.Command, u urls.URL) error {
	said := cmd.ErrOrStderr()
	one := c.Single(cli.Teller(said))
	length := int64(-1)
	var header http.Header
	page, err := one.Fetch(cmd.Context(), one.Request(u), crawler.FetchOptions{
		Raw: true,
		Receive: func(_ int, h http.Header, n int64, _ io.Reader) error {
			header, length = h, n
			return nil
		},
	})
	if err != nil {
		return exit.With(exit.Nothing, err)
	}
	if page.Response.Status/100 != 2 {
		return exit.With(exit.Nothing, fmt.Errorf("%w: status %d", crawl.ErrWithheld, page.Response.Status))
	}
	place, seed := c.ObjectPlace(u)
	fmt.Fprintf(said, "%s: %s, %s", u.Redacted(), format.Size(max(length, 0)), header.Get("Content-Type"))
	if modified := header.Get("Last-Modified"); modified != "" {
		fmt.Fprintf(said, ", of %s", modified)
	}
	fmt.Fprintf(said, "\nthe file would be %s\nseed: %s\n", place, seed)
	return nil
}
