package cmd

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/fixtures"
	"github.com/amblecrawl/amble/fixtures/hostile"
	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// hostileRules has two record types for every page, and one for each page that is
// made for a selector.
const hostileRules = `
name: hostile
politeness: {agent: hostilebot, contact: https://me.example/bot, delay: 20ms, max_crawl_delay: 1s}
extract:
  page: {fields: {title: {css: title}, links: {css: a, attr: href, all: true}}}
  heading: {fields: {heading: {xpath: "//h1"}}}
  xpath-preceding: {match: {regex: "//xpath-preceding"}, fields: {x: {xpath: "//i[count(preceding-sibling::i) = 49999]"}}}
  xpath-contains: {match: {regex: "//xpath-contains"}, fields: {x: {xpath: "//div[contains(., 'b')]"}}}
  xpath-union: {match: {regex: "//xpath-union"}, fields: {x: {xpath: "//i | //i/.. | //i/following::*", all: true}}}
  css-siblings: {match: {regex: "//css-siblings"}, fields: {x: {css: "i ~ i ~ i ~ b"}}}
  css-nth: {match: {regex: "//css-nth"}, fields: {x: {css: "i:nth-last-child(49999)"}}}
  css-has: {match: {regex: "//css-has"}, fields: {x: {css: "div:has(b)"}}}
  css-contains: {match: {regex: "//css-contains"}, fields: {x: {css: "div:contains(zzz)"}}}
  regex-long: {match: {regex: "//regex-long"}, fields: {x: {css: h1, regex: "(.*)(.*)(.*)(.*)(a?){50}x"}}}
  markdown: {match: {regex: "//markdown-"}, fields: {x: {css: body, as: markdown}}}
  record: {match: {regex: "//all-records"}, each: {css: p.item}, fields: {x: {css: ""}}}
  values: {match: {regex: "//all-values"}, fields: {x: {css: i, as: number, all: true}}}
  date: {match: {regex: "//date-long"}, fields: {x: {css: h1, as: date}}}
  number: {match: {regex: "//number-long"}, fields: {x: {css: h1, as: number}}}
  json: {match: {regex: "//json-deep"}, fields: {x: {css: h1, as: json}}}
output: [{jsonl: "{type}.jsonl"}]
`

// hostileCrawl is a crawl of a hostile web and of hosts that do nothing wrong.
type hostileCrawl struct {
	fixtureCrawl
	cases []hostile.Case
	bad   *hostile.Web
	good  *synthetic.Web
	hosts int // that do nothing wrong
	crowd int // of further hosts that do not, whose first page is wanted
	pages int // on each of them
}

// newHostileCrawl serves both and writes a config that leads to them, more being
// lines of its section fetch.
func newHostileCrawl(t testing.TB, cases []hostile.Case, good synthetic.Options, more string) *hostileCrawl {
	t.Helper()
	c := &hostileCrawl{cases: cases, good: synthetic.New(good), hosts: good.Hosts, pages: good.Pages}
	var err error
	if c.bad, err = hostile.Start(cases); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.bad.Close)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: c.good, ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	c.configure(t, c.bad.Resolve(), c.bad.Roots(), l.Addr().String(), "", more)
	return c
}

