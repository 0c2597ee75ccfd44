package robots

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/robots"
)

// judge decides URLs by a saved robots.txt, or by the live ones of their
// hosts, each fetched once.
type judge struct {
	rules *robots.Rules // of the saved file, nil without one
	crawl *crawl.Crawl  // nil with one
	live  *crawl.Single
	named *namedAddresses
}

func newJudge(cmd *cobra.Command, agent, file string, mode robots.Mode) (*judge, error) {
	if file != "" {
		f, err := readRobotsFile(file, mode)
		if err != nil {
			return nil, err
		}
		return &judge{rules: f.Agent(agent)}, nil
	}
	gate := politeness.New(politeness.Policy{Agent: agent, Mode: mode, RobotsTries: 1}, politeness.Options{})
	named := new(namedAddresses)
	client, err := fetch.New(fetch.Options{
		UserAgent: fetch.UserAgent(agent, "", ""), Timeout: 20 * time.Second,
		DialControl: named.control, ErrPrivate: politeness.ErrPrivateAddress,
		Guard: gate.Guard, ErrRefused: politeness.ErrNotGranted,
	})
	if err != nil {
		return nil, exit.With(exit.Config, err)
	}
	c := crawl.OfRobots(gate, client)
	return &judge{crawl: c, live: c.Single(cli.Teller(cmd.ErrOrStderr())), named: named}, nil
}

func (j *judge) close() {
	if j.crawl != nil {
		j.crawl.Close()
	}
}

// print writes one verdict: allow or disallow, the deciding line, the URL.
func (j *judge) print(ctx context.Context, w io.Writer, url string) error {
	v, err := j.verdict(ctx, url)
	if err != nil {
		return err
	}
	word := "disallow"
	if v.Allowed {
		word = "allow"
	}
	_, err = fmt.Fprintf(w, "%s\t%d\t%s\n", word, v.Line, url)
	return err
}

func (j *judge) verdict(ctx context.Context, url string) (robots.Verdict, error) {
	if j.rules != nil {
		return j.rules.Check(url), nil
	}
	u, err := cli.ParseURL(url)
	if err != nil {
		return robots.Verdict{}, err
	}
	j.named.add(u)
	v, err := j.live.Permission(ctx, u)
	if ctx.Err() != nil {
		return robots.Verdict{}, exit.Silent(exit.Interrupted)
	}
	if v.Grant != nil {
		v.Grant.Cancel()
	}
	x := j.crawl.Gate.Explain(u.Origin(), u.Fetch())
	if err != nil || (!x.Known && v.Action == crawler.Skip) {
		reason := v.Reason
		if err != nil {
			reason = err.Error()
		}
		j.live.Said("%s: %s", u.Origin(), format.Clip(reason, format.MaxDetail))
		// Unreachable means disallowed, by no line (RFC 9309 section 2.3.1.4).
		return robots.Verdict{}, nil
	}
	return x.Verdict, nil
}
