package monitor

import (
	"maps"

	"github.com/amblecrawl/amble/crawler"
)

// Counts are what a process has done for a crawl. Unlike [crawler.Totals] they
// begin at 0 with the process, whatever earlier ones did of the run, and count what
// is not committed yet as well.
type Counts struct {
	Requests int64 // HTTP exchanges, robots.txt and sitemaps included
	Bytes    int64 // received, as sent over the wire
	Records  int64
	Outcomes map[crawler.Class]int64 // of URLs, their last one only
}

// otherClass is where classes are counted that are too many to tell apart.
const otherClass crawler.Class = "other"

func (c *Counts) settle(class crawler.Class, records int64) {
	if _, known := c.Outcomes[class]; !known && len(c.Outcomes) >= maxClasses {
		class = otherClass
	}
	c.Outcomes[class]++
	c.Records += records
}

func (c *Counts) add(o Counts) {
	c.Requests += o.Requests
	c.Bytes += o.Bytes
	c.Records += o.Records
	for class, n := range o.Outcomes {
		if _, known := c.Outcomes[class]; !known && len(c.Outcomes) >= maxClasses {
			class = otherClass
		}
		c.Outcomes[class] += n
	}
}

func (c Counts) clone() Counts {
	c.Outcomes = maps.Clone(c.Outcomes)
	return c
}

// Counts reads what has been counted since the monitor was made.
func (m *Monitor) Counts() Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts.clone()
}