// configure writes a config that leads to the cases, each at its address and signed
// for by roots, to the crowd, and to the hosts that do nothing wrong.
func (c *hostileCrawl) configure(t testing.TB, cases map[string]string, roots []byte, good, crowd, more string) {
	t.Helper()
	c.dir, c.name = t.TempDir(), "hostile"
	c.config = filepath.Join(c.dir, "crawl.yaml")
	seeds, resolve, goodHosts := "", "", ""
	for _, hc := range c.cases {
		if hc.Sitemap {
			seeds += "  - sitemap: " + hc.Seed() + "\n"
		} else {
			seeds += "  - " + hc.Seed() + "\n"
		}
	}
	for h := c.hosts; h < c.hosts+c.crowd; h++ {
		seeds += "  - " + c.good.URL(h, 0) + "\n"
		resolve += fmt.Sprintf("    %s: %q\n", c.good.Host(h), crowd)
		goodHosts += ", " + c.good.Host(h)
	}
	for host, addr := range cases {
		resolve += fmt.Sprintf("    %s: %q\n", host, addr)
	}
	for h := range c.hosts {
		seeds += "  - " + c.good.URL(h, 0) + "\n"
		resolve += fmt.Sprintf("    %s: %q\n", c.good.Host(h), good)
		goodHosts += ", " + c.good.Host(h)
	}
	write(t, c.config, hostileRules+"scope:\n  hosts: [\"*.hostile.example\""+goodHosts+"]\n"+
		// Of the hostile hosts only what their redirects lead to.
		"  include: [\"/p/*\", {regex: \"hostile.example/([0-9]*|b|(x/)*)$\"}]\n  traps: off\n"+
		"seeds:\n"+seeds+"fetch:\n  allow_private: true\n  retries: 0\n"+more+"  resolve:\n"+resolve)
	write(t, filepath.Join(c.dir, "roots.pem"), string(roots))
}

// start runs amble as one process that trusts who has signed for the hosts.
func (c *hostileCrawl) start(t testing.TB, env ...string) *process {
	t.Helper()
	p := c.unstarted(t, env...)
	p.begin(t)
	return p
}

func (c *hostileCrawl) unstarted(t testing.TB, env ...string) *process {
	p := &process{crawl: &c.fixtureCrawl, done: make(chan struct{})}
	p.cmd = exec.CommandContext(t.Context(), "amble", "run", c.config, "--summary", filepath.Join(c.dir, "summary.json"))
	p.cmd.Env = append(append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(c.dir, "roots.pem")), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	return p
}

// endsAsStated expects each case to have ended as its table says, and the accounts
// to add up.
func (c *hostileCrawl) endsAsStated(t *testing.T) {
	t.Helper()
	f := c.frontier(t)
	defer f.Close()
	canon := (&config.Config{}).Canon()
	for _, hc := range c.cases {
		u, err := urls.Parse(hc.URL())
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.Lookup(u.Origin(), canon.Key(u))
		if err != nil || !slices.Contains(hc.Ends, string(s.Class)) {
			t.Errorf("%s, which %s, is %s as %q (%s), %v; want %v", hc.Name, hc.About, s.State, s.Class, s.Detail, err, hc.Ends)
		}
	}
	accounted(t, f)
	if s := readJSON[crawler.Summary](t, filepath.Join(c.dir, "summary.json")); s.Status != crawler.StatusFinished || s.Pending != 0 || s.Errors[crawler.ClassInternal] != 0 {
		t.Errorf("the summary says %+v", s)
	}
}

