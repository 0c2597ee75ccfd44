package crawler_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// naming reads the line "canonical" of a page, and "nofollow".
type naming struct{}

func (naming) Judge(p *crawler.Page) (v crawler.PageVerdict) {
	for line := range strings.Lines(string(p.Response.Body)) {
		what, word, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch what {
		case "canonical":
			if u, err := p.URL.Resolve(word); err == nil {
				v.Canonical = u
			}
		case "nofollow":
			v.NoFollow = true
		}
	}
	return v
}

func TestCanonicalRules(t *testing.T) {
	for _, c := range []struct {
		rule             crawler.CanonicalRule
		fetched, records int
	}{
		{crawler.CanonicalIgnore, 5, 5},
		{crawler.CanonicalFollow, 6, 6},
		{crawler.CanonicalOnly, 6, 5},
	} {
		r := newRig(t)
		r.policy, r.set.Canonical = naming{}, c.rule
		r.web.pages = map[string]string{
			host + "/0":      "record start\nlink /a\nlink /out\nlink /close\nlink /self",
			host + "/a":      "record a\ncanonical /b",
			host + "/b":      "record b\ncanonical /b#part",
			host + "/out":    "record out\ncanonical http://elsewhere.example/",
			host + "/close":  "record close\nnofollow\ncanonical /secret",
			host + "/self":   "record self\ncanonical /self",
			host + "/secret": "record secret",
		}
		s := r.finish()
		r.exactly(c.records)
		if int(s.Pages) != c.fetched || r.web.times(host+"/secret") != 0 || s.Failed != 0 {
			t.Errorf("rule %d: summary %+v", c.rule, s)
		}
	}
}

// A page is not left to one that gives no records itself.
func TestCanonicalThatLeadsNowhere(t *testing.T) {
	r := newRig(t)
	r.policy, r.set.Canonical = naming{}, crawler.CanonicalOnly
	r.web.pages[host+"/0"] = "link /gone\nlink /moved\nlink /1"
	r.web.pages[host+"/1"] = "link /a\nlink /b"
	r.web.pages[host+"/a"] = "record a\ncanonical /gone"
	r.web.pages[host+"/b"] = "record b\ncanonical /moved"
	r.web.answers[host+"/moved"] = redirectTo(host + "/b")
	var f crawler.Frontier
	r.wrap = func(inner crawler.Frontier) crawler.Frontier { f = inner; return inner }
	r.web.before = func(_ context.Context, url string) {
		for range 1000 { // what is to be known is committed when the pages are read
			if url != host+"/a" && url != host+"/b" || settled(f, "/gone") && settled(f, "/moved") {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	r.set.Workers = 4
	r.finish()
	r.exactly(2)
}

func settled(f crawler.Frontier, path string) bool {
	u, err := urls.Parse(host + path)
	if err != nil {
		return false
	}
	s, err := f.Lookup(host, (&urls.Canon{}).Key(u))
	return err == nil && s.State == "settled"
}

// Of pages that name each other one gives its records, however they meet.
func TestPagesThatNameEachOther(t *testing.T) {
	for range 5 {
		r := newRig(t)
		r.policy, r.set.Canonical = naming{}, crawler.CanonicalOnly
		const pairs = 40
		text := ""
		for i := range pairs {
			text += fmt.Sprintf("link /a%d\nlink /b%d\n", i, i)
			r.web.pages[fmt.Sprintf("%s/a%d", host, i)] = fmt.Sprintf("record a\ncanonical /b%d", i)
			r.web.pages[fmt.Sprintf("%s/b%d", host, i)] = fmt.Sprintf("record b\ncanonical /a%d", i)
		}
		r.web.pages[host+"/0"] = text
		s := r.finish()
		r.exactly(pairs)
		if s.Fetched != 2*pairs+1 || s.Failed != 0 {
			t.Errorf("summary %+v", s)
		}
	}
}
