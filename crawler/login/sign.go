package login

import (
	"context"
	"slices"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// maxShown is the largest page that is looked into for a sign.
const maxShown = 2 << 20

// Sign is something that an answer may show; any one of its parts will do.
type Sign struct {
	Status []int                 // of the answer
	Leads  func(u urls.URL) bool // where it redirects to; nil: nowhere
	Shows  crawler.Extractor     // it gives a record where the page shows it; nil: nothing
}

// Empty reports whether there is nothing to look for.
func (s *Sign) Empty() bool { return len(s.Status) == 0 && s.Leads == nil && s.Shows == nil }

// seen reports whether an answer shows the sign.
func (s *Sign) seen(ctx context.Context, page *crawler.Page) bool {
	resp := page.Response
	if slices.Contains(s.Status, resp.Status) {
		return true
	}
	if s.Leads != nil && resp.Status/100 == 3 && !resp.Location.IsZero() && s.Leads(resp.Location) {
		return true
	}
	if s.Shows == nil || len(resp.Body) == 0 || len(resp.Body) > maxShown {
		return false
	}
	var r crawler.Result
	return s.Shows.Extract(ctx, page, crawler.NewEmitter("sign", page, &r)) == nil && len(r.Records) > 0
}
