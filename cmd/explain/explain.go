package explain

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// explain tells what a crawl would do with a URL, a row for each thing that has a say.
func explain(c *crawl.Crawl, cmd *cobra.Command, raw string, u urls.URL, call *crawler.Call, kept *crawl.Kept, offline bool) error {
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
		return explainQuery(c, cmd, w, row, u, standingOf(kept, u, key))
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
	case !scope.In && seedAllowed(c, u):
		verdict = "would fetch it as a seed, but not follow a link to it"
	case !scope.In: // its host is none of the crawl's business, its robots.txt neither
		row("frontier", "%s", standingOf(kept, u, key))
		row("verdict", "would not fetch: out of scope")
		return w.Flush()
	}
	refusal, unsure := decision(c, cmd, u, offline)
	switch {
	case refusal != "":
		verdict = "would not fetch: " + refusal
	case trap.Cut != "":
		verdict = "would not fetch it but as a seed: trapped by " + format.Clip(trap.Cut, format.MaxDetail)
	case unsure:
		verdict += ", if robots.txt allows it"
	}
	explainPoliteness(c, row, u)
	if call.Plain() {
		explainKnown(c, row, kept, u, key)
	}
	if err := explainRows(c, cmd, row, u, call, kept, key); err != nil {
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
func seedAllowed(c *crawl.Crawl, u urls.URL) bool {
	rules := c.Config.ScopeRules()
	rules.Include = nil
	s, err := urls.NewScope(rules)
	return err == nil && s.Check(u, 0).In
}

func inOut(in bool) string {
	if in {
		return "in"
	}
	return "out"
}
