package try

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/sink"
)

// tryFlags say where the page of a try comes from.
type tryFlags struct {
	html  string
	watch bool
	types []string // as if a link had led to the page for these record types
	set   []string
}

// NewCommand is amble try.
func NewCommand() *cobra.Command {
	var flags tryFlags
	cmd := &cobra.Command{
		Use:   "try CONFIG URL",
		Short: "Show the records and links of one page; write nothing",
		Long: `Fetches one URL under the crawl's rules and prints the records it gives, as
JSON lines, on stdout; the links it would follow and the values that were not
as asked go to stderr, with a selector that may have been meant where one finds
nothing. Nothing is written.

--type treats the page as one that a link rule with leads_to leads to; no values are
carried to it.

--watch fetches the page once, and shows it again each time the config is saved:
each field beside the piece of HTML that it came from.`,
		Args: cli.Takes("CONFIG", "URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.watch {
				return watchTry(cmd, args[0], args[1], flags)
			}
			return tryOnce(cmd, args[0], args[1], flags)
		},
	}
	cmd.Flags().StringVar(&flags.html, "html", "", "read the page from this `file` instead of fetching it")
	cmd.Flags().StringArrayVar(&flags.types, "type", nil, "treat the page as one that a link led to for this record `type`; may be repeated")
	cmd.Flags().BoolVar(&flags.watch, "watch", false, "try again each time the config is saved")
	cmd.Flags().StringArrayVar(&flags.set, "set", nil, cli.SetUsage)
	return cmd
}

// tryOnce tries once.
func tryOnce(cmd *cobra.Command, path, rawURL string, flags tryFlags) error {
	cfg, err := cli.LoadConfig(cmd, path, flags.set)
	if err != nil {
		return err
	}
	u, err := cli.ParseRequest(cfg, rawURL)
	if err != nil {
		return err
	}
	c, err := crawl.New(cfg, cli.Logger(cmd, cmd.ErrOrStderr(), false), crawl.Past{})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Open(cmd.Context()); err != nil {
		return err
	}
	if err := ledTypes(cfg, flags.types); err != nil {
		return err
	}
	if crawl.IsObject(u) {
		if flags.html != "" {
			return exit.With(exit.Config, errors.New("--html: an object is kept as it is, and no page to read"))
		}
		return tryObject(c, cmd, u)
	}
	page, err := c.Page(cmd.Context(), u, flags.html, cli.Teller(cmd.ErrOrStderr()))
	if err != nil {
		if errors.Is(err, crawl.ErrWithheld) {
			return exit.With(exit.Nothing, err)
		}
		return err
	}
	page.Request.Types = flags.types
	err = printTry(c, cmd, page, 20)
	printMissing(c, cmd.Context(), cmd.ErrOrStderr(), page)
	return err
}

// ledTypes refuses record types that the crawl does not have.
func ledTypes(cfg *config.Config, types []string) error {
	var known []string
	for _, rule := range cfg.Extract {
		known = append(known, rule.Type)
	}
	for _, t := range types {
		if !slices.Contains(known, t) {
			return exit.With(exit.Config, fmt.Errorf("--type: there is no record type %q; there are: %s", t, strings.Join(known, ", ")))
		}
	}
	return nil
}

// printTry runs the extractors over a page and prints what they give, with so many
// links of each kind.
func printTry(c *crawl.Crawl, cmd *cobra.Command, page *crawler.Page, maxLinks int) error {
	out, said := cmd.OutOrStdout(), cmd.ErrOrStderr()
	fmt.Fprintf(said, "%s: status %d, %s, %s\n", page.URL.Redacted(), page.Response.Status,
		page.Response.MediaType, format.Size(int64(len(page.Response.Body))))
	if page.Response.Status/100 != 2 {
		return exit.With(exit.Nothing, fmt.Errorf("%w: status %d", crawl.ErrWithheld, page.Response.Status))
	}
	var r crawler.Result
	err := c.Trusted().Run(cmd.Context(), page, &r)
	for i := range r.Records {
		if _, err := out.Write(append(sink.AppendJSON(nil, &r.Records[i]), '\n')); err != nil {
			return err
		}
	}
	printLinks(c, said, page, r.Links, maxLinks)
	for _, problem := range r.Errors {
		fmt.Fprintf(said, "not as asked: %v\n", &problem)
	}
	if len(c.Config.Extract) > 0 && page.URL.IsHTTP() && len(r.Records) == 0 && err == nil {
		fmt.Fprintln(said, "no record: no extract rule matched this page, or its selectors found nothing")
		if led := onlyLed(c); len(led) > 0 && len(page.Request.Types) == 0 {
			fmt.Fprintf(said, "only pages that links lead to are read for %s: try --type %s\n", strings.Join(led, ", "), led[0])
		}
	}
	if err != nil {
		return exit.With(exit.Nothing, err)
	}
	return nil
}

// onlyLed are the record types that links lead to and that have no match.
func onlyLed(c *crawl.Crawl) []string {
	var led []string
	for _, rule := range c.Config.Extract {
		match, err := rule.Matches()
		leads := func(l config.LinkRule) bool { return slices.Contains(l.LeadsTo, rule.Type) }
		if err == nil && match == nil && slices.ContainsFunc(c.Config.Links.Rules, leads) {
			led = append(led, rule.Type)
		}
	}
	return led
}

// printLinks lists the links of a page, those it would follow first.
func printLinks(c *crawl.Crawl, w io.Writer, page *crawler.Page, links []crawler.Link, most int) {
	var follow, skip []string
	for _, l := range links {
		if v := c.Scope.Check(l.URL, int(page.Request.Depth)+1); v.In || !page.URL.IsHTTP() && !l.URL.IsHTTP() {
			follow = append(follow, linkLine(&l))
		} else {
			skip = append(skip, l.URL.Redacted()+"   ("+v.Rule+")")
		}
	}
	fmt.Fprintf(w, "%s to follow, %s out of scope\n", format.Plural(int64(len(follow)), "link"), format.Count(int64(len(skip))))
	for _, list := range [][]string{follow, skip} {
		for i, l := range list {
			if i == most && most == 0 {
				break
			}
			if i == most {
				fmt.Fprintf(w, "  … and %d more\n", len(list)-i)
				break
			}
			fmt.Fprintln(w, "  "+l)
		}
	}
}
