package cmd

import (
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/fixtures"
)

// fullConfig reads every field of the golden records, faster than the demo.
const fullConfig = `
name: full
seeds:
  - http://books.example/
  - http://quotes.example/
  - http://news.example/
  - sitemap: http://news.example/sitemap_index.xml
scope: {drop_params: [utm_*]}
politeness: {agent: fullbot, contact: https://full.example/bot, delay: 10ms, concurrency: 3}
fetch:
  allow_private: true
extract:
  book:
    match: "/catalogue/*/index.html"
    fields:
      title: {css: h1, required: true}
      price: {css: .price_color, as: number}
      stock: {css: .availability, regex: '\((\d+) available', as: integer}
      upc: {xpath: "//th[.='UPC']/following-sibling::td"}
      author: {css: .author span}
      category: {xpath: "//th[.='Category']/following-sibling::td"}
  quote:
    each: {css: .quote}
    fields: {text: {css: .text}, author: {css: .author}, tags: {css: .tag, all: true}}
  article:
    match: "**/2026/**"
    fields:
      title: {css: h1, required: true}
      author: {css: "[rel=author]"}
      published: {css: time, attr: datetime, as: date}
      modified: {css: 'meta[property="article:modified_time"]', attr: content, as: date}
      language: {css: html, attr: lang}
      section: {css: 'meta[property="article:section"]', attr: content}
      tags: {css: "[rel=tag]", all: true}
      canonical: {css: "link[rel=canonical]", attr: href, as: url}
output: [{jsonl: "{type}.jsonl"}, {csv: "{type}.csv"}]
`

// goldenRecords says where a crawl's records hold what the golden ones hold.
type goldenRecords struct {
	set, kind string
	fields    map[string]string // golden field to record field
}

var contentHosts = []string{"books.example", "quotes.example", "news.example"}

// The demo's own config, and one that reads everything, three requests at a
// time.
func TestContentSites(t *testing.T) {
	t.Parallel()
	same := func(names ...string) map[string]string {
		m := map[string]string{}
		for _, n := range names {
			m[n] = n
		}
		return m
	}
	for _, tt := range []struct {
		name, config, agent string
		delay               time.Duration
		concurrency         int
		latency             time.Duration // of the servers
		set                 []string
		golden              []goldenRecords
	}{
		{
			"demo", string(demoConfig), "amble", 15 * time.Millisecond, 1, 0, []string{"politeness.delay=15ms"},
			[]goldenRecords{
				{"books", "book", same("title", "price", "stock", "upc")},
				{"quotes", "quote", same("text", "author", "tags")},
				{"news", "article", map[string]string{"title": "headline", "author": "author", "published": "published"}},
			},
		},
		{
			"full", fullConfig, "fullbot", 10 * time.Millisecond, 3, 25 * time.Millisecond, nil,
			[]goldenRecords{
				{"books", "book", same("title", "price", "stock", "upc", "author", "category")},
				{"quotes", "quote", same("text", "author", "tags")},
				{"news", "article", same("title", "author", "published", "modified", "language", "section", "tags", "canonical")},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newFixtureCrawl(t, tt.config, fixtures.Options{Hosts: contentHosts, Latency: tt.latency})
			file := filepath.Join(c.dir, "summary.json")
			args := []string{"--summary", file}
			for _, s := range tt.set {
				args = append(args, "--set", s)
			}
			before := time.Now().Add(-time.Second)
			c.run(t, args...)
			summary := readJSON[crawler.Summary](t, file)
			judgeManners(t, c.web, tt.agent, tt.delay, tt.concurrency)
			if least := 370 * tt.delay; summary.DurationS < least.Seconds() {
				t.Errorf("it took %v s, with 371 requests to one host %v is the least", summary.DurationS, least)
			}
			for _, g := range tt.golden {
				records := c.records(t, g.kind)
				compareGolden(t, g, records)
				checkProvenance(t, g.kind, records, summary.Run, before)
				if n := summary.Records[g.kind]; int(n) != len(records) {
					t.Errorf("the summary counts %d records of type %s, there are %d", n, g.kind, len(records))
				}
			}
			checkEverythingOnce(t, c.web)
			compareSummary(t, c, &summary)
		})
	}
}

// judgeManners judges a crawl by the servers' account. With several requests in
// flight at once a gap says nothing there: a response may end while the next
// request, rightly sent before, is on its way.
func judgeManners(t *testing.T, web *fixtures.Web, agent string, delay time.Duration, concurrency int) {
	t.Helper()
	if concurrency > 1 {
		delay = 0
		for _, h := range web.Account().Hosts() {
			if h.MaxConcurrent < 2 {
				t.Errorf("%s: never more than %d at once, though %d may be", h.Host, h.MaxConcurrent, concurrency)
			}
		}
	}
	for _, v := range web.Account().Violations(web.Rules(agent, delay, concurrency)) {
		t.Error(v)
	}
}

