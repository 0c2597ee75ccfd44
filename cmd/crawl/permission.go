package crawl

import (
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Allowed tells whether a host's robots.txt lets a URL be fetched, by its rules
// and by what it says about the use of pages. What is not known is taken as
// allowed, for the caller to say.
func (c *Crawl) Allowed(u urls.URL) (allowed bool, by polite.Rule, known bool) {
	if c.withoutRobots(u.Origin()) {
		return true, polite.Rule{}, true
	}
	return polite.Consult(c.Gate, c.usage, u)
}

// withoutRobots says whether robots.txt has no say about a host.
func (c *Crawl) withoutRobots(origin string) bool {
	return c.Config.Politeness.Robots == "ignore" || c.Gate.API(origin)
}

// Stated tells what a host is known to state about the use of a page.
func (c *Crawl) Stated(u urls.URL) string { return polite.Stated(c.Gate, c.usage, u) }
