package crawler_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/urls"
)

// holding is what somebody has who applies what runs write.
type holding map[string]string // key to the record's type, page and word

func (d holding) apply(records []crawler.Record) {
	for i := range records {
		r := &records[i]
		if r.Deleted {
			delete(d, r.Key)
			continue
		}
		d[r.Key] = r.URL + " " + fmt.Sprint(r.Fields)
	}
}

// known is a rig whose runs know pages from one another.
type known struct {
	*rig
	clock *handClock
}

// handClock is moved by hand; waiting is over at once.
type handClock struct{ now time.Time }

func (c *handClock) Now() time.Time { return c.now }
func (c *handClock) After(time.Duration) <-chan time.Time {
	done := make(chan time.Time, 1)
	done <- c.now
	return done
}

func newKnown(t *testing.T, rules crawler.RevisitRules) *known {
	k := &known{rig: newRig(t), clock: &handClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	rules.On, rules.Sum = true, max(rules.Sum, 1)
	k.set.Revisit, k.set.Retries = rules, -1
	k.rig.clock, k.web.now, k.web.conditional = k.clock, k.clock.Now, true
	return k
}

// next begins another run of the crawl: the state of the last one goes, but for what
// is known of pages.
func (k *known) next() crawler.Summary {
	k.t.Helper()
	k.renew()
	return k.finish()
}

func (k *known) renew() {
	k.t.Helper()
	f, err := frontier.Open(frontier.Options{Dir: "state", FS: k.fs, Crawl: "test", Fresh: true, Keep: []string{crawler.KeyRevisit}, KeepKnown: true})
	if err != nil {
		k.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		k.t.Fatal(err)
	}
	k.sink.lines, k.sink.records, k.sink.written = nil, nil, nil
	clear(k.web.fetches)
}

func (k *known) records() holding {
	d := holding{}
	d.apply(k.sink.records)
	return d
}

// scratch is what a first run of the same web gives, found by a simple walk.
func (k *known) scratch() holding {
	k.t.Helper()
	d, canon := holding{}, urls.Canon{DropSessions: true}
	seen := map[string]bool{}
	var visit func(url string)
	visit = func(url string) {
		if seen[url] {
			return
		}
		seen[url] = true
		u, err := urls.Parse(url)
		if err != nil {
			k.t.Fatal(err)
		}
		if answer := k.web.answers[url]; answer != nil {
			if resp, err := answer(1); err == nil && resp.Location.IsHTTP() {
				visit(resp.Location.Fetch())
			}
			return
		}
		n := 0
		for line := range strings.Lines(k.web.pages[url]) {
			switch what, word, _ := strings.Cut(strings.TrimSpace(line), " "); what {
			case "link":
				visit(host + word)
			case "record":
				d[crawler.RecordKey("item", canon.Key(u), n)] = url + " " + fmt.Sprint([]crawler.Field{{Name: "word", Value: word}})
				n++
			}
		}
	}
	for _, seed := range k.seeds {
		visit(seed)
	}
	return d
}

func (k *known) expect(s crawler.Summary, want crawler.RevisitTotals) {
	k.t.Helper()
	if s.Revisit == nil || s.Revisit.RevisitTotals != want {
		k.t.Errorf("what became of the pages is %+v, want %+v", s.Revisit, want)
	}
}

// An unchanged web costs conditional requests, and gives the same records.
func TestUnchangedWeb(t *testing.T) {
	for _, validators := range []bool{true, false} {
		k := newKnown(t, crawler.RevisitRules{})
		k.web.conditional = validators
		k.web.site(host, 40)
		k.expect(k.finish(), crawler.RevisitTotals{New: 40, RecordsNew: 40})
		first := k.records()
		k.clock.now = k.clock.now.Add(time.Hour)
		s := k.next()
		k.expect(s, crawler.RevisitTotals{Unchanged: 40})
		if !maps.Equal(k.records(), first) {
			t.Errorf("the records are %v, not %v", k.records(), first)
		}
		if s.Requests != 80 { // half of the links lead nowhere
			t.Logf("requests: %d", s.Requests)
		}
		if pages := map[bool]int64{true: 0, false: 40}[validators]; s.Pages != pages || s.Unchanged != 40-pages {
			t.Errorf("%d pages, %d unchanged, with validators %t", s.Pages, s.Unchanged, validators)
		}
	}
}

// A run writes what changed, and tombstones, where that is asked for.
func TestOnlyChangesAreWritten(t *testing.T) {
	k := newKnown(t, crawler.RevisitRules{Changes: true})
	k.web.site(host, 8)
	if s := k.finish(); s.Revisit.Writes != "all" {
		t.Errorf("the first run writes %s", s.Revisit.Writes)
	}
	all := k.records()
	k.web.pages[host+"/1"] += "\nrecord another"
	k.web.pages[host+"/2"] = strings.Replace(k.web.pages[host+"/2"], "record 2", "record two", 1)
	delete(k.web.pages, host+"/7")
	k.web.pages[host+"/5"] = "link /11"        // its record is gone
	k.web.pages[host+"/6"] += "\nnothing more" // its body is another, and no record is
	s := k.next()
	k.expect(s, crawler.RevisitTotals{
		New: 0, Changed: 4, Unchanged: 3, Gone: 1, RecordsNew: 1, RecordsChanged: 1, RecordsDeleted: 2,
	})
	var words []string
	for _, r := range k.sink.written {
		words = append(words, fmt.Sprintf("%s %v %t", r.URL, r.Fields, r.Deleted))
	}
	slices.Sort(words)
	want := []string{
		host + "/1 [{word another}] false", host + "/2 [{word two}] false", host + "/5 [] true", host + "/7 [] true",
	}
	if !slices.Equal(words, want) {
		t.Errorf("written was %q, want %q", words, want)
	}
	if s.Records["item"] != 2 {
		t.Errorf("%d records are counted", s.Records["item"])
	}
	all.apply(k.sink.written)
	if want := k.scratch(); !maps.Equal(all, want) {
		t.Errorf("with the changes the records are %v, want %v", all, want)
	}
}

// Nothing is gone that was not had: a failing host, robots.txt, a run cut short.
func TestNothingIsGoneByFailure(t *testing.T) {
	k := newKnown(t, crawler.RevisitRules{})
	k.web.site(host, 12)
	k.finish()
	all := k.records()
	for name, answer := range map[string]func(int) (*crawler.Response, error){
		"500": func(int) (*crawler.Response, error) { return status(500), nil },
		"403": func(int) (*crawler.Response, error) { return status(403), nil },
		"reset": func(int) (*crawler.Response, error) {
			return nil, &crawler.FetchError{Class: crawler.ClassReset, Err: fmt.Errorf("gone away"), Temporary: true}
		},
	} {
		k.web.answers[host+"/1"] = answer
		s := k.next()
		k.expect(s, crawler.RevisitTotals{Unchanged: 11, Kept: 1})
		if !maps.Equal(k.records(), all) {
			t.Errorf("after %s the records are %v", name, k.records())
		}
	}
	delete(k.web.answers, host+"/1")
	k.polite = forbidding{host + "/1"}
	s := k.next()
	k.expect(s, crawler.RevisitTotals{Unchanged: 11, Kept: 1})
	if s.Disallowed != 1 || k.web.times(host+"/1") != 0 {
		t.Errorf("%d disallowed, fetched %d times", s.Disallowed, k.web.times(host+"/1"))
	}
	k.polite = nil
	k.set.MaxPages = 3 // not the whole web is seen
	k.expect(k.next(), crawler.RevisitTotals{Unchanged: 3})
	k.set.MaxPages = 0
	k.expect(k.next(), crawler.RevisitTotals{Unchanged: 12})
	if !maps.Equal(k.records(), all) {
		t.Errorf("in the end the records are %v", k.records())
	}
}

// forbidding lets everything go but one URL.
type forbidding struct{ url string }

func (p forbidding) Decide(r *crawler.Request) crawler.Verdict {
	if r.URL.Fetch() == p.url {
		return crawler.Verdict{Action: crawler.Skip, Class: crawler.ClassDisallowed, State: freeState}
	}
	return free{}.Decide(r)
}

// A page that nothing leads to any more is asked for, and gone when it is.
func TestUnlinkedPages(t *testing.T) {
	for _, drop := range []bool{false, true} {
		k := newKnown(t, crawler.RevisitRules{DropUnlinked: drop})
		k.web.pages[host+"/0"] = "record a\nlink /alive\nlink /dead"
		k.web.pages[host+"/alive"] = "record b\nlink /below"
		k.web.pages[host+"/below"] = "record c"
		k.web.pages[host+"/dead"] = "record d"
		k.finish()
		k.web.pages[host+"/0"] = "record a"
		delete(k.web.pages, host+"/dead")
		if drop {
			k.expect(k.next(), crawler.RevisitTotals{Changed: 1, Gone: 3, Unlinked: 3, RecordsDeleted: 3})
			if !maps.Equal(k.records(), k.scratch()) || k.web.times(host+"/alive") != 0 {
				t.Errorf("the records are %v; /alive was fetched %d times", k.records(), k.web.times(host+"/alive"))
			}
			continue
		}
		k.expect(k.next(), crawler.RevisitTotals{Changed: 1, Unchanged: 2, Gone: 1, Unlinked: 3, RecordsDeleted: 1})
		if got := k.records(); len(got) != 3 {
			t.Errorf("the records are %v", got)
		}
		k.expect(k.next(), crawler.RevisitTotals{Unchanged: 3, Unlinked: 2})
		k.scope.Exclude = []urls.Pattern{{Glob: "/alive"}} // the config takes it out
		k.expect(k.next(), crawler.RevisitTotals{Unchanged: 2, Gone: 1, Unlinked: 2, RecordsDeleted: 1})
		k.seeds = []string{host + "/below"} // and /0 is no seed any more
		k.expect(k.next(), crawler.RevisitTotals{Unchanged: 1, Gone: 1, Unlinked: 1, RecordsDeleted: 1})
	}
}

// A 304 that nobody asked for is a failure with a name.
func TestUnaskedNotModified(t *testing.T) {
	k := newKnown(t, crawler.RevisitRules{})
	k.web.answers[host+"/0"] = func(int) (*crawler.Response, error) { return status(304), nil }
	if s := k.finish(); s.Errors[crawler.ClassProtocol] != 1 {
		t.Errorf("errors %v", s.Errors)
	}
}

// What the config makes of pages is another: they are read anew.
func TestAnotherConfigReadsAnew(t *testing.T) {
	k := newKnown(t, crawler.RevisitRules{Adaptive: true, Min: time.Hour, Max: time.Hour})
	k.web.site(host, 5)
	k.finish()
	k.expect(k.next(), crawler.RevisitTotals{NotDue: 5})
	k.set.Revisit.Sum++
	s := k.next()
	k.expect(s, crawler.RevisitTotals{Unchanged: 5})
	if s.Pages != 5 {
		t.Errorf("%d pages were read", s.Pages)
	}
	k.expect(k.next(), crawler.RevisitTotals{NotDue: 5})
	k.clock.now = k.clock.now.Add(-24 * time.Hour) // and after the clock was set back
	k.expect(k.next(), crawler.RevisitTotals{Unchanged: 5})
	k.expect(k.next(), crawler.RevisitTotals{NotDue: 5})
}

// However the web changes, a run gives what a first run would give, and who applies
// its changes has the same; also where it is cut off and goes on.
func TestRevisitsEqualFirstRuns(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rules := crawler.RevisitRules{
			DropUnlinked: true, Changes: rapid.Bool().Draw(rt, "changes"), Adaptive: rapid.Bool().Draw(rt, "adaptive"),
			Min: time.Hour, Max: 4 * time.Hour,
		}
		k := newKnown(t, rules)
		k.web.conditional = rapid.Bool().Draw(rt, "validators")
		pages := rapid.IntRange(3, 25).Draw(rt, "pages")
		draw := func(i int) {
			text := ""
			for range rapid.IntRange(0, 3).Draw(rt, "links") {
				text += fmt.Sprintf("link /%d\n", rapid.IntRange(0, pages-1).Draw(rt, "to"))
			}
			for range rapid.IntRange(0, 3).Draw(rt, "records") {
				text += fmt.Sprintf("record %d\n", rapid.IntRange(0, 2).Draw(rt, "word"))
			}
			url := fmt.Sprintf("%s/%d", host, i)
			delete(k.web.answers, url)
			switch rapid.IntRange(0, 9).Draw(rt, "kind") {
			case 0:
				delete(k.web.pages, url)
			case 1: // one that leads in no circle, which would be a failure
				k.web.answers[url] = redirectTo(fmt.Sprintf("%s/%d", host, rapid.IntRange(i+1, pages).Draw(rt, "target")))
			default:
				k.web.pages[url] = text
			}
		}
		for i := range pages {
			draw(i)
		}
		k.finish()
		held := k.records()
		for range rapid.IntRange(1, 4).Draw(rt, "runs") {
			for range rapid.IntRange(0, 5).Draw(rt, "changed") {
				draw(rapid.IntRange(0, pages-1).Draw(rt, "page"))
			}
			k.clock.now = k.clock.now.Add(5 * time.Hour) // everything is due
			k.renew()
			var s crawler.Summary
			if n := rapid.IntRange(0, 12).Draw(rt, "dies after"); n > 0 {
				k.wrap = func(f crawler.Frontier) crawler.Frontier { return &dying{Frontier: f, after: n} }
				s, _ = k.run(rt.Context())
				k.wrap = nil
			}
			if s.Status != crawler.StatusFinished {
				s = k.finish()
			}
			if !rules.Changes {
				held = holding{}
			}
			held.apply(k.sink.records)
			if want := k.scratch(); !maps.Equal(held, want) {
				rt.Fatalf("the records are\n%v, want\n%v\n%+v", held, want, s.Revisit)
			}
		}
	})
}

