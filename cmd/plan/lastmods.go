package plan

import (
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/feeds"
)

// lastmods are what one sitemap says of pages that earlier runs know, from the sitemap
// being read to its end: only then it shows whether it says anything.
type lastmods struct {
	planner *planner
	all     feeds.Lastmods
	said    []lastmod
}

// lastmod is when a page was modified, in seconds of Unix time.
type lastmod struct {
	key urls.Key
	at  int64
}

// add takes an entry. known tells that it is the first of a page that earlier runs know.
func (l *lastmods) add(link crawler.Link, known bool) {
	l.all.Add(link.Modified)
	if known && !link.Modified.IsZero() && l.planner.heedsLastmod {
		l.said = append(l.said, lastmod{l.planner.crawl.Canon.Key(link.URL), link.Modified.Unix()})
	}
}

// settle keeps what the sitemap says, unless it says the same of all.
func (l *lastmods) settle() {
	if l.all.Alike() {
		return
	}
	p := l.planner
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range l.said {
		if len(p.modified) >= p.most.modified {
			p.unheard++
			continue
		}
		p.modified[m.key] = m.at
	}
}

// lastmodOf is when a sitemap of the plan has a page modified, zero where none says so.
// p.mu is not needed once all are read.
func (p *planner) lastmodOf(k *crawler.Known) time.Time {
	at, ok := p.modified[k.Request.Key]
	if !ok || k.Seed { // a seed is found before any sitemap is read
		return time.Time{}
	}
	return time.Unix(at, 0)
}
