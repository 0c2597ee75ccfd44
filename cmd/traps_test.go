package cmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/fixtures"
)

const trapsConfig = `
name: traps
seeds: [http://traps.example/]
scope: {traps: {stale: 30, facets: 60}}
politeness: {agent: trapbot, contact: https://trap.example/bot, delay: 0s, concurrency: 4}
fetch:
  allow_private: true
extract:
  product: {match: "/product/*", fields: {title: {css: h1, required: true}}}
output: [{jsonl: "{type}.jsonl"}, {csv: "{type}.csv"}]
commit: {pages: 8, interval: 50ms}
`

// TestTraps crawls a shop that has no end: all its products are fetched, and of
// what it makes up no more than the bounds.
func TestTraps(t *testing.T) {
	t.Parallel()
	c := newFixtureCrawl(t, trapsConfig, fixtures.Options{Hosts: []string{"traps.example"}})
	out := c.run(t, "--summary", c.dir+"/summary.json")
	paths := c.web.Account().Host("traps.example").Paths
	for i := range fixtures.TrapProducts {
		found := false
		for path := range paths {
			bare, _, _ := strings.Cut(path, "?")
			found = found || bare == fmt.Sprintf("/product/%d", i+1)
		}
		if !found {
			t.Errorf("product %d was not fetched", i+1)
		}
	}
	for prefix, most := range map[string]int{"/calendar/": 30 + 30, "/maze/": 30 + 45, "/around/": 4, "/cart": 1, "/shop": 1 + 15 + 180 + 60} {
		n := 0
		for path := range paths {
			if strings.HasPrefix(path, prefix) {
				n++
			}
		}
		if n == 0 || n > most {
			t.Errorf("%d pages of %s were requested, want at most %d", n, prefix, most)
		}
	}
	s := readJSON[crawler.Summary](t, c.dir+"/summary.json")
	if err := s.Account().Check(); err != nil || s.Trapped == 0 {
		t.Errorf("%d trapped: %v", s.Trapped, err)
	}
	if !strings.Contains(out, "http://traps.example/calendar/{date}") {
		t.Errorf("the report does not name the calendar:\n%s", out)
	}
}
