package cmd

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/fixtures"
)

// awkwardConfig leaves out the 503s that say nothing of when to come back: the
// whole host rests after each, twice as long as before. TestUnavailable has
// them.
const awkwardConfig = `
name: awkward
seeds: [http://awkward.example/, http://books.example/]
scope:
  max_depth: 18
  exclude: [/down, /flaky]
  traps: {repeats: 0}
  drop_params: [utm_*]
politeness: {agent: awkwardbot, contact: https://awkward.example/bot, delay: 5ms, concurrency: 6}
fetch:
  allow_private: true
  timeout: 2s
  retries: 1
extract:
  page:
    match: {regex: "^http://awkward"}
    fields: {title: {css: title}}
  book:
    match: "/catalogue/*/index.html"
    fields: {title: {css: h1, required: true}}
output: [{jsonl: "{type}.jsonl"}, {csv: "{type}.csv"}]
`

var awkwardHosts = []string{"awkward.example", "books.example"}

// end is what is expected to become of a path of the awkward host.
type end struct {
	class    crawler.Class
	status   int
	requests int
}

var (
	pageEnd      = end{crawler.ClassFetched, 200, 1}
	truncatedEnd = end{crawler.ClassTruncated, 0, 2}
	protocolEnd  = end{crawler.ClassProtocol, 0, 1}
	resetEnd     = end{crawler.ClassReset, 0, 2}
	timeoutEnd   = end{crawler.ClassTimeout, 0, 2}
	tooLargeEnd  = end{crawler.ClassTooLarge, 0, 1}
	unseen       = end{}
)

func movedEnd(status int) end { return end{crawler.ClassRedirected, status, 1} }

// awkwardEnds are the paths with an end other than a page, and some of those
// that are pages against the odds.
var awkwardEnds = map[string]end{
	"/redirect/3": movedEnd(302), "/redirect/2": movedEnd(302), "/redirect/1": movedEnd(302), "/redirect/0": pageEnd,
	"/redirect/30": movedEnd(302), "/redirect/21": movedEnd(302), "/redirect/20": {crawler.ClassRedirectLoop, 302, 1}, "/redirect/19": unseen,
	"/loop/a": movedEnd(302), "/loop/b": movedEnd(302), "/loop/c": {crawler.ClassRedirectLoop, 302, 1},
	"/loop/self": {crawler.ClassRedirectLoop, 302, 1},
	"/moved/301": movedEnd(301), "/moved/302": movedEnd(302), "/moved/303": movedEnd(303), "/moved/307": movedEnd(307), "/moved/308": movedEnd(308),
	"/arrived/301": pageEnd, "/arrived/308": pageEnd, "/arrived/relative": pageEnd, "/arrived/fragment": pageEnd,
	"/redirect-relative": movedEnd(302), "/redirect-fragment": movedEnd(302),
	"/redirect-host": movedEnd(302), "/redirect-private": movedEnd(302), "/redirect-disallowed": movedEnd(302),
	"/redirect-nowhere":   {crawler.ClassRedirectBad, 302, 1},
	"/redirect-malformed": {crawler.ClassRedirectBad, 302, 1},
	"/redirect-scheme":    {crawler.ClassRedirectBad, 302, 1},
	"/refresh/meta":       pageEnd, "/arrived/meta": pageEnd, "/refresh/header": pageEnd, "/arrived/header": pageEnd,

	"/status/400": {crawler.ClassHTTP4xx, 400, 1}, "/status/401": {crawler.ClassHTTP4xx, 401, 1}, "/status/403": {crawler.ClassHTTP4xx, 403, 1},
	"/status/404": {crawler.ClassHTTP4xx, 404, 1}, "/status/410": {crawler.ClassHTTP4xx, 410, 1}, "/status/418": {crawler.ClassHTTP4xx, 418, 1},
	"/status/451": {crawler.ClassHTTP4xx, 451, 1}, "/status/500": {crawler.ClassHTTP5xx, 500, 2}, "/status/502": {crawler.ClassHTTP5xx, 502, 2},
	"/status/504": {crawler.ClassHTTP5xx, 504, 2}, "/status/599": {crawler.ClassHTTP5xx, 599, 2},
	"/busy": {crawler.ClassFetched, 200, 2}, "/later": {crawler.ClassFetched, 200, 2}, "/soft404": pageEnd,
	"/down": unseen, "/flaky": unseen,

	"/slow": timeoutEnd, "/drip": timeoutEnd, "/stall": timeoutEnd, "/stall/body": timeoutEnd,
	"/endless": tooLargeEnd, "/bomb": tooLargeEnd,

	"/reset": resetEnd, "/reset/body": resetEnd, "/hangup": resetEnd, "/garbage": resetEnd,
	"/headers": protocolEnd, "/headers/line": protocolEnd, "/headers/bad": protocolEnd,
	"/truncated": truncatedEnd, "/chunk/cut": truncatedEnd, "/encoded/cut": truncatedEnd, "/chunk/bad": protocolEnd,
	"/length/short": pageEnd, "/length/none": pageEnd, "/length/negative": protocolEnd, "/length/two": protocolEnd,

	"/encoded/gzip": pageEnd, "/encoded/deflate": pageEnd, "/encoded/deflate-raw": pageEnd, "/encoded/br": pageEnd,
	"/encoded/zstd": pageEnd, "/encoded/twice": pageEnd,
	"/encoded/pretended": {crawler.ClassDecode, 0, 1}, "/encoded/unknown": {crawler.ClassDecode, 0, 1},
	"/nocontent": {crawler.ClassFetched, 204, 1},

	"/private/page.html": {crawler.ClassDisallowed, 0, 0}, "/notes.tmp": {crawler.ClassDisallowed, 0, 0}, "/session?session=1": {crawler.ClassDisallowed, 0, 0},
	"/calendar/2026/01": pageEnd, "/calendar/2027/06": pageEnd, "/calendar/2027/07": unseen,
	"/spiral" + strings.Repeat("/round", 18): pageEnd, "/spiral" + strings.Repeat("/round", 19): unseen,
	"/arrived/%zz": {crawler.ClassHTTP4xx, 400, 0}, // net/http answers before the account sees it
	"/tomorrow":    unseen,
}

