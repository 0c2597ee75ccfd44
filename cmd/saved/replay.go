package saved

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
)

// testFlags say what is done with saved pages.
type testFlags struct {
	record bool
	update bool
	dir    string
	pages  int
	set    []string
}

// NewCommand is amble test.
func NewCommand() *cobra.Command {
	var flags testFlags
	cmd := &cobra.Command{
		Use:   "test CONFIG [NAME...] | CONFIG --record [URL...]",
		Short: "Replay saved pages through the extractors; compare with saved records",
		Long: `Runs the config's extractors over pages that were saved, compares what they give
with the records that were saved beside them, and shows what differs, field by
field. Nothing is fetched. NAME picks some of the pages.

--record fetches pages, under the crawl's rules, and saves them with the records
that they give now: those that are named; else, again, those that are saved
already; else some of each record type, found from the seeds.

Each page is two files in tests/<crawl> beside the config, both to be read and
kept with the config: the body as it came, and NAME.records.json. Where the new
records are right, --update saves them.

Exit status: 0 all is as saved; 1 something differs, or a page could not be had;
2 the config or the command line is wrong, or there are no saved pages.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exit.With(exit.Config, errors.New("want CONFIG"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return testPages(cmd, args[0], args[1:], flags) },
	}
	f := cmd.Flags()
	f.BoolVar(&flags.record, "record", false, "fetch pages and save them with their records")
	f.BoolVar(&flags.update, "update", false, "save the records that the pages give now")
	f.StringVar(&flags.dir, "dir", "", "`folder` of the saved pages, instead of tests/<crawl> beside the config")
	f.IntVar(&flags.pages, "pages", 2, "how many pages of each record type --record looks for")
	f.StringArrayVar(&flags.set, "set", nil, cli.SetUsage)
	cmd.MarkFlagsMutuallyExclusive("record", "update")
	return cmd
}

func testPages(cmd *cobra.Command, path string, args []string, flags testFlags) error {
	cfg, err := cli.LoadConfig(cmd, path, flags.set)
	if err != nil {
		return err
	}
	folder := flags.dir
	if folder == "" {
		folder = filepath.Join(cfg.Dir, "tests", cfg.Name)
	}
	pages, err := Load(folder, int64(cfg.Fetch.MaxBody))
	if err != nil {
		return exit.With(exit.Config, err)
	}
	c, err := crawl.New(cfg, cli.Logger(cmd, cmd.ErrOrStderr(), false), crawl.Past{Hosts: polite.Memory{Used: flags.record && crawl.UsedBefore(cfg.State)}})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Open(cmd.Context()); err != nil {
		return err
	}
	if flags.record {
		r := &recorder{crawl: c, cmd: cmd, folder: folder, saved: pages, perType: max(1, flags.pages)}
		return r.record(args)
	}
	if pages, err = pick(pages, args); err != nil {
		return err
	}
	if len(pages) == 0 {
		return exit.With(exit.Config, fmt.Errorf("there are no saved pages in %s (amble test %s --record saves some)", folder, path))
	}
	t := &replay{crawl: c, out: cmd.OutOrStdout(), folder: folder, update: flags.update}
	return t.run(cmd.Context(), pages)
}

// pick chooses saved pages by name; no name chooses all.
func pick(pages []*Page, names []string) ([]*Page, error) {
	if len(names) == 0 {
		return pages, nil
	}
	var picked []*Page
	for _, name := range names {
		i := slices.IndexFunc(pages, func(s *Page) bool { return s.Name == name || s.URL == name })
		if i < 0 {
			var known []string
			for _, s := range pages[:min(len(pages), 20)] {
				known = append(known, s.Name)
			}
			return nil, exit.With(exit.Config, fmt.Errorf("there is no saved page %q (there are %s)", name, strings.Join(known, ", ")))
		}
		picked = append(picked, pages[i])
	}
	return picked, nil
}

// replay compares saved pages with what they give.
type replay struct {
	crawl  *crawl.Crawl
	out    io.Writer
	folder string
	update bool

	width   int // of the names
	differs int
	updated int
}

// maxShown bounds the differences that are shown of one page.
const maxShown = 20

func (t *replay) run(ctx context.Context, pages []*Page) error {
	for _, s := range pages {
		t.width = max(t.width, len(s.Name))
	}
	for _, s := range pages {
		if err := ctx.Err(); err != nil {
			return exit.Silent(exit.Interrupted)
		}
		if err := t.page(ctx, s); err != nil {
			return err
		}
	}
	all := format.Plural(int64(len(pages)), "page")
	switch {
	case t.updated > 0 && t.differs == 0:
		fmt.Fprintf(t.out, "\n%s, %d updated\n", all, t.updated)
		return nil
	case t.differs == 0:
		fmt.Fprintf(t.out, "\n%s, all as saved\n", all)
		return nil
	}
	fmt.Fprintf(t.out, "\n%s, %d not as saved; --update saves what they give now\n", all, t.differs)
	return exit.Silent(exit.Nothing)
}

func (t *replay) page(ctx context.Context, s *Page) error {
	records, rejected, err := give(ctx, s, t.crawl)
	if err != nil {
		if ctx.Err() != nil {
			return exit.Silent(exit.Interrupted)
		}
		t.differs++
		fmt.Fprintf(t.out, "FAIL  %-*s  %s\n      %v\n", t.width, s.Name, s.URL, exit.Message(t.crawl.Config, err))
		return nil
	}
	changes := append(Compare(s.Records, records), compareRejects(s.Rejected, rejected)...)
	if len(changes) == 0 {
		fmt.Fprintf(t.out, "ok    %-*s  %s\n", t.width, s.Name, given(records, rejected))
		return nil
	}
	word := "FAIL"
	if t.update {
		s.Records, s.Rejected = records, rejected
		if err := s.Save(t.folder, false); err != nil {
			return exit.With(exit.Failed, err)
		}
		t.updated++
		word = "new "
	} else {
		t.differs++
	}
	fmt.Fprintf(t.out, "%s  %-*s  %s\n", word, t.width, s.Name, s.URL)
	for i, c := range changes {
		if i == maxShown {
			fmt.Fprintf(t.out, "      and %s more\n", format.Plural(int64(len(changes)-i), "difference"))
			break
		}
		for _, line := range c.Lines() {
			fmt.Fprintln(t.out, "      "+line)
		}
	}
	return nil
}

// compareRejects compares what is not to be written, and says that it is that.
func compareRejects(want, got []Record) []Change {
	changes := Compare(want, got)
	for i := range changes {
		changes[i].Record = "rejected " + changes[i].Record
	}
	return changes
}

func given(records, rejected []Record) string {
	text := format.Plural(int64(len(records)), "record")
	if len(rejected) > 0 {
		text += fmt.Sprintf(", %d rejected", len(rejected))
	}
	return text
}

// give runs a crawl's extractors over a saved page. An error is that of the page as a
// whole.
func give(ctx context.Context, s *Page, c *crawl.Crawl) (records, rejected []Record, err error) {
	page, err := s.Fetched(c.Canon)
	if err != nil {
		return nil, nil, err
	}
	var r crawler.Result
	if err := c.Trusted().Run(ctx, page, &r); err != nil {
		return nil, nil, err
	}
	records = []Record{} // a list in JSON
	for i := range r.Records {
		record, err := NewRecord(&r.Records[i])
		if err != nil {
			return nil, nil, err
		}
		records = append(records, record)
	}
	for i := range r.Rejects {
		reject := r.Rejects[i].Account()
		record, err := NewRecord(&reject)
		if err != nil {
			return nil, nil, err
		}
		rejected = append(rejected, record)
	}
	return records, rejected, nil
}
