package explain

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
)

// NewCommand is amble explain.
func NewCommand() *cobra.Command {
	var set []string
	var state string
	var offline bool
	var call crawler.Call
	cmd := &cobra.Command{
		Use:   "explain CONFIG URL",
		Short: "Say what amble would do with a URL, and why",
		Long: `Says what amble would do with a URL and why: its canonical form, the scope
rule, the robots.txt line, the delay owed and who asked for it, and where it
stands in the crawl's state, also while a run is at work. Fetches nothing but
robots.txt (and tdmrep.json where the config asks for it), and that only where the
state has no copy of it; changes nothing.

A request that is more than a GET is one of its own: name it by --method and
--data.`,
		Args: cli.Takes("CONFIG", "URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := cli.LoadConfig(cmd, args[0], set)
			if err != nil {
				return err
			}
			u, err := cli.ParseRequest(cfg, args[1])
			if err != nil {
				return err
			}
			if err := call.Check(); err != nil {
				return exit.With(exit.Config, err)
			}
			if state != "" {
				cfg.State = state
			}
			kept := crawl.ReadState(cfg.State, cfg.Name)
			defer kept.Close()
			c, err := crawl.New(cfg, cli.Logger(cmd, cmd.ErrOrStderr(), false), kept.Past())
			if err != nil {
				return err
			}
			defer c.Close()
			return explainer{c}.explain(cmd, args[1], u, &call, kept, offline)
		},
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, cli.SetUsage)
	cmd.Flags().StringVar(&state, "state", "", "`folder` of the run's state, instead of the config's")
	cmd.Flags().BoolVar(&offline, "offline", false, "do not fetch robots.txt")
	cmd.Flags().StringVar(&call.Method, "method", "", "the request's `method`, GET by default")
	cmd.Flags().StringVar(&call.Body, "data", "", "the request's `body`")
	return cmd
}

// explainer tells what a crawl would do with a URL.
type explainer struct{ *crawl.Crawl }

func (c explainer) explain(cmd *cobra.Command, raw string, u urls.URL, call *crawler.Call, kept *crawl.Kept, offline bool) error {
	out := cmd.OutOrStdout()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("URL", "%s", asGiven(raw, u))
	key := crawler.KeyOf(c.Canon.Key(u), call.Digest())
	if !call.Plain() {
		row("method", "%s, with a body of %s", cmp.Or(call.Method, http.MethodGet), format.Plural(int64(len(call.Body)), "byte"))
	}
	if u.Fetch() != raw {
		row("fetched as", "%s", u.Redacted())
	}
	if !u.IsHTTP() {
		return c.explainQuery(cmd, w, row, u, standingOf(kept, u, key))
	}
	row("same page as", "%s", c.Canon.Dedup(u))
	scope := c.Scope.Check(u, 0)
	row("scope", "%s: %s", inOut(scope.In), scope.Rule)
	trap, err := crawler.ViewTraps(kept.Values(), c.Canon, c.Config.TrapRules(), u)
	if err != nil {
		return exit.With(exit.Failed, err)
	}
	explainTraps(row, &trap)

	verdict := "would fetch"
	switch {
	case !scope.In && c.seedAllowed(u):
		verdict = "would fetch it as a seed, but not follow a link to it"
	case !scope.In: // its host is none of the crawl's business, its robots.txt neither
		row("frontier", "%s", standingOf(kept, u, key))
		row("verdict", "would not fetch: out of scope")
		return w.Flush()
	}
	refusal, unsure := c.decision(cmd, u, offline)
	switch {
	case refusal != "":
		verdict = "would not fetch: " + refusal
	case trap.Cut != "":
		verdict = "would not fetch it but as a seed: trapped by " + format.Clip(trap.Cut, format.MaxDetail)
	case unsure:
		verdict += ", if robots.txt allows it"
	}
	c.explainPoliteness(row, u)
	if call.Plain() {
		c.explainKnown(row, kept, u, key)
	}
	if err := c.explainRows(cmd, row, u, call, kept, key); err != nil {
		return err
	}
	row("verdict", "%s", verdict)
	if err := w.Flush(); err != nil {
		return err
	}
	if cmd.Context().Err() != nil {
		return exit.Silent(exit.Interrupted)
	}
	return nil
}