// untitled are pages of the awkward host that its index links to and that
// yield no record: there is no title to be had.
var untitled = []string{
	"/nocontent", "/empty", "/image.png", "/report.pdf", "/pretending.html", "/data.json", "/sitemap.xml",
	"/length/short", "/broken/text", "/broken/deep",
}

// TestAwkwardHost crawls everything that servers do wrong, in one run with a
// host that does it right.
func TestAwkwardHost(t *testing.T) {
	t.Parallel()
	c := newFixtureCrawl(t, awkwardConfig, fixtures.Options{Hosts: awkwardHosts})
	p := c.start(t, "--summary", c.dir+"/summary.json")
	peak := p.watchMemory()
	<-p.done
	if p.err != nil {
		t.Fatalf("amble run: %v\n%s", p.err, &p.out)
	}
	if most := int64(256 << 20); !raceDetector() {
		if got := <-peak; got > most {
			t.Errorf("the process took %d MiB of memory, more than %d", got>>20, most>>20)
		} else {
			t.Logf("the process took %d MiB of memory", got>>20)
		}
	}
	if out := p.out.String(); !strings.Contains(out, "/broken/deep: page: ") {
		t.Errorf("the report does not say that /broken/deep could not be parsed:\n%s", out)
	}
	checkAwkwardEnds(t, c)
	checkAwkwardRecords(t, c)
	checkAwkwardSummary(t, c)
	// Not how many at once: a client that hangs up is seen to end late.
	rules := c.web.Rules("awkwardbot", 0, 0)
	for _, v := range c.web.Account().Violations(rules) {
		t.Error(v)
	}
}

// checkAwkwardEnds expects each path to have its end, and each path that is
// not in the table to be a page, requested once.
func checkAwkwardEnds(t *testing.T, c *fixtureCrawl) {
	t.Helper()
	f := c.frontier(t)
	defer f.Close()
	requests := c.web.Account().Host("awkward.example").Paths
	check := func(path string, want end) {
		s := standing(t, f, "http://awkward.example"+path)
		if got := (end{s.Class, s.Status, requests[path]}); got != want {
			t.Errorf("%s ended as %v, want %v: %+v", path, got, want, s)
		}
		if want != unseen && s.State != "settled" {
			t.Errorf("%s is %s in the end", path, s.State)
		}
	}
	for path, want := range awkwardEnds {
		check(path, want)
	}
	for path := range requests {
		_, known := awkwardEnds[path]
		if passed := strings.HasPrefix(path, "/redirect/"); !known && !passed && path != "/robots.txt" {
			check(path, pageEnd)
		}
	}
	for _, p := range fixtures.CharsetPages() {
		check(p.Path, pageEnd)
	}
	for _, path := range untitled {
		if requests[path] == 0 {
			t.Errorf("%s was not requested", path)
		}
	}
	for _, path := range sitePages(t, "books.example") {
		name := "http://books.example" + path
		if strings.HasSuffix(path, "/") && path != "/" {
			name += "index.html"
		}
		if s := standing(t, f, name); s.Class != crawler.ClassFetched {
			t.Errorf("%s stands as %+v", name, s)
		}
	}
	accounted(t, f)
	if s := f.Stats(); s.Settled != s.Seen || s.Hosts != 2 {
		t.Errorf("the frontier says %+v", s)
	}
}

