package explain

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
)

// decision tells what keeps a URL from being fetched, "" for nothing. unsure
// tells that it rests on a robots.txt that is not known.
func decision(c *crawl.Crawl, cmd *cobra.Command, u urls.URL, offline bool) (refusal string, unsure bool) {
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

func explainPoliteness(c *crawl.Crawl, row func(string, string, ...any), u urls.URL) {
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
	explainDemands(c, row, &x)
	row("at once", "%s", format.Plural(int64(x.Concurrency), "request"))
	explainProxies(c, row, u)
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

// explainProxies tells what the host is reached through, where the crawl has proxies.
func explainProxies(c *crawl.Crawl, row func(string, string, ...any), u urls.URL) {
	names, perRequest, any := crawl.Proxies(c.Config, u)
	switch {
	case !any:
	case len(names) == 0:
		row("proxy", "none: its host is connected to")
	case len(names) == 1:
		row("proxy", "%s", names[0])
	case perRequest:
		row("proxy", "each request the next of %s", format.Clip(strings.Join(names, ", "), format.MaxDetail))
	default:
		row("proxy", "%s", format.Clip(names[0]+", and when it fails "+strings.Join(names[1:], ", "), format.MaxDetail))
	}
}

// explainDemands lists all that is asked for, where it is more than the delay.
func explainDemands(c *crawl.Crawl, row func(string, string, ...any), x *politeness.Explanation) {
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