// goodHostsAreFine expects every page of the hosts that do nothing wrong to have
// been asked for once, no two at a time and none too soon, and to have its record.
func (c *hostileCrawl) goodHostsAreFine(t *testing.T) {
	t.Helper()
	for h := range c.hosts {
		a := c.good.Account().Host(c.good.Host(h))
		if a.Requests != c.pages+1 || len(a.Paths) != c.pages+1 { // and robots.txt
			t.Errorf("%s was asked %d times for %d paths, want %d", c.good.Host(h), a.Requests, len(a.Paths), c.pages+1)
		}
	}
	for _, v := range c.good.Account().Violations(fixtures.Rules{Delay: 20 * time.Millisecond, Concurrency: 1}) {
		t.Error(v)
	}
	data, err := os.ReadFile(filepath.Join(c.dir, "page.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]string{}
	for _, r := range parseLines(t, data) {
		titles[r.text("_url")] = r.text("title")
	}
	for h := range c.hosts {
		for i := range c.pages {
			if got, want := titles[c.good.URL(h, i)], c.good.Record(h, i).Title; got != want {
				t.Errorf("%s has the title %q, want %q", c.good.URL(h, i), got, want)
			}
		}
	}
}

// within expects a process to have stayed within an amount of memory.
func within(t *testing.T, peak, most int64) {
	t.Helper()
	t.Logf("the process took %d MiB of memory", peak>>20)
	if peak == 0 || peak > most {
		t.Errorf("that is more than %d MiB", most>>20)
	}
}

// TestHostileWeb crawls all that servers do to their clients in one run, with
// hosts that do nothing wrong: every address ends as docs/hostile.md says, in
// less than 256 MiB.
func TestHostileWeb(t *testing.T) {
	unraced(t)
	t.Parallel()
	const timeout = "15s"
	c := newHostileCrawl(t, hostile.Cases(), synthetic.Options{Hosts: 4, Pages: 50},
		"  memory: 48MiB\n  timeout: "+timeout+"\n")
	p := c.start(t)
	peak := p.watchMemory()
	<-p.done
	if p.err != nil {
		t.Fatalf("amble run: %v\n%s", p.err, &p.out)
	}
	within(t, <-peak, 256<<20)
	if out := p.out.String(); strings.Contains(out, "goroutine ") || strings.Contains(out, "panic") {
		t.Errorf("there was a panic:\n%s", out)
	}
	c.endsAsStated(t)
	c.goodHostsAreFine(t)
	tell(t, "hostile hosts crawled in one run", len(c.cases))
}

// TestHangingHostsHoldNobodyUp lets every host that can keep a client hanging do
// so, some with most of a large page in memory, and gives up on none of them: the
// hosts that do nothing wrong are done with all the same, large pages included.
func TestHangingHostsHoldNobodyUp(t *testing.T) {
	unraced(t)
	t.Parallel()
	cases := slices.DeleteFunc(hostile.Cases(), func(hc hostile.Case) bool {
		return !slices.Equal(hc.Ends, []string{"timeout"})
	})
	c := newHostileCrawl(t, cases, synthetic.Options{Hosts: 3, Pages: 8, Size: 2 << 20},
		fmt.Sprintf("  memory: 16MiB\n  timeout: 1h\n  workers: %d\n", len(cases)+4))
	p := c.start(t)
	peak := p.watchMemory()
	for end := time.Now().Add(patience); ; {
		served := 0
		for h := range c.hosts {
			served += c.good.Account().Host(c.good.Host(h)).Requests
		}
		if served == c.hosts*(c.pages+1) {
			break
		}
		if !p.pause(20*time.Millisecond) || time.Now().After(end) {
			_ = p.kill()
			t.Fatalf("%d requests for %d pages of the others: %v\n%s", served, c.hosts*c.pages, p.err, &p.out)
		}
	}
	c.bad.Close() // all of them hang up
	<-p.done
	if p.err != nil {
		t.Fatalf("amble run: %v\n%s", p.err, &p.out)
	}
	within(t, <-peak, 256<<20)
	c.goodHostsAreFine(t)
	tell(t, "hosts left hanging while others were crawled", len(cases))
}

// TestPageFlood lets 64 hosts send large pages at once under a limit of memory:
// every page is read, and the process stays near the limit.
func TestPageFlood(t *testing.T) {
	unraced(t)
	t.Parallel()
	const hosts, pages, size = 64, 2, 5_000_000
	c := newHostileCrawl(t, nil, synthetic.Options{Hosts: hosts, Pages: pages, Size: size}, "  timeout: 10m\n")
	p := c.start(t, "GOMEMLIMIT=128MiB")
	peak := p.watchMemory()
	<-p.done
	if p.err != nil {
		t.Fatalf("amble run: %v\n%s", p.err, &p.out)
	}
	within(t, <-peak, 192<<20)
	c.goodHostsAreFine(t)
	if s := readJSON[crawler.Summary](t, filepath.Join(c.dir, "summary.json")); s.Pages != hosts*pages || s.Failed != 0 || s.FieldErrors != 0 {
		t.Errorf("the summary says %+v", s)
	}
	tell(t, "pages of 5 MB at GOMEMLIMIT=128MiB", hosts*pages)
}