// checkAwkwardRecords expects a record of every page that has a title, and that
// titles were read in the encoding that the page is in.
func checkAwkwardRecords(t *testing.T, c *fixtureCrawl) {
	t.Helper()
	titles := map[string]string{}
	for _, r := range c.records(t, "page") {
		path := strings.TrimPrefix(r.text("_url"), "http://awkward.example")
		if _, twice := titles[path]; twice {
			t.Errorf("two records of %s", path)
		}
		titles[path] = r.text("title")
	}
	for _, p := range fixtures.CharsetPages() {
		if got := titles[p.Path]; got != p.Title && !p.Misdeclared || got == "" {
			t.Errorf("%s has the title %q, want %q", p.Path, got, p.Title)
		}
	}
	for path, want := range map[string]string{
		"/": "The Awkward Host", "/broken": "Broken", "/broken/cut": "Cut", "/broken/nul": "Nul", "/broken/attributes": "Attributes",
		"/encoded/br": "Encoded as br", "/encoded/zstd": "Encoded as zstd", "/encoded/twice": "Encoded as twice",
		"/untyped": "Untyped", "/mistyped": "Mistyped", "/badtype": "Bad type", "/length/none": "Cut off",
		"/busy": "No longer busy", "/later": "Later is now", "/refresh/meta": "Refresh", "/redirect/0": "Arrived by a chain",
	} {
		if titles[path] != want {
			t.Errorf("%s has the title %q, want %q", path, titles[path], want)
		}
	}
	for path, n := range c.web.Account().Host("awkward.example").Paths {
		want, listed := awkwardEnds[path]
		isPage := !listed && !strings.HasPrefix(path, "/redirect/") && path != "/robots.txt" || want.class == crawler.ClassFetched
		if _, got := titles[path]; got != (isPage && !slices.Contains(untitled, path)) {
			t.Errorf("%s, requested %d times, has a record: %v", path, n, got)
		}
	}
	if n := len(c.records(t, "book")); n != 328 {
		t.Errorf("%d books, want 328", n)
	}
}

// checkAwkwardSummary expects the failures to be counted by their class.
func checkAwkwardSummary(t *testing.T, c *fixtureCrawl) {
	t.Helper()
	want, failed := map[crawler.Class]int64{}, int64(0)
	for _, e := range awkwardEnds {
		if e != unseen && e.class.Failed() {
			want[e.class]++
			failed++
		}
	}
	s := readJSON[crawler.Summary](t, c.dir+"/summary.json")
	// One request more than the account has: that for /arrived/%zz.
	if s.Status != crawler.StatusFinished || s.Failed != failed || int(s.Requests) != c.served()+1 || s.Pending != 0 {
		t.Errorf("%d requests and %d failures, the summary says %+v", c.served(), failed, s)
	}
	if err := s.Account().Check(); err != nil {
		t.Error(err)
	}
	for class, n := range want {
		if s.Errors[class] != n {
			t.Errorf("the summary counts %d of %s, want %d", s.Errors[class], class, n)
		}
		delete(s.Errors, class)
	}
	if len(s.Errors) > 0 {
		t.Errorf("the summary also has %v", s.Errors)
	}
}

// A host that is not available is left alone and asked again, as often as the
// config says.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]end{
		"/down":  {crawler.ClassHTTP5xx, 503, 2},
		"/flaky": {crawler.ClassFetched, 200, 3},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			config := strings.NewReplacer("  exclude: [/down, /flaky]\n", "",
				"seeds: [http://awkward.example/, http://books.example/]", "seeds: [http://awkward.example"+path+"]",
				"max_depth: 18", "max_pages: 1", "retries: 1", "retries: "+strconv.Itoa(want.requests-1)).Replace(awkwardConfig)
			c := newFixtureCrawl(t, config, fixtures.Options{Hosts: awkwardHosts})
			p := c.start(t)
			<-p.done
			if code := p.cmd.ProcessState.ExitCode(); (code == 0) != (want.class == crawler.ClassFetched) {
				t.Errorf("exit status %d\n%s", code, &p.out)
			}
			f := c.frontier(t)
			defer f.Close()
			s := standing(t, f, "http://awkward.example"+path)
			if got := (end{s.Class, s.Status, c.web.Account().Host("awkward.example").Paths[path]}); got != want {
				t.Errorf("ended as %v, want %v: %+v", got, want, s)
			}
		})
	}
}
