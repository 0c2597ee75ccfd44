package cmd

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness/signals"
)

func newExplainCommand() *cobra.Command {
	var set []string
	var state string
	var offline bool
	cmd := &cobra.Command{
		Use:   "explain CONFIG URL",
		Short: "Say what amble would do with a URL, and why",
		Long: `Says what amble would do with a URL and why: its canonical form, the scope
rule, the robots.txt line, the delay owed and who asked for it, and where it
stands in the crawl's state. Fetches nothing but robots.txt.`,
		Args: takes("CONFIG", "URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(cmd, args[0], set)
			if err != nil {
				return err
			}
			u, err := parseURLArgument(args[1])
			if err != nil {
				return err
			}
			if state != "" {
				cfg.State = state
			}
			c, err := assemble(cfg, logger(cmd, cmd.ErrOrStderr(), false), past{})
			if err != nil {
				return err
			}
			defer c.close()
			return c.explain(cmd, args[1], u, offline)
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, setUsage)
	cmd.Flags().StringVar(&state, "state", "", "`folder` of the run's state, instead of the config's")
	cmd.Flags().BoolVar(&offline, "offline", false, "do not fetch robots.txt")
	return cmd
}

func (c *crawl) explain(cmd *cobra.Command, raw string, u urls.URL, offline bool) error {
	out := cmd.OutOrStdout()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("URL", "%s", asGiven(raw, u))
	if u.Fetch() != raw {
		row("fetched as", "%s", u.Redacted())
	}
	row("same page as", "%s", c.canon.Dedup(u))
	scope := c.scope.Check(u, 0)
	row("scope", "%s: %s", inOut(scope.In), scope.Rule)

	verdict := "would fetch"
	switch {
	case !scope.In && c.seedAllowed(u):
		verdict = "would fetch it as a seed, but not follow a link to it"
	case !scope.In: // its host is none of the crawl's business, its robots.txt neither
		c.explainStanding(row, u)
		row("verdict", "would not fetch: out of scope")
		return w.Flush()
	}
	switch {
	case offline && c.cfg.Politeness.Robots != "ignore":
		verdict += ", if robots.txt allows it"
	case offline:
	default:
		if refusal := c.askRobots(cmd, u); refusal != "" {
			verdict = "would not fetch: " + refusal
		}
	}
	c.explainPoliteness(row, u)
	c.explainStanding(row, u)
	row("verdict", "%s", verdict)
	return w.Flush()
}

// asGiven is the URL as it was written, unless it holds a password.
func asGiven(raw string, u urls.URL) string {
	if strings.Contains(raw, "@") {
		return u.Redacted()
	}
	return raw
}

// seedAllowed tells whether a URL that links do not lead to could be a seed:
// seeds need not be included.
func (c *crawl) seedAllowed(u urls.URL) bool {
	rules := c.cfg.ScopeRules()
	rules.Include = nil
	s, err := urls.NewScope(rules)
	return err == nil && s.Check(u, 0).In
}

// askRobots reads the host's robots.txt and tells what keeps the URL from
// being fetched, if anything.
func (c *crawl) askRobots(cmd *cobra.Command, u urls.URL) string {
	said := func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
	v, err := c.single(said).permission(cmd.Context(), u)
	switch {
	case err != nil:
		return err.Error()
	case v.Action == crawler.Skip:
		return clip(v.Reason, maxDetail)
	}
	v.Grant.Cancel()
	return ""
}

func (c *crawl) explainPoliteness(row func(string, string, ...any), u urls.URL) {
	x := c.gate.Explain(u.Origin(), u.Fetch())
	switch {
	case !x.Known:
		row("robots.txt", "%s", clip(strings.TrimPrefix(x.Robots, "robots.txt "), maxDetail))
	case x.Verdict.Line == 0:
		row("robots.txt", "allowed: no rule for %q matches", c.cfg.Politeness.Agent)
	case x.Verdict.Allowed:
		row("robots.txt", "allowed by line %d: %s", x.Verdict.Line, x.Verdict.Text)
	default:
		row("robots.txt", "disallowed by line %d: %s", x.Verdict.Line, x.Verdict.Text)
	}
	row("usage signals", "%s", c.explainUsage(u))
	row("delay", "%s between requests to %s, asked for by %s", x.Owed, u.Origin(), x.By)
	row("at once", "%s", plural(int64(x.Concurrency), "request"))
	if time.Until(x.Until) > 0 {
		row("not before", "%s, asked for by %s", x.Until.Format(time.RFC3339), x.WaitBy)
	}
}

// explainUsage tells what robots.txt, and tdmrep.json where it was asked for,
// state about the use of the page; its header and its elements may add to it.
func (c *crawl) explainUsage(u urls.URL) string {
	host, where := saidBy(c.gate.Digest(u.Origin()), c.gate.Explain(u.Origin(), u.Fetch()).File), "robots.txt"
	if host.tdm != nil {
		where += " and tdmrep.json"
	}
	usage := signals.Merge(host.of(u.Fetch()))
	switch verdict := c.usage.DecideEarly(usage); {
	case len(usage.Statements) == 0:
		return "none in " + where
	case !verdict.Allowed:
		return usage.String() + ": forbidden, " + verdict.Reason
	}
	return usage.String()
}

// explainStanding tells where the URL stands in the crawl's state, if there is
// one that can be read.
func (c *crawl) explainStanding(row func(string, string, ...any), u urls.URL) {
	if _, err := os.Stat(c.cfg.State); errors.Is(err, os.ErrNotExist) {
		row("frontier", "no run yet")
		return
	}
	f, err := frontier.Open(frontier.Options{Dir: c.cfg.State, Crawl: c.cfg.Name})
	if err != nil {
		row("frontier", "cannot be read: %v", err)
		return
	}
	defer f.Close()
	s, err := f.Lookup(u.Origin(), c.canon.Key(u))
	switch {
	case err != nil:
		row("frontier", "cannot be read: %v", err)
	default:
		row("frontier", "%s", outcomeOf(s))
	}
}

// outcomeOf says what became of a URL.
func outcomeOf(s crawler.Standing) string {
	switch {
	case s.State == "unknown":
		return "not found yet by this run"
	case s.Class == "":
		return s.State
	}
	text := fmt.Sprintf("%s as %s", s.State, s.Class)
	if s.Status != 0 {
		text += fmt.Sprintf(" with status %d", s.Status)
	}
	text += " at attempt " + count(int64(s.Attempt)+1)
	if s.Detail != "" {
		text += ": " + strings.TrimPrefix(s.Detail, string(s.Class)+": ")
	}
	return text
}

func inOut(in bool) string {
	if in {
		return "in"
	}
	return "out"
}
