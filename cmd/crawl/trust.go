package crawl

import (
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/trust"
)

// Trusted is the pipeline, with records that fall short of what the config asks
// of them taken out.
func (c *Crawl) Trusted() crawler.Pipeline {
	return trust.Enforce(c.Pipeline, c.Config.Demands(), c.fieldSource)
}

// fieldSource is where a field is read from, "" where its extractor does not say.
func (c *Crawl) fieldSource(recordType, field string) string {
	for _, r := range c.Config.Extract {
		if s, ok := r.Extractor.(crawler.Sourcer); ok && r.Type == recordType {
			return s.FieldSource(field)
		}
	}
	return ""
}
