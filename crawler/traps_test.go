package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// printOf stands for a print of a page's text: that of its lines "say". Two
// texts have prints that are as far apart as those of any.
func printOf(p *crawler.Page) (print uint64, words int, ok bool) {
	var said []string
	for line := range strings.Lines(string(p.Response.Body)) {
		if word, says := strings.CutPrefix(line, "say "); says {
			said = append(said, word)
		}
	}
	return xxh3.HashString(strings.Join(said, " ")), 100 * len(said), true
}

// requested counts the URLs that were requested whose path begins so.
func (w *web) requested(prefix string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for url := range w.fetches {
		if strings.HasPrefix(strings.TrimPrefix(url, host), prefix) {
			n++
		}
	}
	return n
}

// numbered gives the number at the end of a path that begins so.
func numbered(u urls.URL, prefix string) (n int, ok bool) {
	rest, ok := strings.CutPrefix(u.Path(), prefix)
	if !ok {
		return 0, false
	}
	_, err := fmt.Sscan(rest, &n)
	return n, err == nil
}

// maker joins what makes pages.
func maker(makers ...func(u urls.URL) (string, bool)) func(u urls.URL) (string, bool) {
	return func(u urls.URL) (string, bool) {
		for _, m := range makers {
			if text, ok := m(u); ok {
				return text, true
			}
		}
		return "", false
	}
}

// products are pages of their own that lead to others of their kind, as related
// products do.
func products(most int) func(u urls.URL) (string, bool) {
	return func(u urls.URL) (string, bool) {
		n, ok := numbered(u, "/product/")
		if !ok || n >= most {
			return "", false
		}
		text := fmt.Sprintf("record %d\nsay product %d", n, n)
		for _, related := range []int{n + 1, 2 * n, 2*n + 1} {
			if related < most {
				text += fmt.Sprintf("\nlink /product/%d", related)
			}
		}
		return text, true
	}
}

// months are an endless calendar, with a product in each of the first months.
func months(u urls.URL) (string, bool) {
	n, ok := numbered(u, "/calendar/month-")
	if !ok {
		return "", false
	}
	text := fmt.Sprintf("say nothing happens\nlink /calendar/month-%d\nlink /calendar/month-%d", n+1, n+10)
	if n < 20 {
		text += fmt.Sprintf("\nlink /product/%d", 300+n)
	}
	return text, true
}

func TestEndlessCalendar(t *testing.T) {
	r := newRig(t)
	r.set.Traps = crawler.TrapRules{Stale: 40}
	r.web.pages[host+"/0"] = "link /product/1\nlink /calendar/month-0"
	r.web.made = maker(products(300), months, func(u urls.URL) (string, bool) {
		n, ok := numbered(u, "/product/")
		return fmt.Sprintf("record %d\nsay product %d", n, n), ok && n < 400
	})
	s := r.finish()
	// Those from 1 to 299, which lead to each other, and one in each of 20 months.
	r.exactly(299 + 20)
	// 66 months are at most as far away as the last product; then those in a row,
	// and those in flight meanwhile.
	if n := r.web.requested("/calendar/"); n < 40 || n > 66+40+2*r.set.Workers {
		t.Errorf("%d months were requested", n)
	}
	if s.Trapped == 0 || len(s.Traps) != 1 || s.Traps[0].URLs != s.Trapped ||
		s.Traps[0].Rule != "stale" || s.Traps[0].Pattern != host+"/calendar/month-{n}" {
		t.Errorf("%d trapped, by %+v", s.Trapped, s.Traps)
	}
}

// A long chain of pages that each say something new is no trap, however long.
func TestPagesThatSaySomethingNew(t *testing.T) {
	for _, news := range []string{"say page %d", "record %d", "link /other-%d"} {
		r := newRig(t)
		r.set.Traps = crawler.TrapRules{Stale: 10, News: []string{"item"}}
		r.web.pages[host+"/0"] = "link /list?page=0"
		r.web.made = func(u urls.URL) (string, bool) {
			var n int
			if _, err := fmt.Sscanf(u.Query(), "page=%d", &n); err != nil || n >= 200 {
				return "", false
			}
			return fmt.Sprintf(news+"\nlink /list?page=%d", n, n+1), true
		}
		if s := r.finish(); r.web.requested("/list") != 201 || s.Trapped != 0 {
			t.Errorf("%q: %d pages were requested, %d trapped", news, r.web.requested("/list"), s.Trapped)
		}
	}
}

