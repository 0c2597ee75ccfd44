package cmd

import (
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/trust"
)

// trusted is the pipeline, with records that fall short of what the config asks
// of them taken out.
func (c *crawl) trusted() crawler.Pipeline {
	return trust.Enforce(c.pipeline, c.cfg.Demands(), c.fieldSource)
}

// fieldSource is where a field is read from, "" where its extractor does not say.
func (c *crawl) fieldSource(recordType, field string) string {
	for _, r := range c.cfg.Extract {
		if s, ok := r.Extractor.(crawler.Sourcer); ok && r.Type == recordType {
			return s.FieldSource(field)
		}
	}
	return ""
}
