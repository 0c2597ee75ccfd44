package feeds

import (
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// lastmodForms are those of a W3C datetime (https://www.w3.org/TR/NOTE-datetime), as
// sitemaps write when a page was last modified.
var lastmodForms = []struct {
	form string
	// end is the end of the time that is named, less a second.
	end func(time.Time) time.Time
}{
	{time.RFC3339, func(t time.Time) time.Time { return t }},
	{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(14 * time.Hour) }}, // in some zone
	{"2006-01-02 15:04:05", func(t time.Time) time.Time { return t.Add(14 * time.Hour) }},
	{time.DateOnly, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
}

// modified reads a lastmod as the last moment that it may mean; zero is no time.
func modified(text string) time.Time {
	for _, f := range lastmodForms {
		if t, err := time.Parse(f.form, text); err == nil && t.Year() > 1990 && t.Year() < 9000 {
			return f.end(t).UTC()
		}
	}
	return time.Time{}
}

// enoughAlike is from how many addresses on one lastmod for all of them is that of the
// sitemap rather than of the pages.
const enoughAlike = 5

// Lastmods looks at what one sitemap says of all its addresses.
type Lastmods struct {
	n      int
	first  time.Time
	differ bool
}

// Add takes what is said of one address, zero for nothing.
func (l *Lastmods) Add(at time.Time) {
	if l.n == 0 {
		l.first = at
	}
	l.differ = l.differ || !at.Equal(l.first)
	l.n++
}

// Alike reports whether all is the same, so that it says nothing of the pages.
func (l *Lastmods) Alike() bool { return l.n >= enoughAlike && !l.differ }

// distrust takes the lastmods away where all are the same.
func distrust(links []crawler.Link) {
	var said Lastmods
	for i := range links {
		said.Add(links[i].Modified)
	}
	if !said.Alike() {
		return
	}
	for i := range links {
		links[i].Modified = time.Time{}
	}
}