// Two patterns that lead to each other in turn are no way out.
func TestPatternsInTurn(t *testing.T) {
	r := newRig(t)
	r.set.Traps = crawler.TrapRules{Stale: 20}
	r.web.pages[host+"/0"] = "link /odd/1"
	r.web.made = maker(func(u urls.URL) (string, bool) {
		n, ok := numbered(u, "/odd/")
		return fmt.Sprintf("say hello\nlink /even/%d", n+1), ok
	}, func(u urls.URL) (string, bool) {
		n, ok := numbered(u, "/even/")
		return fmt.Sprintf("say bye\nlink /odd/%d", n+1), ok
	})
	s := r.finish()
	if n := r.web.requested("/"); n < 100 || n > 250 || s.Trapped != 1 {
		t.Errorf("%d pages were requested, %d trapped", n, s.Trapped)
	}
}

// graceClock tells when a run has stopped to lease, and its grace begins.
type graceClock struct {
	crawler.SystemClock
	grace time.Duration
	begun chan struct{}
}

func (c *graceClock) After(d time.Duration) <-chan time.Time {
	if d == c.grace {
		close(c.begun)
	}
	return c.SystemClock.After(d)
}

// The bound of a pattern holds to the page, whatever its pages say, and over all
// the processes of a run.
func TestPatternBound(t *testing.T) {
	r := newRig(t)
	r.set.Traps = crawler.TrapRules{Pattern: 150}
	r.web.pages[host+"/0"] = "link /maze/1"
	r.web.made = func(u urls.URL) (string, bool) {
		n, ok := numbered(u, "/maze/")
		return fmt.Sprintf("record %d\nsay maze %d\nlink /maze/%d\nlink /maze/%d", n, n, 2*n, 2*n+1), ok
	}
	r.set.Grace = time.Minute
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		clock := &graceClock{grace: r.set.Grace, begun: make(chan struct{})}
		r.clock = clock
		var fetched atomic.Int32
		r.web.before = func(context.Context, string) {
			if fetched.Add(1) >= 40 {
				cancel()
				<-clock.begun // or many more would be served before the workers hear of it
			}
		}
		if _, err := r.run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("the run was not interrupted: %v", err)
		}
	}
	r.clock = nil
	r.web.before = nil
	s := r.finish()
	// 1 is found on another page; 2 and 3 are one step away, and so on to 8 to 15.
	if n := r.web.requested("/maze/"); n != 15+150 {
		t.Errorf("%d pages were requested, want 165", n)
	}
	if s.Trapped != 166 || len(s.Traps) != 1 || s.Traps[0].Rule != "pattern" {
		t.Errorf("%d trapped, by %+v", s.Trapped, s.Traps)
	}
}

// What a process that died had counted and not committed does not lose pages
// beyond the bound by more than it had in flight.
func TestPatternBoundAfterDeath(t *testing.T) {
	r := newRig(t)
	r.set.Traps = crawler.TrapRules{Pattern: 150}
	r.set.BatchPages = 7
	r.web.pages[host+"/0"] = "link /maze/1"
	r.web.made = func(u urls.URL) (string, bool) {
		n, ok := numbered(u, "/maze/")
		return fmt.Sprintf("record %d\nsay maze %d\nlink /maze/%d\nlink /maze/%d", n, n, 2*n, 2*n+1), ok
	}
	const deaths = 3
	for range deaths {
		r.wrap = func(f crawler.Frontier) crawler.Frontier { return &dying{Frontier: f, after: 7} }
		if s, err := r.run(t.Context()); !errors.Is(err, crawler.ErrStop) {
			t.Fatalf("%s: %v", s.Status, err)
		}
	}
	r.wrap = nil
	s := r.finish()
	lost := int64(deaths * (7 + 3*r.set.Workers)) // in the batch, in the channel and in flight
	if s.Pages > 1+15+150 || s.Pages < 1+15+150-lost {
		t.Errorf("%d pages, want 166 or up to %d less", s.Pages, lost)
	}
}

func TestPathsInCircles(t *testing.T) {
	r := newRig(t)
	r.set.Traps = crawler.TrapRules{Repeats: 3}
	r.web.pages[host+"/0"] = "link /a/b/"
	r.web.made = func(u urls.URL) (string, bool) {
		return "record x\nsay round\nlink a/b/\nlink " + u.Path() + "x", strings.HasSuffix(u.Path(), "/")
	}
	s := r.finish()
	if n := r.web.requested("/a/b/"); n != 6 || s.Trapped != 1 {
		t.Errorf("%d pages were requested, %d trapped: %v", n, s.Trapped, r.web.fetches)
	}
	if len(s.Traps) != 1 || s.Traps[0].Pattern != host+"/a/b/a/b/..." {
		t.Errorf("traps %+v", s.Traps)
	}
}

