package cmd

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/fixtures"
)

// TestKilledRevisit kills the second run of a crawl that knows its pages and writes
// changes, again and again. The changes are those of an undisturbed run, and so is the
// table that they were applied to.
func TestKilledRevisit(t *testing.T) {
	t.Parallel()
	config := strings.Replace(killConfig, "\nextract:\n", "\nrevisit: {mode: always, output: changes}\nextract:\n", 1)
	begin := func() *fixtureCrawl {
		c := newFixtureCrawl(t, config, fixtures.Options{Hosts: contentHosts})
		for host, by := range map[string]fixtures.Validator{"books.example": fixtures.ByTag, "quotes.example": fixtures.ByNothing} {
			if err := c.web.Validate(host, by); err != nil {
				t.Fatal(err)
			}
		}
		c.run(t)
		for _, err := range []error{
			c.web.Redesign("quotes.example", "Ottilie Brandreth", "Ottilie Brandreth-Holm"),
			c.web.Redesign("books.example", "£3", "£4"),
			c.web.Withdraw("quotes.example", "/page/13/index.html"),
			c.web.Withdraw("books.example", "/catalogue/a-bicycle-around-upper-marrowdale_109/index.html"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	calm := begin()
	calm.run(t)
	c := begin()
	c.whole = calm.distinct()
	n := killUntilDone(t, c, rand.New(rand.NewPCG(seed(t), 7)), 0, len(moments))
	t.Logf("finished after %d kills", n)
	deleted := 0
	for _, o := range killOutputs {
		if !slices.Contains([]string{"jsonl", "csv", "sqlite"}, o.sink) {
			continue // those that take what runs write and look no further
		}
		for _, kind := range killKinds {
			records := o.read(t, o.files(c.dir, kind))
			compareCounts(t, o.sink+" "+kind, withoutTimes(t, records), withoutTimes(t, o.read(t, o.files(calm.dir, kind))))
			if twice := writtenTwice(records); len(twice) > 0 {
				t.Errorf("%s: written twice: %v", o.sink, twice)
			}
			for _, r := range records {
				if r["_deleted"] == true || r["_deleted"] == "true" {
					deleted++
				}
			}
		}
	}
	if deleted == 0 {
		t.Error("there is no tombstone")
	}
	f, undisturbed := c.frontier(t), calm.frontier(t)
	defer f.Close()
	defer undisturbed.Close()
	accounted(t, f)
	got, err := crawler.ReadTotals(f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := crawler.ReadTotals(undisturbed)
	if err != nil {
		t.Fatal(err)
	}
	if got.Revisit != want.Revisit || !maps.Equal(got.Records, want.Records) || got.Revisit.Gone != 2 || got.Revisit.Changed == 0 || got.Revisit.Unchanged == 0 {
		t.Errorf("the totals are %+v, undisturbed %+v", got.Revisit, want.Revisit)
	}
	judgeManners(t, c.web, "killbot", killDelay, 1)

	// A table that changes were applied to is that of a first run.
	first := crawlOf(t, c.web, killConfig)
	first.run(t)
	for _, kind := range killKinds {
		path := func(dir string) string { return filepath.Join(dir, "records.db?"+kind) }
		compareCounts(t, "all "+kind, withoutTimes(t, readTable(t, path(c.dir))), withoutTimes(t, readTable(t, path(first.dir))))
	}
}
