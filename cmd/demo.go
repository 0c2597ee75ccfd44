package cmd

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/run"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/fixtures"
)

//go:embed demo.yaml
var demoConfig []byte

// demoLatency makes the built-in web answer as a near server would.
const demoLatency = 5 * time.Millisecond

func newDemoCommand() *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Crawl a small built-in web and show what comes of it",
		Long: `Serves a small web on this machine's loopback addresses, crawls it politely,
and reports: the crawl's own account, and the account that the servers kept.`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd, out, asJSON)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`folder` for the records and the config (default: a new temporary one)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print progress and summary as JSON lines")
	return cmd
}

func runDemo(cmd *cobra.Command, out string, asJSON bool) error {
	if out == "" {
		dir, err := os.MkdirTemp("", "amble-demo-")
		if err != nil {
			return exit.With(exit.Failed, err)
		}
		out = dir
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return exit.With(exit.Config, fmt.Errorf("--out: %w", err))
	}
	web, err := fixtures.Start(cmd.Context(), fixtures.Options{
		Latency: demoLatency, Hosts: []string{"books.example", "quotes.example", "news.example"},
	})
	if err != nil {
		return exit.With(exit.Failed, fmt.Errorf("serving the built-in web: %w", err))
	}
	defer web.Close()
	cfg, err := demoCrawl(cmd, out, web)
	if err != nil {
		return err
	}
	if !asJSON {
		fmt.Fprintf(cmd.ErrOrStderr(), "Crawling %d hosts of the built-in web, %s between requests to each; config in %s\n\n",
			len(web.Hosts()), cfg.Politeness.Delay, cfg.File)
	}
	if err := run.Crawl(cmd, cfg, run.Flags{JSON: asJSON, Fresh: true, Demo: true}); err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if asJSON {
		w = cmd.ErrOrStderr()
	}
	return printAccount(w, web, cfg)
}

// demoCrawl writes the demo's config, so that it can be read and changed, and
// loads it with the addresses that the built-in web has this time.
func demoCrawl(cmd *cobra.Command, out string, web *fixtures.Web) (*config.Config, error) {
	path := filepath.Join(out, "demo.yaml")
	if err := os.WriteFile(path, demoConfig, 0o644); err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("--out: %w", err))
	}
	var set []string
	for host, addr := range web.Resolve() {
		set = append(set, fmt.Sprintf("fetch.resolve.%q=%s", host, addr))
	}
	return cli.LoadConfig(cmd, path, set)
}

// printAccount prints how polite the crawl was as the servers saw it.
func printAccount(w io.Writer, web *fixtures.Web, cfg *config.Config) error {
	fmt.Fprintln(w, "\n  As the servers saw it:")
	for _, h := range web.Hosts() {
		a := web.Account().Host(h.Name)
		fmt.Fprintf(w, "    %-16s %4d requests, at most %d at once, at least %s between them (owed %s)\n",
			h.Name, a.Requests, a.MaxConcurrent, format.Duration(a.MinGap), cfg.Politeness.Delay)
	}
	violations := web.Account().Violations(web.Rules(cfg.Politeness.Agent, cfg.Politeness.Delay, cfg.Politeness.Concurrency))
	for _, v := range violations {
		fmt.Fprintf(w, "    violation: %v\n", v)
	}
	fmt.Fprintf(w, "    %s of politeness\n", format.Plural(int64(len(violations)), "violation"))
	if len(violations) > 0 {
		return exit.Silent(exit.Nothing)
	}
	return nil
}