// Filters that combine freely are bounded; a program that takes many parameters
// in few combinations is not, and neither are pages with one parameter.
func TestFacets(t *testing.T) {
	names := []string{"brand", "color", "kind", "size", "sort"}
	r := newRig(t)
	r.set.Traps = crawler.TrapRules{Facets: 60}
	r.web.pages[host+"/0"] = "link /shop\nlink /index.php?do=0"
	r.web.made = maker(func(u urls.URL) (string, bool) {
		given := map[string]bool{}
		for param := range strings.SplitSeq(u.Query(), "&") {
			name, _, _ := strings.Cut(param, "=")
			given[name] = true
		}
		text := "say x"
		for _, name := range names {
			for value := range 3 {
				if !given[name] {
					text += fmt.Sprintf("\nlink /shop?%s&%s=%d", u.Query(), name, value)
				}
			}
		}
		return strings.ReplaceAll(text, "?&", "?"), u.Path() == "/shop"
	}, func(u urls.URL) (string, bool) {
		text := "say x"
		for i := range 40 {
			text += fmt.Sprintf("\nlink /index.php?do=%d&id=%d\nlink /index.php?do=%d&a%d=1&b%d=2&c%d=3", i, i, i, i%4, i%4, i%4)
		}
		return text, u.Path() == "/index.php"
	})
	s := r.finish()
	if n := r.web.requested("/index.php"); n != 81 {
		t.Errorf("%d pages of a program were requested, want 81", n)
	}
	singles := 0
	for url := range r.web.fetches {
		if strings.HasPrefix(url, host+"/shop?") && !strings.Contains(url, "&") {
			singles++
		}
	}
	// Until it shows that they combine, each pair of filters may come once.
	if n := r.web.requested("/shop"); singles != 15 || n > 1+15+10*9*2+60 {
		t.Errorf("%d pages of a shop were requested, %d with one filter", n, singles)
	}
	if len(s.Traps) != 1 || s.Traps[0].Rule != "facets" || s.Traps[0].Pattern != host+"/shop?..." {
		t.Errorf("traps %+v", s.Traps)
	}
}

// Seeds and what sitemaps list are meant to be fetched.
func TestSeedsAreNotTrapped(t *testing.T) {
	r := newRig(t)
	r.set.Traps = crawler.TrapRules{Repeats: 1, Facets: 1, Stale: 1, Pattern: 1}
	r.seeds = nil
	for i := range 30 {
		r.seeds = append(r.seeds, fmt.Sprintf("%s/a/a/a/a/%d?x=1&y=2", host, i))
	}
	r.web.made = func(urls.URL) (string, bool) { return "say x", true }
	if s := r.finish(); s.Pages != 30 || s.Trapped != 0 {
		t.Errorf("summary %+v", s)
	}
}

// URLs that differ in their session alone are one page.
func TestSessionsAreOnePage(t *testing.T) {
	r := newRig(t)
	var sessions atomic.Int32
	r.web.pages[host+"/0"] = "link /shop/1;jsessionid=0"
	r.web.made = func(u urls.URL) (string, bool) {
		n := sessions.Add(1)
		return fmt.Sprintf("record x\nlink /shop/1;jsessionid=%d\nlink /shop/2?PHPSESSID=%d\nlink /(S(a%d))/shop/3", n, n, n), true
	}
	if s := r.finish(); s.Pages != 4 || s.Duplicates == 0 {
		t.Errorf("%d pages, want 4: %v", s.Pages, r.web.fetches)
	}
}

// The links of a page that says what another has said are left alone, its
// records are kept, and it is counted.
func TestNearDuplicates(t *testing.T) {
	r := newRig(t)
	r.set.Workers = 1
	r.set.Traps = crawler.TrapRules{NearDuplicates: true}
	r.web.pages[host+"/0"] = "record 0\nsay front\nlink /a\nlink /b\nlink /short/1\nlink /short/2"
	r.web.pages[host+"/a"] = "record a\nsay the same\nlink /a/more"
	r.web.pages[host+"/b"] = "record b\nsay the same\nlink /b/more"
	r.web.pages[host+"/a/more"], r.web.pages[host+"/b/more"] = "record c", "record c"
	r.web.pages[host+"/short/1"], r.web.pages[host+"/short/2"] = "record d", "record d\nlink /short/3"
	r.web.pages[host+"/short/3"] = "record e"
	s := r.finish()
	r.exactly(7)
	if s.NearDuplicates != 1 || r.web.requested("/a/more")+r.web.requested("/b/more") != 1 {
		t.Errorf("%d near-duplicates, requested %v", s.NearDuplicates, r.web.fetches)
	}
}
