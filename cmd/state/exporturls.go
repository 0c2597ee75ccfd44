package state

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// exportFlags say which URLs, and how.
type exportFlags struct {
	outcomes []string
	host     string
	pending  bool
	format   string
	salvage  bool
}

func newStateExportCommand() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export-urls STATE|CONFIG",
		Short: "Print a state's URLs, one a line",
		Long: `Prints the URLs of a state: those that are queued, host by host in their order,
then those that have an outcome. Of the latter the state itself keeps only a
fingerprint; the addresses come from the ledger, so that URLs for which nothing
was asked and nothing withheld (out of scope after a change of the config) are
missing. A URL that was fetched again after a crash may stand there twice. Where
the config drops parameters of URLs, name the config.

With --format jsonl each line is an object with url, host, state (queued, retry or
settled), and method where it is not GET, depth, outcome, status, attempt, not_before and
detail where they are known.

With --salvage it reads a damaged state as far as it can be read, and says on
stderr what is lost. URLs may be queued again there that had their outcome.`,
		Args: cli.Takes("STATE|CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.format != "urls" && flags.format != "jsonl" {
				return fmt.Errorf("export-urls: --format %s: want urls or jsonl (%s)", flags.format, cli.SeeHelp(cmd))
			}
			s, err := Find(cmd, args[0])
			if err != nil {
				return err
			}
			return exportURLs(cmd, s, flags)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.outcomes, "outcome", nil, "only URLs whose last outcome is this `class`, such as fetched or http_4xx; repeatable")
	f.StringVar(&flags.host, "host", "", "only URLs of this `host`, such as https://books.example")
	f.BoolVar(&flags.pending, "pending", false, "only URLs without a final outcome")
	f.StringVar(&flags.format, "format", "urls", "urls or jsonl")
	f.BoolVar(&flags.salvage, "salvage", false, "read what can be read of a damaged state")
	return cmd
}

// urlLine is one URL of the export.
type urlLine struct {
	URL       string `json:"url"`
	Host      string `json:"host"`
	State     string `json:"state"`
	Method    string `json:"method,omitempty"` // where it is not GET
	Depth     *int   `json:"depth,omitempty"`
	Outcome   string `json:"outcome,omitempty"`
	Status    int    `json:"status,omitempty"`
	Attempt   int    `json:"attempt,omitempty"`
	NotBefore string `json:"not_before,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// exporter writes the URLs that were asked for, in constant memory.
type exporter struct {
	exportFlags
	canon *urls.Canon
	out   *bufio.Writer
	json  *json.Encoder
	// unmatched counts URLs of the ledger that the state does not know.
	unmatched int64
}

func exportURLs(cmd *cobra.Command, s Named, flags exportFlags) (err error) {
	e := &exporter{exportFlags: flags, canon: &urls.Canon{}, out: bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)}
	e.json = json.NewEncoder(e.out)
	e.json.SetEscapeHTML(false)
	if s.Config != nil {
		e.canon = s.Config.Canon()
	}
	warn := func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), "amble: "+format+"\n", args...) }
	r, err := e.open(cmd.Context(), s.Dir, warn)
	if err != nil {
		return Unreadable(err)
	}
	defer func() {
		if cerr := r.Close(); err == nil && cerr != nil {
			err = Unreadable(cerr)
		}
	}()
	err = e.exportPending(cmd.Context(), r, warn)
	if err == nil && !e.pending {
		err = e.exportSettled(cmd.Context(), r, s.Dir, warn)
	}
	if err = errors.Join(err, e.out.Flush()); err != nil {
		return Unreadable(err)
	}
	if e.unmatched > 0 {
		warn("%s of the ledger are not in the state and were left out%s", format.Plural(e.unmatched, "URL"),
			map[bool]string{true: "; name the config if it drops parameters of URLs"}[s.Config == nil])
	}
	return nil
}

func (e *exporter) open(ctx context.Context, dir string, warn func(string, ...any)) (*frontier.Reader, error) {
	if !e.salvage {
		r, err := frontier.OpenReader(dir)
		if err == nil && r.Cut != nil {
			err = errors.Join(fmt.Errorf("state folder %s: %w", dir, r.Cut), r.Close())
		}
		return r, err
	}
	r, lost, err := frontier.Salvage(ctx, dir, "")
	for _, p := range lost {
		warn("lost: %s: %s", p.Where, p.What)
	}
	return r, err
}

func (e *exporter) exportPending(ctx context.Context, r *frontier.Reader, warn func(string, ...any)) error {
	for p, err := range r.Pending(ctx) {
		if err != nil {
			if e.salvage && ctx.Err() == nil {
				warn("lost: %v", err)
				continue
			}
			return err
		}
		depth := int(p.Depth)
		l := urlLine{URL: p.URL.Fetch(), Host: p.Name, State: "queued", Depth: &depth,
			Outcome: string(p.Class), Status: p.Status, Attempt: int(p.Attempt), Detail: p.Detail}
		if p.Method() != http.MethodGet {
			l.Method = p.Method()
		}
		if !p.NotBefore.IsZero() {
			l.State, l.NotBefore = "retry", p.NotBefore.UTC().Format(time.RFC3339)
		}
		if err := e.write(&l); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// exportSettled names the URLs with an outcome: the ledger has the address of
// each attempt, the state knows which attempt was the last.
func (e *exporter) exportSettled(ctx context.Context, r *frontier.Reader, dir string, warn func(string, ...any)) error {
	run, found, err := crawler.ReadRun(r)
	if err != nil && !e.salvage {
		return err
	}
	all := ledger.ReadRun(polite.LedgerFolder(dir), run.ID)
	if !found {
		if !e.salvage {
			return nil
		}
		all = ledger.Read(polite.LedgerFolder(dir))
	}
	for entry, err := range all {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, ledger.ErrTorn):
			return nil
		case err != nil && e.salvage:
			warn("lost: the ledger from here on: %v", err)
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", frontier.ErrDamaged, err)
		}
		if entry.Kind != ledger.Page && entry.Kind != ledger.Sitemap || e.host != "" && entry.Host != e.host {
			continue
		}
		if err := e.settled(r, &entry); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) settled(r *frontier.Reader, entry *ledger.Entry) error {
	u, err := urls.Parse(entry.URL)
	if err != nil {
		e.unmatched++ // cut where it was too long for the ledger
		return nil
	}
	s, err := r.Lookup(entry.Host, crawler.KeyOf(e.canon.Key(u), entry.Call))
	if err != nil && !e.salvage {
		return err
	}
	l := urlLine{URL: entry.URL, Host: entry.Host, Method: entry.Method, State: s.State, Outcome: string(s.Class), Status: s.Status, Attempt: s.Attempt, Detail: s.Detail}
	switch {
	case err == nil && s.State == "settled":
		if s.Attempt != entry.Attempt {
			return nil // another attempt was the last
		}
	case e.salvage && (err != nil || s.State == "unknown"):
		l.State, l.Outcome, l.Status, l.Attempt = "lost", cmp.Or(entry.Class, entry.Reason), entry.Status, entry.Attempt
	case s.State == "unknown":
		e.unmatched++
		return nil
	default:
		return nil // still pending, and named so
	}
	return e.write(&l)
}

func (e *exporter) write(l *urlLine) error {
	if e.host != "" && l.Host != e.host || len(e.outcomes) > 0 && !slices.Contains(e.outcomes, l.Outcome) {
		return nil
	}
	if e.format == "jsonl" {
		return e.json.Encode(l)
	}
	_, err := e.out.WriteString(l.URL + "\n")
	return err
}
