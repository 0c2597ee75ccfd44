package polite

import (
	"fmt"
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
	dropNoarchive  bool
	now            func() time.Time
}

var _ crawler.PagePolicy = (*pagePolicy)(nil)

// NewPagePolicy makes the reader of what sites say on pages.
func NewPagePolicy(cfg *config.Config, usage signals.Policy) crawler.PagePolicy {
	p := &cfg.Politeness
	return &pagePolicy{
		agent: p.Agent, usage: usage,
		ignoreNofollow: p.Nofollow == "ignore", dropNoindex: p.Noindex == "drop",
		dropNoarchive: p.Noarchive == "drop", now: time.Now,
	}
}

// Judge is called for each page before it is extracted.
func (p *pagePolicy) Judge(page *crawler.Page) crawler.PageVerdict {
	if !page.URL.IsHTTP() {
		return crawler.PageVerdict{}
	}
	head := extractors.HeadOf(page)
	metas := make([]signals.Meta, len(head.Metas))
	for i, m := range head.Metas {
		metas[i] = signals.Meta(m)
	}
	header := page.Response.Header
	directives := signals.Directives(p.agent, header, metas, p.now())
	v := crawler.PageVerdict{
		NoFollow:  directives.NoFollow && !p.ignoreNofollow,
		NoRecords: directives.NoIndex && p.dropNoindex || directives.NoArchive && p.dropNoarchive,
		Canonical: canonicalOf(page.URL, header, &head),
	}
	var reasons []string
	if v.NoFollow || v.NoRecords {
		reasons = append(reasons, directives.From...)
	}
	reasons = append(reasons, directives.Problems...)
	host, _ := page.Said.(said)
	usage := signals.Merge(host.of(page.URL.Fetch()), signals.FromHeader(header), signals.FromMetas(metas),
		signals.FromLicenceLinks(licenceLinks(page.URL, &head)))
	if verdict := p.usage.Decide(usage); !verdict.Allowed {
		v.NoRecords = true
		reasons = append(reasons, verdict.Reason)
	} else {
		reasons = append(reasons, usage.Problems()...)
	}
	v.Usage = noted(p.usage.Recorded(usage), &directives)
	v.Reason = strings.Join(reasons, "; ")
	return v
}

// noted is what a record says in its _usage: usage signals, then the page's
// directives for robots.
func noted(usage signals.Usage, directives *signals.Robots) string {
	text := usage.String()
	for i, d := range directives.From {
		if len(text) > maxNoted {
			return text + fmt.Sprintf("; and %d more", len(directives.From)-i)
		}
		if text != "" {
			text += "; "
		}
		text += d
	}
	return text
}

// maxNoted is from where on no directive is added to a record.
const maxNoted = 2 << 10