// The estimate of a page's rate of changes is hardly biased, where the plain one sees
// of many changes between two visits only one.
func TestChangeRate(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, perVisit := range []float64{0.1, 0.5, 1, 2} {
		const visits, trials = 40, 4000
		sum, plain := 0.0, 0.0
		for range trials {
			changes := int64(0)
			for range visits {
				if random.Float64() > math.Exp(-perVisit) { // at least one, of a Poisson process
					changes++
				}
			}
			watched := visits * time.Hour
			sum += crawler.ChangeRate(visits, changes, watched) * float64(time.Hour)
			plain += float64(changes) / visits
		}
		got, naive := sum/trials, plain/trials
		if math.Abs(got-perVisit) > 0.05*perVisit+0.01 {
			t.Errorf("%.2f changes a visit are estimated as %.3f (plainly %.3f)", perVisit, got, naive)
		}
		if perVisit >= 1 && math.Abs(naive-perVisit) < math.Abs(got-perVisit) {
			t.Errorf("the plain estimate is nearer: %.3f, not %.3f", naive, got)
		}
	}
}

// When a page is due follows its history, within the bounds.
func TestDue(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	hour := time.Hour
	u, _ := urls.Parse("http://a.example/news/1")
	rules := crawler.RevisitRules{On: true, Adaptive: true, Min: hour, Max: 100 * hour, Lastmod: true, Sum: 7}
	page := crawler.Known{Rules: 7, Visited: now, FirstSeen: now.Add(-10 * hour), Fetched: now}
	aged := func(age time.Duration) crawler.RevisitRules {
		r := rules
		r.MaxAge = func(urls.URL) time.Duration { return age }
		return r
	}
	with := func(f func(k *crawler.Known)) crawler.Known { k := page; f(&k); return k }
	for _, c := range []struct {
		name     string
		rules    crawler.RevisitRules
		page     crawler.Known
		modified time.Time
		wait     time.Duration // negative: due at once
	}{
		{"visited once", rules, page, time.Time{}, hour},
		{"never changed", rules, with(func(k *crawler.Known) { k.Visits, k.Watched = 5, 32*hour }), time.Time{}, 32 * hour},
		{"never changed for long", rules, with(func(k *crawler.Known) { k.Visits, k.Watched = 5, 320*hour }), time.Time{}, 100 * hour},
		{"always changed", rules, with(func(k *crawler.Known) { k.Visits, k.Changes, k.Watched = 100, 100, 100*hour }), time.Time{}, hour},
		{"max_age", aged(2 * hour), with(func(k *crawler.Known) { k.Visits, k.Watched = 5, 32*hour }), time.Time{}, 2 * hour},
		{"another config", rules, with(func(k *crawler.Known) { k.Rules = 8 }), time.Time{}, -1},
		{"clock set back", rules, with(func(k *crawler.Known) { k.Visited = now.Add(hour) }), time.Time{}, -1},
		{"modified since", rules, page, now.Add(time.Minute), -1},
		{"not modified since", rules, page, now.Add(-hour), 100 * hour},
		{"not modified since, max_age", aged(3 * hour), page, now.Add(-hour), 3 * hour},
		{"doubted lastmod", rules, with(func(k *crawler.Known) { k.Doubts = 3 }), now.Add(time.Minute), hour},
		{"lastmod in the future", rules, page, now.Add(100 * hour), hour},
		{"not adaptive", crawler.RevisitRules{On: true}, page, time.Time{}, -1},
	} {
		d := c.rules.Due(&c.page, u, c.modified, now)
		if d.Now != (c.wait < 0) || c.wait > 0 && !d.At.Equal(c.page.Visited.Add(c.wait)) || d.Why == "" {
			t.Errorf("%s: %+v, want a wait of %v", c.name, d, c.wait)
		}
		if c.wait > 0 {
			if d := c.rules.Due(&c.page, u, time.Time{}, now.Add(101*hour)); !d.Now {
				t.Errorf("%s: it is not due after the longest time: %+v", c.name, d)
			}
		}
	}
}
