package plan

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// gather reads the seeds, and what their hosts say.
func (p *planner) gather(ctx context.Context, named bool) error {
	// The seeds are read twice: once for their hosts, and once to be counted when
	// these have said what they allow. So none of them is kept.
	for s, err := range p.crawl.Config.EachSeed() {
		if err != nil {
			return err
		}
		if s.Fault != nil {
			continue // it makes no request
		}
		if s.Kind == crawler.KindSitemap {
			p.addSitemap(sitemap{url: s.URL.WithoutFragment()}, false)
		} else {
			p.meet(s.URL.WithoutFragment())
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := p.drain(ctx); err != nil {
		return err
	}
	for s, err := range p.crawl.Config.EachSeed() {
		if err != nil {
			return err
		}
		if s.Kind == crawler.KindPage && s.Fault == nil {
			key := crawler.KeyOf(p.crawl.Canon.Key(s.URL), s.Call.Digest())
			p.request(crawler.KeyOf(key, s.Row), s.URL.WithoutFragment(), nil)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := p.drain(ctx); err != nil { // for what only the seeds have brought up
		return err
	}
	p.collectOffers()
	if !named {
		return nil
	}
	p.readOffers()
	return p.drain(ctx)
}

// progressEvery is how often a plan that takes long says where it is.
const progressEvery = 5 * time.Second

// showProgress tells from time to time how far the planner is, until stopped.
func (p *planner) showProgress(w io.Writer) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintln(w, "amble: "+p.progress())
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}
