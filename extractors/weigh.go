package extractors

import "github.com/amblecrawl/amble/crawler"

// Weigh is what the extractors for a page take of memory of their own, in bytes: the
// most that one of them does, as they run after each other. Of the page it needs the
// request and the type.
func (pl *Pipeline) Weigh(p *crawler.Page, size int64) (most int64) {
	for i := range pl.rules {
		r := &pl.rules[i]
		if w, ok := r.Extractor.(crawler.Weigher); ok {
			own := int64(0)
			_, err := pl.call("weigh", p, func() error {
				if r.applies(p) {
					own = w.Weigh(p.Response.MediaType, size)
				}
				return nil
			})
			if err == nil {
				most = max(most, own)
			}
		}
	}
	return most
}
