package cmd

import (
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/extractors"
	"github.com/amblecrawl/amble/politeness/signals"
)

// pagePolicy reads what a site says on a page and in its header: directives for
// robots, and usage signals.
type pagePolicy struct {
	agent string
	usage signals.Policy

	ignoreNofollow bool
	dropNoindex    bool
}

var _ crawler.PagePolicy = (*pagePolicy)(nil)

func newPagePolicy(cfg *config.Config, usage signals.Policy) *pagePolicy {
	p := &cfg.Politeness
	return &pagePolicy{
		agent: p.Agent, usage: usage,
		ignoreNofollow: p.Nofollow == "ignore", dropNoindex: p.Noindex == "drop",
	}
}

// Judge is called for each page before it is extracted.
func (p *pagePolicy) Judge(page *crawler.Page) crawler.PageVerdict {
	var metas []signals.Meta
	for _, m := range extractors.Metas(page) {
		metas = append(metas, signals.Meta(m))
	}
	header := page.Response.Header
	directives := signals.Directives(p.agent, header, metas, time.Now())
	v := crawler.PageVerdict{
		NoFollow:  directives.NoFollow && !p.ignoreNofollow,
		NoRecords: directives.NoIndex && p.dropNoindex,
	}
	var reasons []string
	if v.NoFollow || v.NoRecords {
		reasons = append(reasons, directives.From...)
	}
	host, _ := page.Said.(said)
	usage := signals.Merge(host.of(page.URL.Fetch()), signals.FromHeader(header), signals.FromMetas(metas))
	if verdict := p.usage.Decide(usage); !verdict.Allowed {
		v.NoRecords = true
		reasons = append(reasons, verdict.Reason)
	}
	v.Usage = p.usage.Recorded(usage).String()
	v.Reason = strings.Join(reasons, "; ")
	return v
}