// explainTraps tells which pattern the URL is counted under, and whether more of
// it would be fetched.
func explainTraps(row func(string, string, ...any), v *crawler.TrapView) {
	row("pattern", "%s", format.Clip(v.Pattern, format.MaxDetail))
	switch {
	case v.Cut != "":
		row("traps", "cut by %s", v.Cut)
	case v.CutThrough != "":
		row("traps", "cut where it is found through pages of its own pattern, by %s", v.CutThrough)
	case v.Pages > 0:
		row("traps", "not cut: %s of the pattern found through itself, the last %s without news",
			format.Plural(v.Pages, "page"), format.Count(v.Stale))
	}
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
func (c explainer) seedAllowed(u urls.URL) bool {
	rules := c.Config.ScopeRules()
	rules.Include = nil
	s, err := urls.NewScope(rules)
	return err == nil && s.Check(u, 0).In
}

// decision tells what keeps a URL from being fetched, "" for nothing. unsure
// tells that it rests on a robots.txt that is not known.
func (c explainer) decision(cmd *cobra.Command, u urls.URL, offline bool) (refusal string, unsure bool) {
	s := c.Single(cli.Teller(cmd.ErrOrStderr()))
	decide := func() crawler.Verdict {
		v := c.Politeness().Decide(s.Request(u))
		if v.Grant != nil {
			v.Grant.Cancel() // asking is all
		}
		return v
	}
	v := decide() // brings back what the state holds of the host
	if !offline && v.Action != crawler.Go && v.Action != crawler.Skip {
		switch err := s.Learn(cmd.Context(), u); {
		case errors.Is(err, crawl.ErrWithheld): // it is only a matter of time
			return "", true
		case err != nil:
			return format.Clip(err.Error(), format.MaxDetail), false
		}
		v = decide()
	}
	if v.Action == crawler.Skip {
		return format.Clip(v.Reason, format.MaxDetail), false
	}
	_, rule, known := c.Allowed(u)
	return rule.String(), !known
}

func (c explainer) explainPoliteness(row func(string, string, ...any), u urls.URL) {
	x := c.Gate.Explain(u.Origin(), u.Fetch())
	switch {
	case c.Gate.API(u.Origin()):
		row("robots.txt", "does not apply: politeness.hosts declares the host an API")
	case !x.Known:
		row("robots.txt", "%s", format.Clip(strings.TrimPrefix(x.Robots, "robots.txt "), format.MaxDetail))
	case x.Verdict.Line == 0:
		row("robots.txt", "allowed: no rule for %q matches", c.Config.Politeness.Agent)
	case x.Verdict.Allowed:
		row("robots.txt", "allowed by line %d: %s", x.Verdict.Line, x.Verdict.Text)
	default:
		row("robots.txt", "disallowed by line %d: %s", x.Verdict.Line, x.Verdict.Text)
	}
	row("usage signals", "%s", c.Stated(u))
	if x.Known {
		row("robots.txt read", "%s ago, good for %s", format.Duration(x.RobotsAge), x.RobotsLife)
	}
	row("delay", "%s between requests to %s, asked for by %s", x.Owed, u.Origin(), x.By)
	c.explainDemands(row, &x)
	row("at once", "%s", format.Plural(int64(x.Concurrency), "request"))
	if x.Group != "" {
		row("shares both with", "the hosts of %s", strings.Replace(x.Group, ":", " ", 1))
	}
	if x.Strikes > 0 {
		row("not forgiven", "%s of 429 or 503", format.Plural(int64(x.Strikes), "answer"))
	}
	if !x.Failing.IsZero() {
		row("failing since", "%s", x.Failing.UTC().Format(time.RFC3339))
	}
	// What is left of the delay after reading robots.txt is not worth a word.
	if time.Until(x.Until) > x.Owed {
		row("not before", "%s, asked for by %s", x.Until.UTC().Format(time.RFC3339), x.WaitBy)
	}
}

// explainDemands lists all that is asked for, where it is more than the delay.
func (c explainer) explainDemands(row func(string, string, ...any), x *politeness.Explanation) {
	if len(x.Demands) == 1 && x.Demands[0].Delay > 0 {
		return
	}
	for i, d := range x.Demands {
		by := format.Clip(d.By, format.MaxDetail)
		switch {
		case d.Delay > 0:
			by = fmt.Sprintf("%s between requests, by %s", d.Delay, by)
		case !d.Until.IsZero():
			by = fmt.Sprintf("nothing before %s, by %s", d.Until.UTC().Format(time.RFC3339), by)
		}
		row(format.Label(i, "all demands"), "%s", by)
	}
}

// standingOf tells where a URL stands in the state.
func standingOf(k *crawl.Kept, u urls.URL, key urls.Key) string {
	err := k.Err
	if k.Snapshot != nil {
		var s crawler.Standing
		if s, err = k.Snapshot.Lookup(u.Origin(), key); err == nil {
			text := outcomeOf(s)
			if k.Snapshot.Busy {
				text += ", as of the last commit of the run at work"
			}
			return text
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "no run yet"
	}
	return fmt.Sprintf("cannot be read: %v", err)
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
	text += " at attempt " + format.Count(int64(s.Attempt)+1)
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
