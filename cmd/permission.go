package cmd

import "github.com/amblecrawl/amble/crawler/urls"

// allowed tells whether a host's robots.txt lets a URL be fetched, by its rules
// and by what it says about the use of pages. What is not known is taken as
// allowed, for the caller to say.
func (c *crawl) allowed(u urls.URL) (allowed bool, by planRule, known bool) {
	if c.withoutRobots(u.Origin()) {
		return true, planRule{}, true
	}
	return consult(c.gate, c.usage, u)
}

// withoutRobots says whether robots.txt has no say about a host.
func (c *crawl) withoutRobots(origin string) bool {
	return c.cfg.Politeness.Robots == "ignore" || c.gate.API(origin)
}

// stated tells what a host is known to state about the use of a page.
func (c *crawl) stated(u urls.URL) string { return stated(c.gate, c.usage, u) }
