package explain

import (
	"strings"
	"time"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/cmd/version"
	"github.com/amblecrawl/amble/crawler/urls"
)

// explainKnown tells what is known of a page, and when it is asked for again.
func explainKnown(c *crawl.Crawl, row func(string, string, ...any), kept *crawl.Kept, u urls.URL, key urls.Key) {
	rules := c.Config.RevisitRules(version.Program())
	if !rules.On {
		return
	}
	if kept.Snapshot == nil {
		row("known", "no, as there was no run yet")
		return
	}
	k, err := kept.Snapshot.Recall(key)
	switch {
	case err != nil:
		row("known", "cannot be read: %v", err)
		return
	case k == nil:
		row("known", "no: it would be a new page")
		return
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	row("known", "since %s, visited %s, last at %s", at(k.FirstSeen), format.Plural(k.Visits+1, "time"), at(k.Visited))
	if k.Changed.Equal(k.FirstSeen) {
		row("changed", "not that anybody saw")
	} else {
		row("changed", "as seen at %s, last at %s", format.Plural(k.Changes, "visit"), at(k.Changed))
	}
	var validators []string
	if k.ETag != "" {
		validators = append(validators, "ETag "+format.Clip(k.ETag, format.MaxDetail))
	}
	if k.LastModified != "" {
		validators = append(validators, "Last-Modified "+k.LastModified)
	}
	switch {
	case !k.Whole:
		row("validators", "not used: too much, or something unusual, is read from the page to be kept")
	case validators == nil:
		row("validators", "none that are good: it is compared by its body")
	default:
		row("validators", "%s", strings.Join(validators, " and "))
	}
	d := rules.Due(k, u, time.Time{}, time.Now())
	when := "in the next run"
	if !d.Now {
		when = "not before " + at(d.At)
	} else if !d.At.IsZero() {
		when += ", since " + at(d.At)
	}
	row("due", "%s: %s", when, d.Why)
}