// compareGolden expects the golden records, each once, and no others.
func compareGolden(t *testing.T, g goldenRecords, records []record) {
	t.Helper()
	data, err := fixtures.Golden(g.set)
	if err != nil {
		t.Fatal(err)
	}
	project := func(r record, path string, name func(golden string) string) string {
		p := record{"path": path}
		for field := range g.fields {
			p[field] = r[name(field)]
		}
		return mustJSON(t, p)
	}
	want, got := map[string]int{}, map[string]int{}
	for _, r := range parseLines(t, data) {
		want[project(r, r.text("path"), func(f string) string { return f })]++
	}
	for _, r := range records {
		u, err := url.Parse(r.text("_url"))
		if err != nil {
			t.Fatal(err)
		}
		got[project(r, u.Path, func(f string) string { return g.fields[f] })]++
	}
	compareCounts(t, g.kind, got, want)
}

// checkProvenance expects each record to say where, when and by which run it
// was got, under a key of its own.
func checkProvenance(t *testing.T, kind string, records []record, run string, before time.Time) {
	t.Helper()
	keys := map[string]bool{}
	for _, r := range records {
		at, err := time.Parse(time.RFC3339Nano, r.text("_fetched_at"))
		if err != nil || at.Before(before) || at.After(time.Now()) || at.Location() != time.UTC {
			t.Errorf("_fetched_at is %q: %v", r.text("_fetched_at"), err)
		}
		if r.text("_type") != kind || r.text("_run") != run || r.text("_requested") != r.text("_url") {
			t.Errorf("provenance of run %s is wrong: %v", run, r)
		}
		if key := r.text("_key"); key == "" || keys[key] {
			t.Errorf("key %q is missing or used twice", key)
		}
		keys[r.text("_key")] = true
	}
}

// checkEverythingOnce expects every page of the content sites to have been
// requested once, and robots.txt once and first (which Violations judges).
func checkEverythingOnce(t *testing.T, web *fixtures.Web) {
	t.Helper()
	for _, h := range web.Account().Hosts() {
		if h.Robots != 1 {
			t.Errorf("%s: robots.txt was requested %d times", h.Host, h.Robots)
		}
		pages := map[string]int{}
		for path, n := range h.Paths {
			path, _, _ = strings.Cut(path, "?utm_")
			pages[strings.TrimSuffix(path, "index.html")] += n
		}
		for path, n := range pages {
			if n != 1 {
				t.Errorf("%s%s was requested %d times", h.Host, path, n)
			}
		}
		for _, path := range sitePages(t, h.Host) {
			if pages[path] == 0 {
				t.Errorf("%s%s was not requested", h.Host, path)
			}
		}
	}
}

// sitePages lists the pages of a content site that a crawl may and can reach.
func sitePages(t *testing.T, host string) []string {
	t.Helper()
	files, err := fixtures.Files(host)
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	err = fs.WalkDir(files, ".", func(name string, _ fs.DirEntry, err error) error {
		closed := slices.ContainsFunc([]string{"404", "admin/", "basket/", "drafts/", "print/", "login"},
			func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if strings.HasSuffix(name, ".html") && !closed {
			pages = append(pages, "/"+strings.TrimSuffix(name, "index.html"))
		}
		return err
	})
	if err != nil || len(pages) < 30 {
		t.Fatalf("%d pages on %s: %v", len(pages), host, err)
	}
	return pages
}

// compareSummary holds the summary against the servers' account and the frontier.
func compareSummary(t *testing.T, c *fixtureCrawl, s *crawler.Summary) {
	t.Helper()
	var requests, pages, sitemaps int64
	for _, h := range c.web.Account().Hosts() {
		requests += int64(h.Requests)
		for path, n := range h.Paths {
			switch {
			case path == "/robots.txt":
			case strings.Contains(path, "sitemap"):
				sitemaps += int64(n)
			default:
				pages += int64(n)
			}
		}
	}
	if s.Status != crawler.StatusFinished || s.Requests != requests || s.Pages != pages || s.Hosts != 3 ||
		s.Failed != 0 || len(s.Errors) != 0 || s.Retries != 0 || s.FieldErrors != 0 || s.Pending != 0 || s.Resumed {
		t.Errorf("%d requests and %d pages were served, the summary says %+v", requests, pages, s)
	}
	if s.Bytes < 1<<20 || s.DurationS <= 0 || len(s.Outputs) != 6 || s.Duplicates == 0 {
		t.Errorf("the summary is incomplete: %+v", s)
	}
	f := c.frontier(t)
	defer f.Close()
	if stats := f.Stats(); stats.Settled != pages+sitemaps+s.Disallowed || stats.Seen != stats.Settled || stats.Duplicates != s.Duplicates {
		t.Errorf("%d pages, %d sitemaps and %d disallowed, but the frontier says %+v", pages, sitemaps, s.Disallowed, stats)
	}
}
